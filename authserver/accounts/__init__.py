"""Accounts: who a person is to this server, how a name is spelled, what makes a password good, how often one may try.

Owns the account rows, known devices and throttling. Refuses to know of sessions and tokens: what a change of an
account does to those is said in `sessions`.
"""
