"""Requests that this server sends to others: the one place that does.

Owns the way out: which addresses may be reached, how long it may take, how much is read. The URLs come from whoever
registered a client, so nothing about them is believed: a server that fetches what it is told is a way into the network
behind it (SSRF). Refuses redirects, proxies, cookies, and to know what the requests are about.
"""
