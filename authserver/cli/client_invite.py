"""`authserver client invite`: let somebody register clients without an operator's hands (RFC 7591)."""

from typing import Annotated, Final

import typer
from sqlalchemy import Connection

from authserver.audit.store import Entry, record
from authserver.cli.answers import Answer, Refused
from authserver.cli.call import Call
from authserver.cli.client_options import length
from authserver.cli.times import when
from authserver.clients import fields
from authserver.clients.fields import Unfit
from authserver.clients.invited import invitations
from authserver.clients.invited.store import Invitation
from authserver.clients.metadata import DEFAULT_SCOPE
from authserver.opaque import Secret
from authserver.protocol import paths

MOST: Final = 1_000
KEEP: Final = "It is stored nowhere and not shown again: whoever has it can register clients."


def invite(
    call: Call,
    *,
    uses: Annotated[int, typer.Option(min=1, max=MOST, help="How many clients may come by it.")] = 1,
    expires: Annotated[str, typer.Option(help="How long it is good for.", metavar="TIME")] = "7d",
    scope: Annotated[
        str, typer.Option(help="What these clients may ask for at the most.", metavar="SCOPES")
    ] = DEFAULT_SCOPE,
) -> Answer:
    """Make an initial access token, printed once, by which an app registers itself. It asks people for consent.

    Example: authserver client invite

    Example: authserver client invite --uses 20 --expires 1d --scope "openid profile"
    """
    lasting, allowed = length(expires), fields.scope(scope)
    if not lasting:
        raise Refused("--expires: an invitation that is over at once invites nobody", code=2)
    if isinstance(allowed, Unfit):
        raise Refused(f"--scope: {allowed}", code=2)

    def step(db: Connection) -> tuple[Invitation, Secret]:
        made, token = invitations.invite(db, uses=uses, lasting=lasting, scope=allowed, now=call.now)
        detail = {
            "invitation": made.id,
            "uses": uses,
            "scope": allowed,
            "expires_at": made.expires_at.isoformat(),
        }
        record(db, Entry("client.invited", call.now, "operator", detail=detail))
        return made, token

    return _told(call, *call.write(step))


def _told(call: Call, made: Invitation, token: Secret) -> Answer:
    endpoint = call.settings.issuer + paths.REGISTER
    facts = {
        "invitation": made.id,
        "expires_at": made.expires_at,
        "uses": made.uses_left,
        "scope": made.scope,
        "registration_endpoint": endpoint,
    }
    clients = "1 client" if made.uses_left == 1 else f"{made.uses_left} clients"
    body = [
        f"Whoever has this token may register {clients}, until {when(made.expires_at, call.now)}.",
        f"Scopes:   {made.scope}",
        f"Endpoint: {endpoint}",
    ]
    if call.dry_run:
        return Answer(facts, body)
    return Answer({**facts, "initial_access_token": token}, [*body, f"Token:    {token}", KEEP])
