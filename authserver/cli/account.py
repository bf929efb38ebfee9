"""`authserver account`: who may sign in. What a change must end, it ends in the same transaction."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Final, TypeVar

import typer
from sqlalchemy import Connection

from authserver.accounts import store
from authserver.accounts.profile import Profile
from authserver.accounts.store import Account
from authserver.accounts.usernames import canonical
from authserver.audit.store import Entry, record
from authserver.cli.account_answers import describe, found, held, state, text, told
from authserver.cli.answers import Answer, Refused, Table
from authserver.cli.call import Call
from authserver.cli.heard import PATIENCE, Wait, noting, with_heard
from authserver.cli.nouns import noun
from authserver.cli.passwords import NewPassword, new_password
from authserver.cli.profile import Email, FullName, changes_of, profile, with_changes
from authserver.cli.times import when
from authserver.cli.verbs import verb
from authserver.sessions import store as sessions

app = noun("account")
verb(app, "profile", changes=True)(profile)

T = TypeVar("T")
Change = Callable[[Connection, Account, datetime], T]

LONGEST_NAME: Final = 255
LONGEST_ROLE: Final = 64

Name = Annotated[str, typer.Argument(help="The user name.", metavar="NAME")]
FromStdin = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from standard input; else one is made up.")
]


@verb(app, "create", changes=True)
def create(
    call: Call,
    name: Name,
    *,
    role: Annotated[list[str] | None, typer.Option(help="A role; may be given several times.")] = None,
    display_name: Annotated[
        str, typer.Option(help="How pages call the person. Else the name as typed.")
    ] = "",
    email: Email = None,
    full_name: FullName = None,
    password_stdin: FromStdin = False,
) -> Answer:
    """Create an account. Its password is made up and printed once, unless you bring one.

    Example: authserver account create alice --role staff
    """
    username, roles, shown = (
        canonical(name),
        checked_roles(role or []),
        _checked_display_name(display_name or name),
    )
    known = changes_of({}, email=email, full_name=full_name, claim=[])
    about = with_changes(Profile(), known, None, call.now)
    chosen = new_password(call, username, from_stdin=password_stdin)

    def step(db: Connection) -> Account:
        now = call.now
        made = store.create(db, username, display_name=shown, password_hash=chosen.hash, roles=roles, now=now)
        store.set_profile(db, made.id, about)
        detail = {"username": made.username, "roles": list(made.roles)}
        record(db, Entry("account.created", now, "operator", made.id, detail=detail))
        return made

    return _with_password(told(call.write(step), f"Created the account {username}."), chosen)


@verb(app, "list")
def list_accounts(
    call: Call,
    *,
    after: Annotated[str, typer.Option(help="Begin behind this name.", metavar="NAME")] = "",
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 100,
) -> Answer:
    """Show accounts in the order of their names.

    Example: authserver account list --limit 20
    """
    found = call.read(lambda db: store.page(db, after=after, limit=limit + 1))
    accounts, more = found[:limit], len(found) > limit
    header = ("name", "display name", "state", "roles", "created", "id")
    rows = [
        (
            one.username,
            one.display_name,
            state(one),
            ", ".join(one.roles),
            when(one.created_at, call.now),
            one.id,
        )
        for one in accounts
    ]
    body: list[str | Table] = [Table(header, rows)] if rows else ["There are no accounts."]
    if more:
        body.append(f"There are more: --after {accounts[-1].username}")
    return Answer({"accounts": [describe(one) for one in accounts], "more": more}, body)


@verb(app, "show")
def show(call: Call, name: Name) -> Answer:
    """Show one account and how many sessions it has.

    Example: authserver account show alice
    """
    username = canonical(name)

    def look(db: Connection) -> tuple[Account, int]:
        now = call.now
        account = found(db, username)
        seen_after = call.parts.lifetime.seen_after(now)
        return account, len(sessions.of_account(db, account.id, now=now, seen_after=seen_after))

    account, living = call.read(look)
    facts = {**describe(account), "sessions": living}
    rows = [(name.replace("_", " "), text(value, call.now)) for name, value in facts.items()]
    return Answer({"account": facts}, [Table((), rows)])


@verb(app, "disable", changes=True)
def disable(call: Call, name: Name, *, wait: Wait = PATIENCE) -> Answer:
    """Keep an account from signing in, and end its sessions and tokens.

    Example: authserver account disable alice
    """

    def change(db: Connection, account: Account, now: datetime) -> str:
        if account.disabled_at:
            return f"{account.username} is disabled already: nothing was changed."
        call.parts.consequences.disable(db, account, now)
        return f"Disabled {account.username}; its sessions and tokens have ended."

    return _change(call, name, change, wait)


@verb(app, "enable", changes=True)
def enable(call: Call, name: Name) -> Answer:
    """Let a disabled account sign in again.

    Example: authserver account enable alice
    """

    def change(db: Connection, account: Account, now: datetime) -> str:
        if account.disabled_at is None:
            return f"{account.username} is not disabled: nothing was changed."
        call.parts.consequences.enable(db, account, now)
        return f"Enabled {account.username}."

    return _change(call, name, change)


@verb(app, "set-password", changes=True)
def set_password(
    call: Call, name: Name, *, password_stdin: FromStdin = False, wait: Wait = PATIENCE
) -> Answer:
    """Set a new password, and end the account's sessions and tokens.

    Example: authserver account set-password alice --password-stdin < password.txt
    """
    username = canonical(name)
    call.read(lambda db: found(db, username))  # before somebody types a password for nobody
    chosen = new_password(call, username, from_stdin=password_stdin)

    def change(db: Connection, account: Account, now: datetime) -> str:
        call.parts.consequences.change_password(db, account, chosen.hash, now, "operator")
        return f"Changed the password of {account.username}; its sessions and tokens have ended."

    return _with_password(_change(call, name, change, wait), chosen)


@verb(app, "set-roles", changes=True)
def set_roles(
    call: Call,
    name: Name,
    roles: Annotated[list[str] | None, typer.Argument(metavar="[ROLE]...")] = None,
    *,
    none: Annotated[bool, typer.Option("--none", help="Take every role away.")] = False,
    wait: Wait = PATIENCE,
) -> Answer:
    """Give an account exactly these roles. Tokens that carry one it loses end now.

    Example: authserver account set-roles alice staff billing
    """
    if bool(roles) is none:
        raise Refused("name the roles that the account is to have, or --none to take all away", code=2)
    wanted = checked_roles(roles or [])

    def change(db: Connection, account: Account, now: datetime) -> str:
        if account.roles == wanted:
            return f"{account.username} has exactly these roles already: nothing was changed."
        call.parts.consequences.set_roles(db, account, wanted, now)
        return f"{account.username} has the roles: {', '.join(wanted) or 'none'}."

    return _change(call, name, change, wait)


@verb(app, "sign-out", changes=True)
def sign_out(call: Call, name: Name, *, wait: Wait = PATIENCE) -> Answer:
    """End every session and every token of an account; it may sign in again.

    Example: authserver account sign-out alice
    """

    def change(db: Connection, account: Account, now: datetime) -> str:
        ended = call.parts.consequences.sign_out(db, account, now)
        sessions_ended = f"{len(ended)} session{'' if len(ended) == 1 else 's'}"
        return f"Signed out {account.username}: {sessions_ended} and every token have ended."

    return _change(call, name, change, wait)


def checked_roles(roles: list[str]) -> tuple[str, ...]:
    """Answer roles in order, each once.

    :raises Refused: one of them would be misread in a token, a log or a shell.
    """
    for role in roles:
        if not role or len(role) > LONGEST_ROLE or not role.isprintable() or " " in role or "," in role:
            raise Refused(
                f"a role has 1 to {LONGEST_ROLE} visible characters without spaces and commas", code=2
            )
    return tuple(sorted(set(roles)))


def _change(call: Call, name: str, change: Change[str], wait: float = 0) -> Answer:
    """Find an account, hold it until the transaction ends, change it, and ask who has heard of what that ended."""
    username = canonical(name)

    def step(db: Connection) -> tuple[Account, str]:
        account = held(db, username)
        words = change(db, account, call.now)
        return found(db, username), words

    done, listed = call.write(noting(call, step))
    return with_heard(call, told(*done), listed, wait)


def _with_password(answer: Answer, chosen: NewPassword) -> Answer:
    if chosen.made_up is None:
        return answer
    told = ["", f"Password: {chosen.made_up}", "It is stored nowhere and not shown again."]
    return Answer({**answer.facts, "password": chosen.made_up}, [*answer.body, *told])


def _checked_display_name(text: str) -> str:
    if not text.strip() or len(text) > LONGEST_NAME or not text.isprintable():
        raise Refused(f"a display name has 1 to {LONGEST_NAME} visible characters", code=2)
    return text
