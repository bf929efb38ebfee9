"""`authserver revocation`: the list that ends tokens before their time, and adding to it by hand."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final

import typer
from sqlalchemy import Connection, Row

from authserver.accounts import store as accounts
from authserver.accounts.usernames import InvalidUsername, canonical
from authserver.audit import store as audit
from authserver.audit.store import Entry, record
from authserver.capabilities import tokens_live
from authserver.cli.answers import Answer, Refused, Table
from authserver.cli.call import Call
from authserver.cli.heard import PATIENCE, Listed, Wait, with_heard
from authserver.cli.nouns import noun
from authserver.cli.times import iso, when
from authserver.cli.verbs import verb
from authserver.clock import seconds
from authserver.keyring import store as keyring
from authserver.protocol.revocation import WITH_CUTOFF, Kind
from authserver.revocations import store
from authserver.revocations.keys import LISTED_FOR
from authserver.revocations.store import Revocation
from authserver.sessions import store as sessions
from authserver.subjects import store as subjects

app = noun("revocation")

LONGEST_VALUE: Final = 255
CAUSES: Final = 1_000  # entries of the audit log that are looked at: whatever is older goes without a cause


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the operator asked to put on the list; `before` is None where the kind has no cut-off, or for now."""

    kind: Kind
    value: str
    before: datetime | None
    unknown: bool  # take an id that nobody here has


@verb(app, "list")
def list_revocations(
    call: Call, *, limit: Annotated[int, typer.Option(min=1, max=100_000, help="The newest so many.")] = 100
) -> Answer:
    """Show the entries that still matter, the newest last.

    Example: authserver revocation list --limit 20
    """

    def read(db: Connection) -> tuple[store.Head, list[Revocation], list[str]]:
        head = store.head(db)
        living = store.after(db, 0, head.sequence, call.now)
        return head, living, _causes(db, living[-limit:])

    head, living, causes = call.read(read)
    shown = living[-limit:]
    facts = {
        "mark": head.mark,
        "sequence": head.sequence,
        "total": len(living),
        "revocations": [
            {**_describe(one), "cause": cause or None} for one, cause in zip(shown, causes, strict=True)
        ],
    }
    body: list[str | Table] = [
        f"{len(living)} {'entry' if len(living) == 1 else 'entries'}, up to sequence {head.sequence}."
    ]
    if len(living) > limit:
        body.append(f"These are the newest {limit}: --limit shows more.")
    header = ("sequence", "kind", "value", "issued before", "since", "until", "because of")
    rows = [(*_row(one, call.now), cause) for one, cause in zip(shown, causes, strict=True)]
    return Answer(facts, [*body, Table(header, rows)])


@verb(app, "add", changes=True)
def add(
    call: Call,
    kind: Annotated[
        Kind, typer.Argument(help="Which claim of a token the value is compared with.", show_default=False)
    ],
    value: Annotated[str, typer.Argument(metavar="VALUE")],
    *,
    before: Annotated[
        str,
        typer.Option(help='Only sub and client_id: tokens issued before this moment (ISO 8601) or "now".'),
    ] = "",
    unknown: Annotated[
        bool, typer.Option("--unknown", help="List a sub, sid or kid that this server does not know, too.")
    ] = False,
    wait: Wait = PATIENCE,
) -> Answer:
    """Refuse tokens from now on: one token (jti), a session's, an account's, a client's.

    Example: authserver revocation add client_id billing-app
    """
    wanted = _wanted(call, kind, value, before, unknown=unknown)
    entry = call.write(lambda db: _add(db, call, wanted))
    until = when(entry.expires_at, entry.created_at)
    answer = Answer(
        {"revocation": _describe(entry)},
        [f"Put {kind.value} {value} on the list as sequence {entry.sequence}, until {until}."],
    )
    return with_heard(call, answer, Listed(entry.created_at, entry.sequence), wait)


def _causes(db: Connection, shown: list[Revocation]) -> list[str]:
    """What the newest part of the audit log says of each: an entry and its cause have one time and one name in common."""
    if not shown:
        return []
    noted: dict[datetime, list[Row[Any]]] = {}
    for row in audit.entries(db, limit=CAUSES):
        noted.setdefault(row.at, []).append(row)
    return [_cause(one, noted.get(one.created_at, [])) for one in shown]


def _cause(entry: Revocation, rows: list[Row[Any]]) -> str:
    for row in rows:
        if entry.value in {row.account_id, row.session_id, row.detail.get("kid"), row.detail.get("value")}:
            return f"{row.event} by {row.actor}"
    return ""


def _wanted(call: Call, kind: Kind, value: str, before: str, *, unknown: bool) -> Wanted:
    if not value or len(value) > LONGEST_VALUE or not value.isprintable():
        raise Refused(f"a value has 1 to {LONGEST_VALUE} visible characters", code=2)
    if before and kind not in WITH_CUTOFF:
        raise Refused(
            f"--before is for {' and '.join(sorted(WITH_CUTOFF))}: {kind.value} ends every token", code=2
        )
    return Wanted(kind, value, None if before in {"", "now"} else _moment(before, call.now), unknown)


