"""Sessions: a browser that is signed in, from its sign-in to its sign-out.

Owns the session rows, the idle and the absolute limit, and what signing out, and a changed account, do to sessions
and to the revocation list. Refuses HTTP: a cookie's value comes in, and facts go out.
"""
