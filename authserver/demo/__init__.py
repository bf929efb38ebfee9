"""A resource service to try the login service with, as a stranger would write it.

Owns one small API. Refuses everything of the server but its address: `authserver.resource` is all it imports.
"""
