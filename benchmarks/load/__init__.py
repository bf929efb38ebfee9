"""Load on a server: `wrk` for documents where it is installed, else and for everything else a client of our own.

Both talk HTTP/1.1 over keep-alive connections to loopback, bounded in time or in number.
"""
