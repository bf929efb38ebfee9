"""Clients that register themselves (RFC 7591, RFC 7592): who is invited to, and who may change which registration.

Owns the invitations (initial access tokens) and the registration access tokens. Refuses to decide what can be
registered: that is said in one place for everybody, `clients/metadata.py`.
"""
