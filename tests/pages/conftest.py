"""Servers here start fast: see tests/attacks/fast_servers.py."""

from tests.attacks.fast_servers import logs_of_production, make_settings

__all__ = ["logs_of_production", "make_settings"]
