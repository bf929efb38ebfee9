"""What anyone may read: the JWKS, discovery, the revocation feed, health. Served from memory, in front of the router.

Owns the bytes and their caching. Refuses the database: while it is down, these go on with what is known.
"""
