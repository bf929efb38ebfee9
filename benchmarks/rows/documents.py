"""`jwks`, `discovery`: a document from memory, against a bare ASGI application that answers the same bytes."""

from functools import partial

from authserver.protocol import paths
from benchmarks.bare import copy_answer
from benchmarks.goals import BARE, DISCOVERY, JWKS, Goal, Judged
from benchmarks.load import wrk
from benchmarks.load.plan import Plan, request, send
from benchmarks.processes import Server, free_port, uvicorn
from benchmarks.records import Record
from benchmarks.rounds import Sample, interleave, ratio
from benchmarks.stand import CONNECTIONS, Stand, with_cpu

OURS = "authserver"


def jwks(stand: Stand) -> list[Record]:
    return _document(stand, paths.JWKS, JWKS)


def discovery(stand: Stand) -> list[Record]:
    return _document(stand, paths.OPENID_CONFIGURATION, DISCOVERY)


def _document(stand: Stand, path: str, goal: Goal) -> list[Record]:
    installed, folder = stand.installed(), stand.folder()
    folder.mkdir()
    with stand.serving(installed) as ours:
        kept = copy_answer(ours.port, path, folder / "answer.json")
        log = folder / "server.log"
        with uvicorn("benchmarks.bare:create", free_port(), kept, log, ready=path) as bare:
            servers = {OURS: ours, BARE: bare}
            subjects = {
                name: with_cpu(server, partial(_measure, server, path)) for name, server in servers.items()
            }
            taken = interleave(subjects, stand.rounds, stand.seconds)
            memory = {name: server.memory().rss_mb for name, server in servers.items()}
    found = ratio(taken[OURS], taken[BARE])
    errors = sum(sample.errors for sample in taken[OURS])
    return [
        Record(
            work=goal.row,
            subject=OURS,
            workers=1,
            samples=taken[OURS],
            rss_mb=memory[OURS],
            ratios={BARE: found},
            judged=(Judged(goal, found, errors),),
        ),
        Record(work=goal.row, subject=BARE, workers=1, samples=taken[BARE], rss_mb=memory[BARE]),
    ]


def _measure(server: Server, path: str, seconds: float) -> Sample:
    if wrk.available():
        return wrk.measure(server.origin + path, CONNECTIONS, seconds)
    wanted = [[request("GET", path, server.port)]] * CONNECTIONS
    return send(Plan(port=server.port, requests=wanted, seconds=seconds)).sample()
