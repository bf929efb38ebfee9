"""kill -9 of the login service in mid-stream, while resource services verify under load (issue 3, Done when 4)."""

from time import monotonic

from tests.faults.contract import (
    NEWS,
    RECOVERY,
    gap_was_caught_up_by_deltas,
    longest_pause,
    no_sign_out_was_forgotten,
    no_valid_token_was_refused,
)
from tests.faults.login import Server, people, sign_out_until, tokens
from tests.faults.running_services import MAX_STALENESS, STRICT, Service
from tests.faults.verdicts import ACCEPTED, SIGNED_OUT, STALE
from tests.processes import until


def test_a_server_killed_amid_sign_outs_has_forgotten_none_that_it_acknowledged(server: Server) -> None:
    everybody = people(server.port, 16)
    leaving = dict(list(everybody.items())[:12])
    staying = everybody.keys() - leaving.keys() - {"person12"}
    with Service(server.origin) as service:
        service.warm(tokens(everybody))
        acknowledged = sign_out_until(server.kill, 5, leaving, server.port)
        killed = monotonic()
        server.start()
        acknowledged["person12"] = server.command("session", "end", everybody["person12"].sid, "--wait", "0")
        back = server.wait()
        until(
            lambda: service.all_say(SIGNED_OUT, acknowledged) and service.all_say(ACCEPTED, staying),
            within=RECOVERY,
        )
        until(service.streams, within=RECOVERY)
    assert len(acknowledged) < len(leaving)
    no_valid_token_was_refused(service, staying)
    no_sign_out_was_forgotten(service, acknowledged, back=back, pause=longest_pause(killed, back))
    gap_was_caught_up_by_deltas(service, since=killed)
    assert service.record.verifications > 1_000


def test_while_the_server_is_dead_a_strict_guard_says_503_in_time_and_a_lenient_one_goes_on(
    server: Server,
) -> None:
    everybody = people(server.port, 2)
    with Service(server.origin) as service:
        service.warm(tokens(everybody))
        killed = server.kill()
        until(lambda: all(service.record.now(name, STRICT) == STALE for name in everybody))
    no_valid_token_was_refused(service, everybody)
    for name in everybody:
        accepted, stale = service.record.spells(name, STRICT)
        assert (accepted.verdict.status, stale.verdict.status) == (200, 503)
        assert accepted.until - killed < MAX_STALENESS + NEWS
