"""The revocation list: what ends a token before its time, in one ever-increasing sequence.

Owns the rows, their order and their expiry, and what the signed feed says of them. Refuses to decide when something
is revoked: whoever ends a session or distrusts a key writes here in the same transaction.
"""
