"""`authserver account profile`: what apps are told about a person. The rules are accounts/profile.py."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Final

import typer
from sqlalchemy import Connection

from authserver.accounts import store
from authserver.accounts.profile import VERIFIED, Profile, changed, checked_groups
from authserver.accounts.usernames import canonical
from authserver.audit.store import Entry, record
from authserver.cli.account_answers import found, held
from authserver.cli.answers import Answer, Refused, Table
from authserver.cli.call import Call
from authserver.cli.times import when

Email = Annotated[str | None, typer.Option(help="The e-mail address.", metavar="ADDRESS")]
FullName = Annotated[
    str | None, typer.Option("--name", help="The full name, as apps show it.", metavar="NAME")
]
Claims = Annotated[
    list[str] | None,
    typer.Option(
        "--claim",
        help="A claim of OpenID Connect, as in locale=ko or address.country=KR; nothing behind = takes it away. "
        "May be given several times.",
        metavar="CLAIM=VALUE",
    ),
]
Groups = Annotated[
    list[str] | None,
    typer.Option("--group", help="Give exactly these groups; may be given several times.", metavar="GROUP"),
]
TRUTH: Final = {"true": True, "false": False}


def profile(
    call: Call,
    name: Annotated[str, typer.Argument(help="The user name.", metavar="NAME")],
    *,
    email: Email = None,
    full_name: FullName = None,
    claim: Claims = None,
    group: Groups = None,
    no_groups: Annotated[bool, typer.Option("--no-groups", help="Take every group away.")] = False,
) -> Answer:
    """Show or change what apps are told about a person, if they may ask for it (the scopes profile, email, …).

    Example: authserver account profile alice --email alice@example.com --claim locale=ko --group editors
    """
    username = canonical(name)
    if group and no_groups:
        raise Refused("give --group or --no-groups, not both", code=2)
    if not (email is not None or full_name is not None or claim or group or no_groups):
        stored = call.read(lambda db: store.profile(db, found(db, username).id))
        return _told(stored, f"Nothing is known of {username} yet.", call.now)
    groups = () if no_groups else checked_groups(group) if group else None

    def step(db: Connection) -> Profile:
        account, now = held(db, username), call.now
        before = store.profile(db, account.id)
        changes = changes_of(before.claims, email=email, full_name=full_name, claim=claim or [])
        wanted = with_changes(before, changes, groups, now)
        store.set_profile(db, account.id, wanted)
        detail = {
            "claims": sorted(changes),
            "groups": list(wanted.groups),
        }  # names alone: the values are personal
        record(db, Entry("account.profile_changed", now, "operator", account.id, detail=detail))
        return wanted

    return _told(call.write(step), f"Changed what apps are told of {username}.", call.now, changed=True)


def with_changes(
    before: Profile, changes: Mapping[str, Any], groups: tuple[str, ...] | None, now: datetime
) -> Profile:
    """Answer a profile after a change; None leaves the groups."""
    claims = changed(before.claims, changes, now) if changes else before.claims
    return Profile(claims, before.groups if groups is None else groups)


def changes_of(
    held_claims: Mapping[str, Any], *, email: str | None, full_name: str | None, claim: list[str]
) -> dict[str, Any]:
    """Read the options into changes of claims; an empty value takes one away.

    :raises Refused: an option is no claim and its value, or one is given twice.
    """
    named = [("email", email), ("name", full_name)]
    given = [(option, value) for option, value in named if value is not None] + [
        _pair(text) for text in claim
    ]
    if len(dict(given)) != len(given):
        raise Refused("a claim was given twice", code=2)
    changes: dict[str, Any] = {}
    for option, value in given:
        member = option.partition("address.")[2]
        if member:
            before = changes.get("address", held_claims.get("address", {})) or {}
            changes["address"] = _with_member(before, member, value)
        else:
            changes[option] = _value(option, value)
    return changes


def _pair(text: str) -> tuple[str, str]:
    option, equals, value = text.partition("=")
    if not equals:
        raise Refused("write a claim as --claim locale=ko", code=2)
    return option, value


def _value(option: str, text: str) -> Any:
    if not text:
        return None
    return TRUTH.get(text, text) if option in VERIFIED.values() else text


def _with_member(before: Mapping[str, str], member: str, text: str) -> dict[str, str] | None:
    after = {**before, member: text}
    return {name: value for name, value in after.items() if value} or None


def _told(stored: Profile, words: str, now: datetime, *, changed: bool = False) -> Answer:
    facts = {"claims": dict(stored.claims), "groups": list(stored.groups)}
    rows = [
        *((f"address.{member}", text) for member, text in stored.claims.get("address", {}).items()),
        *((name, _text(name, value, now)) for name, value in stored.claims.items() if name != "address"),
        *([("groups", ", ".join(stored.groups))] if stored.groups else []),
    ]
    body: list[str | Table] = [words] if changed or not rows else []
    body += [Table((), rows)] if rows else []
    return Answer({"profile": facts, **({"message": words} if changed else {})}, body)


def _text(name: str, value: Any, now: datetime) -> str:
    if name == "updated_at":
        return when(datetime.fromtimestamp(value, now.tzinfo), now)
    return str(value).lower() if isinstance(value, bool) else str(value)
