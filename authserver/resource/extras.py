"""What an adapter needs beside us, and the command that installs it: a bare ModuleNotFoundError names neither."""

from types import TracebackType
from typing import Final

FRAMEWORKS: Final = {
    "fastapi": "fastapi",
    "flask": "flask",
    "django": "django",
    "rest_framework": "django",
}  # the extra of each


class Needs:
    """Around an adapter's imports: `with Needs("flask"): from flask import Flask`."""

    def __init__(self, framework: str) -> None:
        self._framework = framework

    def __enter__(self) -> None:
        """Nothing to do before."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, ModuleNotFoundError) and error.name == self._framework:
            extra = FRAMEWORKS[self._framework]
            raise ModuleNotFoundError(
                f'{self._framework} is not installed: pip install "authserver[{extra}]"', name=error.name
            ) from None
