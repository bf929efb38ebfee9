"""The grants, a file each: Authlib's order of checks, and our claims and tokens."""

from collections.abc import Mapping
from typing import Any, TypeVar

from authserver.oauth.authlib_bridge import Refused
from authserver.oauth.errors import Problem

T = TypeVar("T")

Answer = Mapping[str, Any]


def require(found: T | Problem) -> T:
    """Hand a refusal of ours to Authlib, in the way that it knows."""
    if isinstance(found, Problem):
        raise Refused(found)
    return found
