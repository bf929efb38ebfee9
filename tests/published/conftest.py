"""Logs as in production; the keys are RS256 here, as published by default."""

from tests.attacks.fast_servers import logs_of_production

__all__ = ["logs_of_production"]
