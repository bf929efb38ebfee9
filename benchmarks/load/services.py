"""A process of resource services: guards that follow one issuer, each as a service of its own would.

Reads one line of JSON, `{"issuer", "count"}`, writes `{"ready": count}`. Then for each line `{"token"}` it asks every
guard for its verdict again and again, and writes `{"refused_at": [...]}`: when each first refused it, by the machine's
monotonic clock. Between two rounds of questions it rests for a millisecond: the guards' threads need the processor.
"""

import json
import sys
import time
from typing import Any, Final

from authserver.resource.guard import Guard, PlainRequest
from authserver.resource.principal import Principal

REST: Final = 0.001
PATIENCE: Final = 20.0


def main() -> None:
    told = json.loads(sys.stdin.readline())
    guards = [Guard(told["issuer"], audience=told["issuer"]) for _ in range(told["count"])]
    say({"ready": len(guards)})
    for line in sys.stdin:
        answer(guards, json.loads(line))


def answer(guards: list[Guard], asked: dict[str, Any]) -> None:
    """`warm`: until every guard accepts the token and follows the list; else until every guard refuses it."""
    request = PlainRequest("GET", {"authorization": f"Bearer {asked['token']}"})
    if asked.get("warm"):
        say({"accepted": all(isinstance(guard.authenticate(request), Principal) for guard in guards)})
        return
    refused_at: dict[int, float] = {}
    ends_at = time.monotonic() + PATIENCE
    while len(refused_at) < len(guards) and time.monotonic() < ends_at:
        for number, guard in enumerate(guards):
            if number not in refused_at and not isinstance(guard.authenticate(request), Principal):
                refused_at[number] = time.monotonic()
        time.sleep(REST)
    say({"refused_at": list(refused_at.values())})


def say(line: dict[str, Any]) -> None:
    print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
