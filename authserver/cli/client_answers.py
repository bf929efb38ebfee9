"""How a client looks to a person and to a program. A secret is in an answer only where it has just been made."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from authserver.cli.answers import Answer, Table
from authserver.cli.times import when
from authserver.clients.metadata import own_words, words
from authserver.clients.registration import AUTHORIZATION_CODE, Registration
from authserver.clients.store import Client, Registered
from authserver.opaque import Secret

KEEP: Final = "The secret is stored nowhere and not shown again: put it where the app keeps its secrets."


def describe(client: Client) -> dict[str, Any]:
    return {
        "client_id": client.client_id,
        **words(client),
        **own_words(client),
        "registered_by": client.registered_by,
        "created_at": client.created_at,
        "disabled_at": client.disabled_at,
        "tokens_not_before": client.tokens_not_before,
    }


def told(client: Client, message: str, more: Sequence[str] = ()) -> Answer:
    return Answer({"client": describe(client), "message": message}, [message, *more])


def with_secret(answer: Answer, secret: Secret | None) -> Answer:
    """Add a secret, for the only time."""
    if secret is None:
        return answer
    body = [*answer.body, f"Client secret: {secret}", KEEP]
    return Answer({**answer.facts, "client_secret": secret}, body, answer.code)


def created(client: Client, issuer: str, secret: Secret | None, *, dry_run: bool) -> Answer:
    """Say that a client was made, and what the app must be told."""
    answer = told(client, f"Created the client {client.client_name}.")
    if dry_run:
        return answer
    facts = {**answer.facts, "issuer": issuer}
    found = Answer(
        facts, [*answer.body, "", f"Issuer:        {issuer}", f"Client id:     {client.client_id}"]
    )
    return with_secret(found, secret) if secret else Answer(facts, [*found.body, *_without_secret(client)])


def _without_secret(client: Client) -> list[str]:
    if client.public:
        return [
            "It has no secret: PKCE (S256) protects its sign-ins."
            if _by_code(client)
            else "It has no secret."
        ]
    return [f"It has no secret: it signs its requests to the server ({client.token_endpoint_auth_method})."]


def listed(clients: Sequence[Client], now: datetime, *, more: bool) -> Answer:
    header = ("id", "name", "proves itself by", "grants", "state", "created")
    rows = [
        (
            one.client_id,
            one.client_name,
            one.token_endpoint_auth_method,
            ", ".join(grant.rpartition(":")[2] for grant in one.grant_types),
            "disabled" if one.disabled_at else "active",
            when(one.created_at, now),
        )
        for one in clients
    ]
    body: list[str | Table] = (
        [Table(header, rows)]
        if rows
        else ["There are no clients: `authserver client create --help` says how."]
    )
    if more:
        body.append(f"There are more: --after {clients[-1].client_id}")
    return Answer({"clients": [describe(one) for one in clients], "more": more}, body)


def shown(registered: Registered, now: datetime) -> Answer:
    """Show one client, and since when it has which secrets."""
    client = registered.client
    secrets = [
        {"created_at": one.created_at, "expires_at": one.expires_at}
        for one in sorted(registered.secrets, key=lambda one: one.created_at)
        if one.alive(now)
    ]
    facts = describe(client)
    rows = [
        (name.replace("_", " "), _text(value, now))
        for name, value in facts.items()
        if _says_much(name, value)
    ]
    ends = [
        ("secret", f"since {when(one['created_at'], now)}{_until(one['expires_at'], now)}") for one in secrets
    ]
    return Answer({"client": {**facts, "secrets": secrets}}, [Table((), [*rows, *ends])])


def _says_much(name: str, value: Any) -> bool:
    """Nobody reads past ten lines of "no"; one where "yes" is usual is worth its line."""
    if value is False:
        return Registration.__dataclass_fields__[name].default is True
    return value is not None and value != []


def _by_code(client: Client) -> bool:
    return AUTHORIZATION_CODE in client.grant_types


def _until(moment: datetime | None, now: datetime) -> str:
    return "" if moment is None else f", until {when(moment, now)}"


def _text(value: Any, now: datetime) -> str:
    if isinstance(value, datetime):
        return when(value, now)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):  # a JWK Set
        return ", ".join(str(key.get("kid", "a key without a name")) for key in value["keys"])
    return ", ".join(value) if isinstance(value, list) else str(value)