def _moment(text: str, now: datetime) -> datetime:
    """Read a cut-off. Not one in the future: tokens still to come would be refused, and outlive the entry."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Refused('--before is a moment such as 2026-11-23T09:00:00Z, or "now"', code=2) from None
    if moment.tzinfo is None:
        raise Refused(f"--before needs a time zone: {text}Z for UTC", code=2)
    if moment > now:
        raise Refused(f"--before lies in the future, and it is {iso(now)} now", code=2)
    return moment.astimezone(UTC)


def _add(db: Connection, call: Call, wanted: Wanted) -> Revocation:
    """Add an entry and what belongs to it, in the order of locks: account, sessions, list, audit log."""
    now = call.now
    if not wanted.unknown and (why := _why_unknown(db, wanted)):
        raise Refused(f"{why}. To list it all the same: --unknown")
    _put(db, call, wanted, now)
    sequence = store.head(db).sequence
    [entry] = store.after(db, sequence - 1, sequence, now)
    detail: dict[str, Any] = {"kind": entry.kind.value, "value": entry.value, "sequence": sequence}
    if entry.before is not None:
        detail["before"] = iso(entry.before)
    record(db, Entry("revocation.added", now, "operator", _account_id(db, wanted), detail=detail))
    return entry


def _why_unknown(db: Connection, wanted: Wanted) -> str | None:
    """Say that nobody here has this id: a name or a typing error would be listed and end nothing.

    Which `jti` and `client_id` were ever used is written down nowhere.
    """
    value = wanted.value
    if wanted.kind is Kind.SUB and accounts.by_id(db, value) is None:
        return _why_no_account(db, value)
    if wanted.kind is Kind.SID and sessions.owner(db, value) is None:
        return f"no session has the id {value}: `authserver session list` shows them"
    if wanted.kind is Kind.KID and not any(ring.find(value) for ring in keyring.rings(db, ended=True)):
        return f"no key has the id {value}: `authserver keys list --all` shows them"
    return None


def _why_no_account(db: Connection, value: str) -> str:
    with suppress(InvalidUsername):
        named = accounts.by_username(db, canonical(value))
        if named is not None:
            return (
                f"no account has the id {value}. The account named {named.username} is {named.id}: to end its "
                f"sessions and tokens, `authserver account sign-out {named.username}`"
            )
    return f"no account has the id {value}: `authserver account list` shows them"


def _put(db: Connection, call: Call, wanted: Wanted, now: datetime) -> None:
    sign_out, kind, value = call.parts.sign_out, wanted.kind, wanted.value
    if kind is Kind.SUB and wanted.before is None:
        sign_out.cut_off_tokens(
            db, value, now=now
        )  # the account too, or it is given a token in the same second
        return
    if kind is Kind.SID and sign_out.here(db, [value], now=now, why="session.ended", by="operator"):
        return  # a session that lives on would be given tokens that nobody takes
    if kind is Kind.KID:
        _refuse_own_key(db, value)
    next_second = datetime.fromtimestamp(seconds(now) + 1, UTC)  # `iat` counts whole seconds
    cut_off = (wanted.before or next_second) if kind in WITH_CUTOFF else None
    others = subjects.of_account(db, value) if kind is Kind.SUB else ()
    for name in (*others, value):
        store.append(db, kind, name, now=now, expires_at=now + _listed_for(call, kind), before=cut_off)


def _refuse_own_key(db: Connection, kid: str) -> None:
    """A key of ours that is on the list but signs on would take every sign-in down.

    :raises Refused: with the command that does the whole of it.
    """
    if any(ring.find(kid) for ring in keyring.rings(db)):
        raise Refused(f"{kid} is a key of this server: use `authserver keys revoke {kid} --compromised`")


def _listed_for(call: Call, kind: Kind) -> timedelta:
    return LISTED_FOR if kind is Kind.KID else tokens_live(call.settings)


def _account_id(db: Connection, wanted: Wanted) -> str | None:
    known = accounts.by_id(db, wanted.value) if wanted.kind is Kind.SUB else None
    return known.id if known else None


def _describe(entry: Revocation) -> dict[str, Any]:
    return {
        "sequence": entry.sequence,
        "kind": entry.kind.value,
        "value": entry.value,
        "before": entry.before,
        "created_at": entry.created_at,
        "expires_at": entry.expires_at,
    }


def _row(entry: Revocation, now: datetime) -> tuple[str, ...]:
    return (
        str(entry.sequence),
        entry.kind.value,
        entry.value,
        iso(entry.before) if entry.before else "",
        when(entry.created_at, now),
        when(entry.expires_at, now),
    )
