"""The protocol endpoints of OAuth 2.1 and OpenID Connect, one file each, named by noun.

Owns what they read, in which order they check it, and how they answer. Refuses tables and SQL: those lie below. Authlib
is known to authlib_bridge.py and grants/ alone.
"""
