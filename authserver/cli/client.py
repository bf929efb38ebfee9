"""`authserver client`: which apps and services there are. What a change must end, it ends in the same transaction."""

from collections.abc import Callable
from datetime import timedelta
from typing import Annotated, Any

import typer
from sqlalchemy import Connection

from authserver.audit.store import Entry, record
from authserver.capabilities import tokens_live
from authserver.cli.answers import Answer, Refused
from authserver.cli.call import Call
from authserver.cli.client_answers import created, listed, shown, told, with_secret
from authserver.cli.client_invite import invite
from authserver.cli.client_options import KINDS, Kind, field_called, fit, length, said, with_options
from authserver.cli.heard import PATIENCE, Wait, noting, with_heard
from authserver.cli.nouns import noun
from authserver.cli.times import span
from authserver.cli.verbs import verb
from authserver.clients import ids, secrets, store
from authserver.clients.metadata import read
from authserver.clients.registering import limits, merged, register, replace
from authserver.clients.store import Client, ClientIdTaken
from authserver.opaque import Secret, new_id
from authserver.revocations.clients import end_tokens

app = noun("client")
verb(app, "invite", changes=True)(invite)

Id = Annotated[str, typer.Argument(help="The client's id.", metavar="ID")]
Change = Callable[[Connection, Client], str]


@verb(app, "create", changes=True)
@with_options
def create(
    call: Call,
    name: Annotated[str, typer.Argument(help="What people read when they sign in to it.", metavar="NAME")],
    *,
    kind: Annotated[
        Kind,
        typer.Option(
            help="web: pages from a server. browser: an app in the browser. native: on a computer or a phone. "
            "service: no people. device: without a browser, such as a TV."
        ),
    ],
    client_id: Annotated[
        str, typer.Option("--id", help="An id to read; else one is made up.", metavar="ID")
    ] = "",
    **options: Any,
) -> Answer:
    """Register an app or a service. Its secret, if it has one, is made up and printed once.

    Example: authserver client create Shop --kind web --redirect-uri https://shop.example.com/callback

    Example: authserver client create Editor --kind browser --redirect-uri https://editor.example.com/

    Example: authserver client create Notes --kind native --redirect-uri http://127.0.0.1/callback

    Example: authserver client create Reports --kind service --scope orders:read --audience https://api.example.com

    Example: authserver client create TV --kind device
    """
    if client_id and (why := ids.refusal(client_id)):
        raise Refused(f"--id: {why}", code=2)
    standard, ours = said(options)
    words = {**KINDS[kind], "client_name": name, **standard}
    registration = fit(read(words, ours, limits=limits(call.settings)))
    made = Client.of(registration, client_id or new_id(), registered_by="operator", now=call.now)

    def step(db: Connection) -> Secret | None:
        secret = _register(db, made, call)
        _record(db, call, made, "client.created", kind=kind.value, redirect_uris=list(made.redirect_uris))
        return secret

    return created(made, call.settings.issuer, call.write(step), dry_run=call.dry_run)


@verb(app, "list")
def list_clients(
    call: Call,
    *,
    after: Annotated[str, typer.Option(help="Begin behind this id.", metavar="ID")] = "",
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 100,
) -> Answer:
    """Show clients in the order of their ids.

    Example: authserver client list --limit 20
    """
    found = call.read(lambda db: store.page(db, after=after, limit=limit + 1))
    return listed(found[:limit], call.now, more=len(found) > limit)


@verb(app, "show")
def show(call: Call, client_id: Id) -> Answer:
    """Show one client: what it may do, and since when it has its secrets, which nobody can show.

    Example: authserver client show shop
    """
    registered = call.read(lambda db: store.by_id(db, client_id))
    if registered is None:
        raise _unknown(client_id)
    return shown(registered, call.now)


@verb(app, "update", changes=True)
@with_options
def update(
    call: Call,
    client_id: Id,
    *,
    name: Annotated[str | None, typer.Option(help="What people read.", metavar="NAME")] = None,
    clear: Annotated[
        list[str] | None,
        typer.Option(help="Set this option back, such as backchannel-logout-uri.", metavar="OPTION"),
    ] = None,
    **options: Any,
) -> Answer:
    """Change what is named and nothing else. A list, such as the redirect URIs, is replaced by the one named.

    Example: authserver client update shop --redirect-uri https://shop.example.com/callback --scope "openid email"

    Example: authserver client update shop --clear backchannel-logout-uri
    """
    changes = dict.fromkeys(map(field_called, clear or []))
    for fields in said(options):
        changes |= fields
    changes |= {} if name is None else {"client_name": name}
    if not changes:
        raise Refused("name what is to change: `authserver client update --help` lists it", code=2)

    def step(db: Connection) -> Answer:
        client = _held(db, client_id)
        registration = fit(merged(client, changes, limits(call.settings)))
        done = replace(db, client, registration, call.now)
        if not done.columns:
            return told(client, f"{client_id} is exactly so already: nothing was changed.")
        _record(db, call, client, "client.updated", changed=done.columns)
        answer = _told(db, client_id, f"Changed {client_id}: {', '.join(done.columns)}.")
        return _as_given(call, answer, done.secret)

    return call.write(step)


