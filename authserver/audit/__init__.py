"""The audit log: who did what, when, from where; one row for each security event, in the event's own transaction.

Owns the rows and the chain of hashes that shows when one was changed or taken out. Refuses secrets: a row names
things by their public identifiers only.
"""
