"""`token`, `renew`, `introspect`, `discovery-peer`: the protocol endpoints, beside npm oidc-provider in the same rounds.

The peer keeps everything in the memory of one process and writes nothing; ours asks the database which client it is
each time, and a refresh is on the disk before it is answered. With two processes the peer's cannot know of each other's
refresh tokens, so there its one process is what ours are compared with.
"""

import base64
import os
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import partial
from itertools import count
from pathlib import Path
from typing import Final

from sqlalchemy import Connection

from authserver.authorizations.grants import Allowed
from authserver.capabilities import Capabilities, build
from authserver.clients import secrets
from authserver.clients import store as clients
from authserver.clients.store import Client
from authserver.opaque import hash_secret
from authserver.protocol import paths
from authserver.sessions.current import CurrentSessions
from benchmarks.goals import (
    DISCOVERY_PEER,
    INTROSPECT_PEER,
    PEER,
    RAW_SIGN,
    RENEW_ONE,
    RENEW_TWO,
    TOKEN_PEER,
    TOKEN_RAW,
    Goal,
    Judged,
)
from benchmarks.installation import Installation
from benchmarks.load import wrk
from benchmarks.peers import oidc_provider
from benchmarks.records import Record
from benchmarks.rounds import Measure, Sample, Samples, interleave, ratio
from benchmarks.rows.refresh import raw_signing
from benchmarks.stand import CONNECTIONS, Stand, with_cpu

OURS: Final = "authserver"
OURS_TWO: Final = "authserver, 2 workers"
PEER_TWO: Final = "oidc-provider, 2 processes"
CHUNK: Final = 64  # refresh tokens of one round: more than there are connections
CREDENTIALS: Final = "grant_type=client_credentials&scope=read+write"
NO_WRK: Final = "needs wrk (a Debian package)"

Ready = Callable[[str, int], Measure]


def token(stand: Stand) -> list[Record]:
    """client_credentials for an RS256 token, on one and two workers."""
    if not wrk.available():
        return [Record(work="token", subject=OURS, note=NO_WRK)]
    subjects: dict[str, Measure] = {}
    with ExitStack() as ends:
        for workers, name in ((1, OURS), (2, OURS_TWO)):
            installed = stand.installed()
            secret = _registered(installed)
            server = ends.enter_context(stand.serving(installed, workers=workers))
            subjects[name] = with_cpu(
                server, partial(_post, server.origin + paths.TOKEN, CREDENTIALS, _basic("service", secret))
            )
            if workers == 1:
                subjects[RAW_SIGN] = raw_signing(installed)
        for workers, name in ((1, PEER), (2, PEER_TWO)):
            if (package := oidc_provider.installed()) is not None:
                server, secret = ends.enter_context(
                    oidc_provider.serving(package, stand.folder(), workers=workers)
                )
                body, auth = (
                    CREDENTIALS + "&resource=https%3A%2F%2Fapi.example.com",
                    _basic("service", secret),
                )
                subjects[name] = with_cpu(server, partial(_post, server.origin + "/token", body, auth))
        taken = interleave(subjects, stand.rounds, stand.seconds)
    cores = os.cpu_count() or 1
    of_raw = ratio(taken[OURS_TWO], _times(taken[RAW_SIGN], cores))
    judged = [Judged(TOKEN_RAW, of_raw, _errors(taken[OURS_TWO]))]
    return _records("token", taken, {OURS_TWO: judged}, {OURS_TWO: (TOKEN_PEER, PEER_TWO)})


def renew(stand: Stand) -> list[Record]:
    """grant_type=refresh_token with rotation, an access token and an ID token."""
    if not wrk.available():
        return [Record(work="renew", subject=OURS, note=NO_WRK)]
    subjects: dict[str, Measure] = {}
    wanted = CHUNK * (stand.rounds + 1)
    with ExitStack() as ends:
        for workers, name in ((1, OURS), (2, OURS_TWO)):
            installed = stand.installed(people=1)
            secret, seed = _registered(installed), _seeded(installed, wanted)
            server = ends.enter_context(stand.serving(installed, workers=workers))
            subjects[name] = with_cpu(server, _refreshing(server.origin + paths.TOKEN, secret, seed))
        if (package := oidc_provider.installed()) is not None:
            subjects[PEER] = partial(_refreshing_peer, package, stand)
        taken = interleave(subjects, stand.rounds, stand.seconds)
    return _records("renew", taken, {}, {OURS: (RENEW_ONE, PEER), OURS_TWO: (RENEW_TWO, PEER)})


def introspect(stand: Stand) -> list[Record]:
    """One access token again and again: ours verifies its signature and asks its list, the peer looks a string up."""
    if not wrk.available():
        return [Record(work="introspect", subject=OURS, note=NO_WRK)]
    subjects: dict[str, Measure] = {}
    with ExitStack() as ends:
        installed = stand.installed()
        secret = _registered(installed)
        server = ends.enter_context(stand.serving(installed))
        asked = _token(server.origin + paths.TOKEN, CREDENTIALS, _basic("service", secret))
        subjects[OURS] = with_cpu(
            server,
            partial(_post, server.origin + paths.INTROSPECT, f"token={asked}", _basic("service", secret)),
        )
        if (package := oidc_provider.installed()) is not None:
            server, secret = ends.enter_context(oidc_provider.serving(package, stand.folder(), opaque=True))
            asked = _token(server.origin + "/token", CREDENTIALS, _basic("service", secret))
            url = server.origin + "/token/introspection"
            subjects[PEER] = with_cpu(
                server, partial(_post, url, f"token={asked}", _basic("service", secret))
            )
        taken = interleave(subjects, stand.rounds, stand.seconds)
    return _records("introspect", taken, {}, {OURS: (INTROSPECT_PEER, PEER)})


