"""What is good once, and was made by somebody else: the `jti` of proofs of possession and of client assertions.

Owns one row for each until it has expired by itself. Shared by all servers on the database and kept over a restart, so
that nothing is good a second time at another server (SECURITY J38). Refuses what we make ourselves (codes, refresh
tokens, stored requests): those have rows of their own, and are claimed there.
"""
