"""`authserver version`."""

import platform

from authserver import __version__
from authserver.cli.answers import Answer
from authserver.cli.call import Call
from authserver.cli.verbs import command


def _version(_call: Call) -> Answer:
    """Say which release this is.

    Example: authserver version --json
    """
    python = platform.python_version()
    return Answer({"version": __version__, "python": python}, [f"authserver {__version__} (Python {python})"])


version = command(_version)
