"""`authserver keys drill`: the proof that a rotation cannot be noticed, and how soon an emergency is.

Owns a throw-away installation: a folder, a database, keys, an account, a server process on loopback. Real verifiers in
processes of their own verify its tokens without pause, each with another caching habit, while the real commands rotate
the keys through their whole life and give one up as compromised.

Refuses to replace anything: no clock, no key and no rule of the settings is other than in production. It is quick
because the lengths of time are the shortest that the settings allow, and because the first keys are dated back to a
time at which nobody could hold a JWKS. Touches no installation that exists.
"""
