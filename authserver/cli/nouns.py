"""The table of contents of the command line, and the way to load only what was asked for.

`authserver version` and `authserver --help` answer in a tenth of a second: the root knows each noun's name and its
line of help, and imports the noun's file (with the database and the cryptography behind it) when a verb is run.
"""

import json
from importlib import import_module
from typing import Any, Final

import typer
from typer.core import TyperGroup
from typer.exceptions import TyperException
from typer.main import get_command

from authserver.cli.verbs import LONG_LINE, guarded

NOUNS: Final = {
    "dev": "Run a login service with demo data on this machine, to try it.",
    "serve": "Run the login service.",
    "keys": "The signing keys: what they do, when they change, and changing them now.",
    "account": "Accounts: who may sign in.",
    "client": "Clients: the apps and services that people sign in to, and what each may do.",
    "session": "Sessions: which browsers are signed in.",
    "delivery": "Telling apps of logouts: who has heard, who has not, and trying again.",
    "revocation": "The revocation list: what ends tokens before their time.",
    "service": "The services that follow the list: which keys they have, and who has heard of what.",
    "token": "Access tokens: what one says, and whether it is good.",
    "audit": "The audit log: who did what, and whether the log is whole.",
    "db": "The database: its schema and the way to it.",
    "maintenance": "The recurring jobs, at once.",
    "config": "The settings: what they are, and what is wrong with them.",
    "health": "Ask a running server whether it is ready.",
    "version": "Say which release this is.",
}


class Noun(TyperGroup):
    """A line of the table of contents, folded and not cut."""

    def get_short_help_str(self, limit: int = LONG_LINE) -> str:
        return super().get_short_help_str(max(limit, LONG_LINE))


class Nouns(TyperGroup):
    """The root. Its commands are names with a line of help; the real one is loaded when it is run."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        name, stand_in, rest = super().resolve_command(ctx, args)
        return name, stand_in and loaded(str(name)), rest

    def invoke(self, ctx: Any) -> Any:
        """Run, and answer a usage error as JSON to whoever asked for JSON."""
        said = [*ctx._protected_args, *ctx.args]  # noqa: SLF001 - Click keeps the words there until they are used
        try:
            return super().invoke(ctx)
        except TyperException as error:
            if "--json" not in said:
                raise
            typer.echo(json.dumps({"error": error.format_message()}), err=True)
            raise typer.Exit(error.exit_code) from None


def plain_app(**more: Any) -> typer.Typer:
    """Make an app without boxes and markup in its help, and without local variables in a traceback: secrets."""
    return typer.Typer(
        cls=more.pop("cls", Noun),
        rich_markup_mode=None,
        pretty_exceptions_show_locals=False,
        add_completion=False,
        no_args_is_help=True,
        **more,
    )


def noun(name: str) -> typer.Typer:
    """Make the app of one noun; it stays a group of verbs though it has but one."""
    made = plain_app(help=NOUNS[name])
    made.callback()(lambda: None)
    return made


def loaded(name: str) -> Any:
    """Import a noun's file: a group in its `app`, or a single command that is called like the file."""
    module = import_module(f"authserver.cli.{name}")
    made = getattr(module, "app", None)
    if made is None:
        made = plain_app()
        made.command(name)(guarded(getattr(module, name)))
    return get_command(made)


def _root() -> typer.Typer:
    root = plain_app(
        cls=Nouns, help="Sign in once. Verify anywhere with a public key. Log out everywhere, now."
    )
    root.callback()(lambda: None)
    for name, line in NOUNS.items():
        root.add_typer(plain_app(help=line), name=name)
    return root


app: Final = _root()
