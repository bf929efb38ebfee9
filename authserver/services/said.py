"""What an instance says of itself, once its wire shape was checked (protocol/heard.py). It stays a mere claim."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from authserver.protocol.heard import BY, LONGEST_NAME, MOST_KIDS
from authserver.resource.strict_json import LARGEST_INTEGER
from authserver.services.store import Instance

MEMBERS: Final = frozenset({"service", "instance", "sequence", "mark", "kids", "by"})
NAMES: Final = ("service", "instance", "mark")


@dataclass(frozen=True, slots=True)
class Said:
    """One report, well formed."""

    service: str
    instance: str
    sequence: int
    mark: str
    kids: tuple[str, ...]
    by: str

    @property
    def key(self) -> tuple[str, str]:
        return self.service, self.instance

    def at(self, now: datetime, before: Instance | None) -> Instance:
        """Answer the instance as it stands now that it has said this."""
        stands = before is not None and (before.sequence, before.mark) == (self.sequence, self.mark)
        return Instance(
            self.service,
            self.instance,
            self.sequence,
            self.mark,
            self.kids,
            self.by,
            first_heard_at=before.first_heard_at if before else now,
            heard_at=before.heard_at if before and stands else now,
            seen_at=now,
        )


def understood(unverified: Mapping[str, Any]) -> Said | str:
    """Answer the report, or what is wrong with it in words that may be sent back."""
    if unverified.keys() != MEMBERS:
        return f"The members are exactly {', '.join(sorted(MEMBERS))}."
    for name in NAMES:
        if not _is_name(unverified[name]):
            return f"{name} is a name of 1 to {LONGEST_NAME} visible characters."
    sequence, kids = unverified["sequence"], unverified["kids"]
    if type(sequence) is not int or not 0 <= sequence <= LARGEST_INTEGER:
        return "sequence is a whole number from 0 on."
    if not isinstance(kids, list) or len(kids) > MOST_KIDS or not all(_is_name(kid) for kid in kids):
        return f"kids is a list of at most {MOST_KIDS} names of keys."
    if unverified["by"] not in BY:
        return f"by is one of {', '.join(BY)}."
    return Said(**{**unverified, "kids": tuple(sorted(set(kids)))})


def _is_name(value: Any) -> bool:
    """Say whether this is harmless in a table on a terminal, in a log line and in both databases."""
    return (
        isinstance(value, str)
        and 0 < len(value) <= LONGEST_NAME
        and value.isprintable()
        and value == value.strip()
    )
