"""Clients: which OAuth applications there are, what each may do, and how it proves that it is itself.

Owns the registrations, their secrets, and the rules of what can be registered: redirect URIs above all. Refuses to know
of sessions, tokens and HTTP: what disabling a client does to its tokens is said in `revocations/clients.py`.
"""
