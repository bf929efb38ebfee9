"""kill -9 of PostgreSQL in mid-stream, and of PostgreSQL and the login service together: no sign-out is lost."""

from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import pytest

from authserver.protocol import paths
from tests.faults.contract import (
    RECOVERY,
    gap_was_caught_up_by_deltas,
    longest_pause,
    no_sign_out_was_forgotten,
    no_valid_token_was_refused,
)
from tests.faults.login import Server, give_keys, people, sign_out_until, tokens
from tests.faults.postgres import MortalPostgreSQL, mortal_postgresql
from tests.faults.running_services import Service
from tests.faults.verdicts import ACCEPTED, SIGNED_OUT
from tests.processes import free_ports, status, until


@pytest.fixture(scope="module")
def postgresql() -> Iterator[MortalPostgreSQL]:
    with mortal_postgresql() as running:
        yield running


@pytest.fixture
def server(postgresql: MortalPostgreSQL, tmp_path: Path) -> Iterator[Server]:
    with postgresql.clone() as url:
        give_keys(tmp_path, database_url=url)
        with Server(tmp_path, free_ports(), database_url=url) as running:
            yield running


def test_sign_outs_that_were_acknowledged_when_postgresql_was_killed_are_kept_and_the_others_told_no(
    server: Server, postgresql: MortalPostgreSQL
) -> None:
    everybody = people(server.port, 16)
    leaving = dict(list(everybody.items())[:12])
    staying = everybody.keys() - leaving.keys()
    late = min(staying)
    with Service(server.origin) as service:
        service.warm(tokens(everybody))
        acknowledged = sign_out_until(postgresql.kill, 5, leaving, server.port)
        killed = monotonic()
        assert everybody[late].sign_out(server.port) is None, "without its database it does not say yes"
        assert status(server.port, paths.JWKS) == 200
        postgresql.start()
        back = until(lambda: everybody[late].sign_out(server.port))
        assert back is not None
        acknowledged[late] = back
        until(lambda: service.all_say(SIGNED_OUT, acknowledged))
    staying.remove(late)
    no_valid_token_was_refused(service, staying)
    no_sign_out_was_forgotten(service, acknowledged, back=back)
    gap_was_caught_up_by_deltas(service, since=killed)


def test_a_sign_out_acknowledged_just_before_server_and_postgresql_were_killed_is_kept(
    server: Server, postgresql: MortalPostgreSQL
) -> None:
    everybody = people(server.port, 10)
    leaving = dict(list(everybody.items())[:8])
    staying = everybody.keys() - leaving.keys()

    def kill_both() -> None:
        server.kill()
        postgresql.kill()

    with Service(server.origin) as service:
        service.warm(tokens(everybody))
        acknowledged = sign_out_until(kill_both, 4, leaving, server.port)
        killed = monotonic()
        postgresql.start()
        server.start()
        back = server.wait()
        until(
            lambda: service.all_say(SIGNED_OUT, acknowledged) and service.all_say(ACCEPTED, staying),
            within=RECOVERY,
        )
    no_valid_token_was_refused(service, staying)
    no_sign_out_was_forgotten(service, acknowledged, back=back, pause=longest_pause(killed, back))
