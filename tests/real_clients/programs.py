"""A program in node that goes a journey with one library. It and the test talk in lines of JSON."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

END_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Program:
    """A running program."""

    process: subprocess.Popen[str]
    errors: Path
    told: list[dict[str, Any]] = field(default_factory=list)

    def hears(self, facts: dict[str, Any]) -> None:
        assert self.process.stdin
        self.process.stdin.write(json.dumps(facts) + "\n")
        self.process.stdin.flush()

    def tells(self, step: str) -> dict[str, Any]:
        """Wait for the program's next line, which has to be about this step."""
        assert self.process.stdout
        line = self.process.stdout.readline()
        assert line, f"ended before {step!r}, after {self.told}:\n{self.errors.read_text()}"
        self.told.append(json.loads(line))
        assert self.told[-1].pop("step") == step
        return self.told[-1]

    def ends_well(self) -> None:
        rest, _ = self.process.communicate(timeout=END_SECONDS)
        assert (rest, self.process.returncode) == ("", 0), self.errors.read_text()


@contextmanager
def program(node: str, file: Path, errors: Path) -> Iterator[Program]:
    """Run it; what it says of its end is in `errors`."""
    with errors.open("w") as stderr:
        process = subprocess.Popen(
            (node, str(file)), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr, text=True
        )
    with process:
        try:
            yield Program(process, errors)
        finally:
            process.kill()
