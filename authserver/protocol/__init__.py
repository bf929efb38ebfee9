"""The words that the server and its resource services must spell alike.

Owns names only: `typ` values, cookie names, paths, error codes, the wire shape of the revocation list.
Refuses behaviour and any import but the standard library, so that both sides can load it for nothing.
"""
