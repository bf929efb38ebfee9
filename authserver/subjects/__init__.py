"""Subjects: by which name a client knows a person, `sub` on the wire (OpenID Connect Core §8).

Owns the pairwise subjects, one at random for each account and sector, so that two apps cannot put together what they
know. Refuses tokens and sign-outs: those are above, and ask here which names an account has.
"""
