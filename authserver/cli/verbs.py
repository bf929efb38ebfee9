"""What all verbs share, written once: `--data`, `--config`, `--json`, `--dry-run`, exit codes and clear failures.

A verb is a function of a `Call` and its own parameters that returns an `Answer`:

    @verb(app, "list")
    def list_accounts(call: Call, limit: Limit = 100) -> Answer: ...
"""

import functools
import inspect
import re
from collections.abc import Callable, Mapping
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Concatenate, Final, ParamSpec

import typer
from typer.core import TyperCommand

from authserver.cli.answers import Answer, Refused, show, show_failure
from authserver.cli.call import Call, Surroundings

if TYPE_CHECKING:
    from authserver.database import Database

P = ParamSpec("P")
Verb = Callable[Concatenate[Call, P], Answer]

Data = Annotated[
    Path | None, typer.Option("--data", help="Folder of the data. Else AUTHSERVER_DATA.", metavar="DIR")
]
Config = Annotated[
    Path | None,
    typer.Option(
        "--config",
        help="A TOML file. Else AUTHSERVER_CONFIG, or authserver.toml in the data.",
        metavar="FILE",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Answer as JSON.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would happen, and change nothing.")]

DASHED_ID: Final = re.compile(r"-(?:[\w-]{21}|[\w-]{42})", re.ASCII)  # opaque.new_id; an RFC 7638 thumbprint
LONG_LINE: Final = 1_000  # in a list of commands: the whole first sentence, folded and not cut
BARE: Final = {"--wait": "60"}  # seconds

ALONE: Final = {
    "as_json": (AsJson, False)
}  # for what needs no settings: a path among them would load pydantic
SHARED: Final = {"data": (Data, None), "config": (Config, None), **ALONE}
CHANGING: Final = {"dry_run": (DryRun, False), **SHARED}


class IdsAreArguments(TyperCommand):
    """Ids and kids are base64url: one in 64 begins with a dash, and must not be taken for an option."""

    def get_short_help_str(self, limit: int = LONG_LINE) -> str:
        return super().get_short_help_str(max(limit, LONG_LINE))

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        known = {option for parameter in self.params for option in parameter.opts}
        end = args.index("--") if "--" in args else len(args)
        args = [*_with_bare_values(args[:end], known), *args[end:]]
        end = args.index("--") if "--" in args else len(args)
        ids = [word for word in args[:end] if DASHED_ID.fullmatch(word) and word not in known]
        others = [word for word in args[:end] if word not in ids]
        return super().parse_args(ctx, [*others, "--", *ids, *args[end + 1 :]])


def _with_bare_values(args: list[str], known: set[str]) -> list[str]:
    """Give `--wait` a value where none follows: Typer has no options with a value that may be left out."""
    given: list[str] = []
    for word, following in pairwise([*args, ""]):
        given.append(word)
        if word in BARE.keys() & known and not re.fullmatch(r"[\d.]+", following):
            given.append(BARE[word])
    return given


def verb(app: typer.Typer, name: str, *, changes: bool = False) -> Callable[[Verb[P]], Verb[P]]:
    """Register a function as a verb. `changes` gives it `--dry-run`, which `Call.write` obeys."""

    def register(function: Verb[P]) -> Verb[P]:
        app.command(name, cls=IdsAreArguments)(command(function, CHANGING if changes else SHARED))
        return function

    return register


def command(function: Callable[..., Answer], shared: Mapping[str, Any] = SHARED) -> Callable[..., None]:
    """Wrap a verb as a plain function that Typer can read: its own parameters, then the shared ones."""

    def run(ctx: typer.Context, **given: Any) -> None:
        raise typer.Exit(_run(function, ctx.obj, given))

    own = list(inspect.signature(function).parameters.values())[1:]
    run.__doc__ = function.__doc__
    run.__signature__ = inspect.Signature([_CONTEXT, *own, *_parameters(shared)])  # type: ignore[attr-defined]
    return run


def _run(function: Callable[..., Answer], world: Any, given: dict[str, Any]) -> int:
    as_json, dry_run = given.pop("as_json"), given.pop("dry_run", False)
    surroundings = world if isinstance(world, Surroundings) else Surroundings()
    data, config = given.pop("data"), given.pop("config")
    call = Call(surroundings, data=data, config=config, dry_run=dry_run, quiet=as_json)
    try:
        _refuse_undecodable(given)
        answer = function(call, **given)
    except Exception as error:  # noqa: BLE001 - what nobody expected is raised again
        return _failed(error, call.database, as_json=as_json)
    finally:
        call.close()
    show(answer, as_json=as_json, dry_run=dry_run)
    return answer.code


def guarded(function: Callable[P, None]) -> Callable[P, None]:
    """Give a plain command (`dev`, `serve`) the verbs' clear failures."""

    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            function(*args, **kwargs)
        except (typer.Exit, typer.Abort):
            raise
        except Exception as error:  # noqa: BLE001 - as above
            raise typer.Exit(_failed(error, None, as_json=False)) from None

    return run


def _failed(error: Exception, database: "Database | None", *, as_json: bool) -> int:
    """Print an expected failure and answer its exit code; raise what nobody expected."""
    from authserver.cli.failures import explain  # noqa: PLC0415 - knows every capability's errors, so it is heavy

    failure = explain(error, database)
    if failure is None:
        raise error
    show_failure(failure.problems, as_json=as_json)
    return failure.code


def _refuse_undecodable(given: dict[str, Any]) -> None:
    """Bytes that are no text arrive as half characters, which neither database takes."""
    for value in given.values():
        for text in value if isinstance(value, list) else [value]:
            if isinstance(text, str) and not text.isascii() and text != text.encode(errors="ignore").decode():
                raise Refused("an argument is not valid UTF-8", code=2)


def _parameters(shared: Mapping[str, Any]) -> list[inspect.Parameter]:
    return [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
        for name, (annotation, default) in shared.items()
    ]


_CONTEXT: Final = inspect.Parameter("ctx", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context)