def discovery_peer(stand: Stand) -> list[Record]:
    """The discovery document beside the peer's."""
    if not wrk.available():
        return [Record(work="discovery-peer", subject=OURS, note=NO_WRK)]
    subjects: dict[str, Measure] = {}
    with ExitStack() as ends:
        ours = ends.enter_context(stand.serving(stand.installed()))
        subjects[OURS] = with_cpu(ours, partial(_get, ours.origin + paths.OPENID_CONFIGURATION))
        if (package := oidc_provider.installed()) is not None:
            peer, _ = ends.enter_context(oidc_provider.serving(package, stand.folder()))
            subjects[PEER] = with_cpu(peer, partial(_get, peer.origin + paths.OPENID_CONFIGURATION))
        taken = interleave(subjects, stand.rounds, stand.seconds)
    return _records("discovery-peer", taken, {}, {OURS: (DISCOVERY_PEER, PEER)})


def _records(
    work: str,
    taken: Mapping[str, Samples],
    judged: Mapping[str, list[Judged]],
    against: Mapping[str, tuple[Goal, str]],
) -> list[Record]:
    records = []
    for name, samples in taken.items():
        found, ratios = list(judged.get(name, ())), {}
        goal, other = against.get(name, (None, ""))
        if goal is not None and other in taken:
            ratios[other] = ratio(samples, taken[other])
            found.append(Judged(goal, ratios[other], _errors(samples)))
        note = oidc_provider.LEFT_OUT if goal is not None and other not in taken else ""
        records.append(
            Record(work=work, subject=name, samples=samples, ratios=ratios, judged=tuple(found), note=note)
        )
    return records


def _errors(samples: Samples) -> int:
    return sum(sample.errors for sample in samples)


def _times(samples: Samples, factor: int) -> Samples:
    return tuple(Sample(sample.per_second * factor, operations=sample.operations) for sample in samples)


def _registered(installed: Installation) -> str:
    """Register a client for each grant; answer the secret of both."""
    parts = build(installed.settings)
    now = parts.clock.now()

    def client(name: str, *grants: str) -> Client:
        return Client(
            client_id=name,
            client_name="Bench",
            scope="openid offline_access read write",
            grant_types=grants,
            registered_by="operator",
            created_at=now,
        )

    def step(db: Connection) -> str:
        service, web = (
            client("service", "client_credentials"),
            client("web", "authorization_code", "refresh_token"),
        )
        for made in (service, web):
            clients.add(db, made)
        secret = secrets.issue(db, web, now)
        clients.add_secret(db, service.client_id, hash_secret(secret), now=now)
        return secret

    secret = parts.database.write(step)
    parts.database.close()
    return secret


def _seeded(installed: Installation, wanted: int) -> Path:
    """Write a file of refresh tokens, each of an authorization of its own."""
    parts = build(installed.settings)
    current = CurrentSessions(parts.lifetime, parts.clock)
    tokens = parts.database.write(
        lambda db: [_refresh_token(db, parts, current, installed) for _ in range(wanted)]
    )
    parts.database.close()
    file = Path(installed.chosen["data"]) / "seed"
    file.write_text("\n".join(tokens) + "\n")
    return file


def _refresh_token(
    db: Connection, parts: Capabilities, current: CurrentSessions, installed: Installation
) -> str:
    who = current.find(db, installed.secrets[0])
    assert who is not None
    allowed = Allowed(
        client_id="web",
        scope="openid read write",
        audience=(installed.settings.issuer,),
        redirect_uri=None,
        code_challenge=None,
        nonce=None,
        claims={},
        key_thumbprint=None,
        sector=None,
        offline=False,
    )
    code = parts.grants.issue_code(db, allowed, who)
    live = parts.grants.find_code(db, code, "web", who.at)
    assert live is not None
    claimed = parts.grants.use_code(db, live, refreshable=True)
    assert claimed is not None
    return str(claimed[0])


def _refreshing(url: str, secret: str, seed: Path) -> Measure:
    """Refresh with other tokens in each round: those that were under way when one ends are lost."""
    tokens, numbers = seed.read_text().split(), count()

    def measure(seconds: float) -> Sample:
        number = next(numbers)
        chunk = seed.with_name(f"seed-{number}")
        chunk.write_text("\n".join(tokens[number * CHUNK : (number + 1) * CHUNK]) + "\n")
        environment = {"SEED": str(chunk), "AUTH": _basic("web", secret)}
        return wrk.measure(url, CONNECTIONS, seconds, "refresh.lua", environment)

    return measure


def _refreshing_peer(package: Path, stand: Stand, seconds: float) -> Sample:
    """Start the peer anew for each round: its memory keeps a thousand things, and forgets the seeds of the next one."""
    scratch = stand.folder()
    with oidc_provider.serving(package, scratch, seeded=CHUNK) as (server, secret):
        return _refreshing(server.origin + "/token", secret, scratch / "seed")(seconds)


def _post(url: str, body: str, auth: str, seconds: float) -> Sample:
    return wrk.measure(url, CONNECTIONS, seconds, "post.lua", {"BODY": body, "AUTH": auth})


def _get(url: str, seconds: float) -> Sample:
    return wrk.measure(url, CONNECTIONS, seconds)


def _basic(name: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode()


def _token(url: str, body: str, auth: str) -> str:
    import json  # noqa: PLC0415 - for one request
    import urllib.request  # noqa: PLC0415 - as above

    asked = urllib.request.Request(url, body.encode(), {"Authorization": auth})
    with urllib.request.urlopen(asked, timeout=10) as answer:
        return str(json.load(answer)["access_token"])
