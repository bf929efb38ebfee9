"""What a server holds in memory, so that public documents and verdicts need no database; and how it is kept current."""

from dataclasses import dataclass

from authserver.capabilities import Capabilities, tokens_live
from authserver.keyring.live import LiveKeyring
from authserver.published.status_list import StatusLists
from authserver.revocations.index import RevocationIndex
from authserver.revocations.live import LiveRevocations
from authserver.services.live import LiveServices
from authserver.status_lists.live import LiveStatusLists


@dataclass(frozen=True, slots=True)
class Live:
    """One server's memory. While the database is away it stays as it is, and knows how old it is."""

    keyring: LiveKeyring
    revocations: LiveRevocations
    revoked: RevocationIndex
    services: LiveServices
    status_lists: StatusLists | None  # None: not published

    @classmethod
    def of(cls, parts: Capabilities) -> "Live":
        keyring = LiveKeyring(parts.database, parts.vault, parts.clock, parts.settings.clock_skew)
        revocations = LiveRevocations(parts.database, parts.clock)
        return cls(
            keyring,
            revocations,
            RevocationIndex(revocations),
            LiveServices(parts.database, parts.clock),
            _status_lists(parts, keyring) if parts.settings.status_list else None,
        )

    def follow(self) -> None:
        """Look once for what changed in the database.

        :raises DatabaseUnavailable: what is known stays.
        """
        self.keyring.refresh()
        self.revocations.refresh()
        self.revoked.current()  # off the event loop: at the start a long list is long work

    def sign_status_lists(self) -> None:
        """Sign the status lists that have changed, and those that would grow old."""
        if self.status_lists is not None:
            self.status_lists.refresh()


def _status_lists(parts: Capabilities, keyring: LiveKeyring) -> StatusLists:
    settings = parts.settings
    return StatusLists(
        settings.issuer,
        settings.signing_algorithms[0],
        keyring,
        LiveStatusLists(parts.database, parts.clock),
        ttl=settings.status_list_ttl,
        good_for=tokens_live(settings),
    )
