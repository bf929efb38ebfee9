"""Authorizations: what a person let a client do, from the request that a browser brought to its last refresh token.

Owns the stored requests, the authorizations with their code and their refresh token, and the rule that names the next
page. Refuses to know how a client proves itself, what a token looks like, and HTTP.
"""
