"""The grants, a file each: Authlib's order of checks, and our claims and tokens."""

from typing import TypeVar

from authserver.oauth.authlib_bridge import Refused
from authserver.oauth.errors import Problem
from authserver.oauth.issuing import Unsigned

T = TypeVar("T")

Answer = Unsigned


def require(found: T | Problem) -> T:
    """Hand a refusal of ours to Authlib, in the way that it knows."""
    if isinstance(found, Problem):
        raise Refused(found)
    return found
