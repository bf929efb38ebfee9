"""Servers here start fast: see tests/attacks/elliptic.py."""

from tests.attacks.elliptic import make_settings

__all__ = ["make_settings"]
