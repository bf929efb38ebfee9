"""Devices: what a television or a command line asks for, and the person who decides about it in a browser (RFC 8628).

Owns the device codes, the codes that people type, and how often a device may ask. Refuses to give out tokens: a yes
becomes an authorization, and `authorizations` does the rest.
"""
