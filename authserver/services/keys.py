"""Who has a key: which services could verify its tokens right now, if it signed.

The dates of the rotation are safe for whoever obeys `max-age`. This finds those who do not: a proxy that caches for
longer, a service that fetches keys when it starts and never again.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from authserver.services.alive import alive, by_service
from authserver.services.store import Instance


@dataclass(frozen=True, slots=True)
class Readiness:
    """A service with at least one living instance, and those of them that lack the key."""

    service: str
    instances: int
    lacking: tuple[Instance, ...]

    @property
    def ready(self) -> bool:
        return not self.lacking


def readiness(instances: Iterable[Instance], kid: str, now: datetime) -> list[Readiness]:
    """Answer how each living service stands to a key. One that is silent cannot be asked and is not counted."""
    return [
        Readiness(name, len(found), tuple(one for one in found if kid not in one.kids))
        for name, found in by_service(alive(instances, now)).items()
    ]
