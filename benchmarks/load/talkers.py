"""Helper processes that are talked to in lines of JSON; `with` makes sure that they end."""

import json
import subprocess
import sys
from types import TracebackType
from typing import Any, Self


class Talker:
    """One process of `python -m MODULE`."""

    def __init__(self, module: str, first: dict[str, Any]) -> None:
        command = (sys.executable, "-m", module)
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.tell(first)

    def tell(self, line: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(line) + "\n")
        self._process.stdin.flush()

    def hear(self) -> dict[str, Any]:
        """The next line; EOFError when the process has ended."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise EOFError("the process ended: why stands on standard error")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.communicate()
