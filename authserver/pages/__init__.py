"""The hosted pages and the JSON endpoints that do the same: sign in, sign out, the account, its password.

Owns what a person sees and the order of each step. Refuses SQL and rules: an endpoint runs the capabilities' steps
and turns what they answer into a page, JSON and cookies.
"""
