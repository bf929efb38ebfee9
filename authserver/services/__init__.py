"""Services: which named resource services follow the revocation list, how far they are, and with which keys.

Owns what each instance said last, and what follows from it: who is alive, who lacks a key, who has heard of a change.
Refuses to be believed: nobody is asked for a secret, so this is good for a list and a warning, never for a decision
about a token.
"""
