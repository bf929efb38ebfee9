"""Token Status Lists (draft-ietf-oauth-status-list): the revocation list as bits, for verifiers that are not ours.

Owns the indexes that tokens carry, whose they are, and the bits. Refuses to decide what is revoked: a bit is set
because an entry of the revocation list names the session or the account that the index was given to.
"""
