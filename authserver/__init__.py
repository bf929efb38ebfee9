"""authserver: sign in once, verify anywhere with a public key, log out everywhere, now.

Imports nothing: a resource service loads this package only to reach `authserver.resource`.
"""

__version__ = "0.1.0"
