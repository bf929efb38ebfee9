"""Deliveries: telling apps that a session is over, until they have heard (OpenID Connect Back-Channel Logout 1.0).

Owns the ledger: one row for each app that has to be told, written in the transaction of the sign-out itself, so that
neither a crash nor an app that is down can lose it; and the rule when to try again. Refuses to know how a request is
sent (outgoing/), and when a session ends (sessions/).
"""
