"""The command `authserver`: nouns first, one file for each, loaded when it is asked for.

Owns the words that an operator types, and how an answer looks to a person and to a program (`--json`).
Refuses rules and SQL of its own: a verb asks the capabilities and prints what they say.
"""

from authserver.cli.nouns import app


def main() -> None:
    """Run what the command line says; the exit code is 0 done, 1 the answer is no, 2 wrong usage or settings."""
    app(prog_name="authserver")
