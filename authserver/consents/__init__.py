"""Consents: which scopes an account has allowed a client, remembered until the account takes them back.

Owns that table. Refuses to end what was given out meanwhile: that is `authorizations`.
"""
