"""The signing keys: their life (next → active → retired → removed, or compromised), their places, and signing.

Owns the arithmetic that makes a rotation invisible to every verifier that obeys `max-age`, the private keys at
rest, and the one active key of each algorithm. Refuses to say what a token contains, and to hand a private key
to anyone: who wants a signature asks `signer.py`.
"""
