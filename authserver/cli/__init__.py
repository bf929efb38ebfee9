"""The command `authserver`: nouns first, one file for each, loaded when it is asked for.

Owns the words that an operator types, and how an answer looks to a person and to a program (`--json`).
Refuses rules and SQL of its own: a verb asks the capabilities and prints what they say.
"""


def main() -> None:
    """Run what the command line says; the exit code is 0 done, 1 the answer is no, 2 wrong usage or settings."""
    try:
        from authserver.cli.nouns import app  # noqa: PLC0415 - a resource service has the command, but not what it needs
    except ModuleNotFoundError as missing:
        raise SystemExit(
            f"authserver: this is the library alone (no {missing.name}). For the server and its commands:\n"
            '    pip install "authserver[server]"'
        ) from None
    app(prog_name="authserver")