@verb(app, "rotate-secret", changes=True)
def rotate_secret(
    call: Call,
    client_id: Id,
    *,
    overlap: Annotated[
        str,
        typer.Option(help="How long the old secret stays good, so that the app can change.", metavar="TIME"),
    ] = "1d",
    compromised: Annotated[
        bool, typer.Option("--compromised", help="End the old secret and every token now: somebody has it.")
    ] = False,
    wait: Wait = PATIENCE,
) -> Answer:
    """Give a client a new secret, printed once. The old one stays good for a while, so nothing has to stop.

    Example: authserver client rotate-secret shop --overlap 7d

    Example: authserver client rotate-secret shop --compromised
    """
    old_good_for = length("0" if compromised else overlap)

    def step(db: Connection) -> Answer:
        client = _held(db, client_id)
        if not client.by_secret:
            raise Refused(
                f"{client_id} has no secret: it proves itself by {client.token_endpoint_auth_method}"
            )
        secret = secrets.rotate(db, client, call.now, old_good_for)
        if compromised:
            end_tokens(db, client, call.now, tokens_live(call.settings))
        detail = {"overlap": int(old_good_for.total_seconds()), "compromised": compromised}
        _record(db, call, client, "client.secret_rotated", **detail)
        words = f"{client_id} has a new secret. {_old_secret(old_good_for, compromised=compromised)}"
        return _as_given(call, _told(db, client_id, words), secret)

    answer, entry = call.write(noting(call, step))
    return with_heard(call, answer, entry, wait)


@verb(app, "disable", changes=True)
def disable(call: Call, client_id: Id, *, wait: Wait = PATIENCE) -> Answer:
    """Give a client no more tokens, and end those that it has.

    Example: authserver client disable shop
    """

    def change(db: Connection, client: Client) -> str:
        if client.disabled_at:
            return f"{client_id} is disabled already: nothing was changed."
        store.change(db, client_id, disabled_at=call.now)
        end_tokens(db, client, call.now, tokens_live(call.settings))
        _record(db, call, client, "client.disabled")
        return f"Disabled {client_id}; its tokens have ended."

    return _change(call, client_id, change, wait)


@verb(app, "enable", changes=True)
def enable(call: Call, client_id: Id) -> Answer:
    """Let a disabled client ask for tokens again.

    Example: authserver client enable shop
    """

    def change(db: Connection, client: Client) -> str:
        if client.disabled_at is None:
            return f"{client_id} is not disabled: nothing was changed."
        store.change(db, client_id, disabled_at=None)
        _record(db, call, client, "client.enabled")
        return f"Enabled {client_id}."

    return _change(call, client_id, change)


@verb(app, "delete", changes=True)
def delete(
    call: Call,
    client_id: Id,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    wait: Wait = PATIENCE,
) -> Answer:
    """Forget a client, its secrets and what people allowed it, and end its tokens. `disable` can be undone.

    Example: authserver client delete shop --yes
    """
    name = call.read(lambda db: _held(db, client_id)).client_name
    call.confirm(f"Forget the client {client_id} ({name}) for good?", yes=yes)

    def step(db: Connection) -> Answer:
        client = _held(db, client_id)
        end_tokens(db, client, call.now, tokens_live(call.settings))
        store.delete(db, client_id)
        _record(db, call, client, "client.deleted")
        return told(client, f"Deleted {client_id}; its tokens have ended.")

    answer, entry = call.write(noting(call, step))
    return with_heard(call, answer, entry, wait)


def _register(db: Connection, made: Client, call: Call) -> Secret | None:
    try:
        return register(db, made, call.now)
    except ClientIdTaken:
        raise Refused(f"there is a client {made.client_id} already: choose another --id") from None


def _old_secret(good_for: timedelta, *, compromised: bool) -> str:
    if compromised:
        return "The old one and every token have ended."
    return f"The old one is good for another {span(good_for)}." if good_for else "The old one has ended."


def _change(call: Call, client_id: str, change: Change, wait: float = 0) -> Answer:
    """Hold a client until the transaction ends, change it, and ask who has heard of what that ended."""

    def step(db: Connection) -> Answer:
        words = change(db, _held(db, client_id))
        return _told(db, client_id, words)

    answer, entry = call.write(noting(call, step))
    return with_heard(call, answer, entry, wait)


def _held(db: Connection, client_id: str) -> Client:
    client = store.locked(db, client_id)
    if client is None:
        raise _unknown(client_id)
    return client


def _told(db: Connection, client_id: str, words: str) -> Answer:
    return told(_held(db, client_id), words)


def _as_given(call: Call, answer: Answer, secret: Secret | None) -> Answer:
    return answer if call.dry_run else with_secret(answer, secret)


def _unknown(client_id: str) -> Refused:
    return Refused(f"there is no client {client_id}: `authserver client list` shows them")


def _record(db: Connection, call: Call, client: Client, event: str, **detail: Any) -> None:
    about = {"client": client.client_id, "name": client.client_name, **detail}
    record(db, Entry(event, call.now, "operator", detail=about))
