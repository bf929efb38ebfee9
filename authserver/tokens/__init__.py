"""What a token says: claims from an account and a session, signed by the keyring's active key.

Owns the claims and lifetimes of access tokens (RFC 9068). Refuses to store a token: no table grows with every one.
"""
