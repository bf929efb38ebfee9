"""A resource service as a stranger would build it: it knows the issuer's URL, and reads two public documents."""

from collections.abc import Callable

from authserver.app import Server
from authserver.protocol import paths
from authserver.resource.keys import PublicKeys
from authserver.resource.principal import Principal
from authserver.resource.refusal import Reason, Refusal
from authserver.resource.revocation_document import open_document, read_event
from authserver.resource.revocation_set import Delta, Reset, RevocationSet, Snapshot
from authserver.resource.verifier import verify
from tests.visitor import Visitor

LARGEST = 4_000_000


class ResourceService:
    """Verifies tokens offline, with the keys and the list that it read last."""

    def __init__(self, server: Server, visitor: Visitor) -> None:
        self.revocations = RevocationSet()
        self._server = server
        self._visitor = visitor

    def read(self, query: str = "") -> Snapshot | Delta:
        """Fetch keys and list as published, and check the list by the keys alone."""
        self.keys = PublicKeys.from_jwks(self._visitor.get(paths.JWKS).json())
        answer = self._visitor.get(paths.REVOCATIONS + query)
        issuer = self._server.settings.issuer
        event = read_event(open_document(answer.content, self.keys.get, issuer, max_length=LARGEST))
        assert not isinstance(event, Reset)
        return event

    def follow(self) -> None:
        self._server.follow()
        event = self.read()
        assert isinstance(event, Snapshot)
        assert self.revocations.replace(event)

    def verdict(self, token: str | None) -> Principal | Refusal:
        """Look at a token now, after a look at keys and list."""
        self.follow()
        settings, now = self._server.settings, self._server.capabilities.clock.now()
        return verify(
            token or "",
            keys=self.keys,
            issuer=settings.issuer,
            audience=settings.token_audience,
            now=now.timestamp(),
            revocations=self.revocations,
        )

    def accepts(self, token: str | None) -> bool:
        return isinstance(self.verdict(token), Principal)

    def refusal(self, token: str | None) -> Reason | None:
        found = self.verdict(token)
        return found.reason if isinstance(found, Refusal) else None


MakeVisitor = Callable[..., Visitor]
