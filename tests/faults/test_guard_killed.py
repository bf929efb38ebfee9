"""kill -9 of a resource service in mid-stream: started again it knows nothing, and lets nobody in by that."""

from math import inf
from time import monotonic

from tests.faults.contract import RECOVERY, no_sign_out_was_forgotten, no_valid_token_was_refused
from tests.faults.login import Server, people, sign_out_until, tokens
from tests.faults.running_services import Service
from tests.faults.verdicts import ACCEPTED, SIGNED_OUT, UNAVAILABLE
from tests.processes import until


def test_a_guard_killed_amid_sign_outs_refuses_them_at_its_first_word_when_it_is_back(server: Server) -> None:
    everybody = people(server.port, 12)
    leaving = dict(list(everybody.items())[:8])
    staying = everybody.keys() - leaving.keys()
    with Service(server.origin) as killed:
        killed.warm(tokens(everybody))
        acknowledged = sign_out_until(killed.kill, 3, leaving, server.port)
    assert acknowledged.keys() == leaving.keys(), "the server did not mind"
    with Service(server.origin) as service:
        began = monotonic()
        service.watch(tokens(everybody))
        until(lambda: service.all_say(SIGNED_OUT, leaving) and service.all_say(ACCEPTED, staying))
        until(service.streams)
    no_valid_token_was_refused(killed, staying)
    no_sign_out_was_forgotten(killed, acknowledged)
    no_valid_token_was_refused(service, staying)
    for name in leaving:
        assert {service.record.accepted_until(name, guard) for guard in service.guards} == {-inf}
    for guard in service.guards:
        assert service.record.forms(guard, since=began) == ["snapshot"], "one fetch of the whole list"


def test_a_guard_that_starts_while_its_issuer_is_dead_says_503_and_never_guesses(server: Server) -> None:
    everybody = people(server.port, 2)
    leaving, staying = everybody
    assert everybody[leaving].sign_out(server.port)
    server.kill()
    with Service(server.origin) as service:
        service.watch(tokens(everybody))
        until(lambda: service.all_say(UNAVAILABLE, everybody))
        server.start()
        server.wait()
        until(
            lambda: service.all_say(SIGNED_OUT, [leaving]) and service.all_say(ACCEPTED, [staying]),
            within=RECOVERY,
        )
    assert service.record.unauthorized([staying]) == []
    for guard in service.guards:
        said = [spell.verdict.verdict for spell in service.record.spells(leaving, guard)]
        assert said == [UNAVAILABLE, SIGNED_OUT]
        assert [spell.verdict.status for spell in service.record.spells(staying, guard)] == [503, 200]
