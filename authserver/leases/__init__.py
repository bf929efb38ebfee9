"""Leases: of all servers on one database, at most one does a recurring job at a time.

Owns one row for each job. Refuses to be a lock for anything that must be right: whoever holds a lease may be slow and
lose it, so the jobs themselves are safe to run twice.
"""
