"""`python3 dev.py bench [NAME…]`: measure, show the ratios, and hold them against the goals. Start reading here."""

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from authserver.capabilities import Outside
from benchmarks import machine, postgres, report
from benchmarks.records import Record, as_json
from benchmarks.rows.cold import cold
from benchmarks.rows.documents import discovery, jwks
from benchmarks.rows.guard import guard
from benchmarks.rows.logout import logout
from benchmarks.rows.mint import mint
from benchmarks.rows.oauth import discovery_peer, introspect, renew, token
from benchmarks.rows.refresh import refresh
from benchmarks.rows.revoked import revoked
from benchmarks.rows.sign_in import sign_in
from benchmarks.rows.start import memory, start
from benchmarks.rows.streams import streams
from benchmarks.rows.writers import writers
from benchmarks.stand import CONNECTIONS, Stand

Row = Callable[[Stand], list[Record]]

ROWS: Final[dict[str, Row]] = {
    "jwks": jwks,
    "discovery": discovery,
    "mint": mint,
    "guard": guard,
    "sign-in": sign_in,
    "refresh": refresh,
    "token": token,
    "renew": renew,
    "introspect": introspect,
    "discovery-peer": discovery_peer,
    "start": start,
    "memory": memory,
    "writers": writers,
    "logout": logout,
    "streams": streams,
    "revoked": revoked,
    "cold": cold,
}
DESCRIPTION: Final = """Measure the server and its library against what they could be at best: as ratios within one
run, in interleaved rounds. Servers are started on free loopback ports and ended; nothing is kept but --json FILE."""


def main(arguments: Sequence[str] | None = None, outside: Outside | None = None) -> int:
    """Run the chosen rows; 0 when all could be measured, whatever they found.

    :param outside: a test's own key pairs and cheap hashes.
    """
    options = _parser().parse_args(arguments)
    chosen = {name: ROWS[name] for name in (options.name or ROWS)}
    records = _measure(chosen, options.rounds, options.seconds, outside)
    print("\ngoals")
    left_out = [] if postgres.available() else [postgres.LEFT_OUT]
    print(*report.goals([each for record in records for each in record.judged], chosen, left_out), sep="\n")
    if options.json:
        content = [entry for record in records for entry in as_json(record)]
        options.json.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")
    return 0


def _measure(chosen: dict[str, Row], rounds: int, seconds: float, outside: Outside | None) -> list[Record]:
    records: list[Record] = []
    folder = Path(tempfile.mkdtemp(prefix="authserver-bench-"))
    try:
        with ExitStack() as ends:
            print(*machine.description(folder, rounds, seconds, CONNECTIONS), sep="\n")
            stand = Stand(folder, rounds=rounds, seconds=seconds, ends=ends, outside=outside)
            for name, measure in chosen.items():
                print(f"\n{name}", flush=True)
                found = measure(stand)
                print(*report.row(found), sep="\n", flush=True)
                records += found
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return records


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("dev.py bench", description=DESCRIPTION)
    names = f"rows to measure; default: all of {', '.join(ROWS)}"
    parser.add_argument("name", nargs="*", type=_row, metavar="NAME", help=names)
    parser.add_argument(
        "--rounds", type=_count, default=3, metavar="N", help="interleaved rounds (default 3)"
    )
    parser.add_argument(
        "--seconds", type=_seconds, default=2.0, metavar="S", help="of each subject in each round (2)"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write what was found as JSON")
    return parser


def _row(text: str) -> str:
    if text not in ROWS:
        raise argparse.ArgumentTypeError(f"there is no row {text!r}; choose of {', '.join(ROWS)}")
    return text


def _count(text: str) -> int:
    if not 1 <= int(text) <= 100:
        raise argparse.ArgumentTypeError("between 1 and 100")
    return int(text)


def _seconds(text: str) -> float:
    if not 0 < float(text) <= 60:
        raise argparse.ArgumentTypeError("more than 0 and at most 60")
    return float(text)


if __name__ == "__main__":
    sys.exit(main())
