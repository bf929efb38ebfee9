"""Who lacks a key."""

from datetime import timedelta

from authserver.protocol.heard import ALIVE_FOR, SAID_EVERY
from authserver.services.keys import readiness
from tests.services.saying import NOW, instance

LONG_AGO = NOW - timedelta(seconds=41)


def test_each_service_is_asked_through_all_its_living_instances() -> None:
    lacking = instance(service="billing", instance="two", kids=["k1"])
    found = readiness([instance(service="billing"), lacking, instance()], "k2", NOW)
    assert [(one.service, one.instances, one.lacking, one.ready) for one in found] == [
        ("billing", 2, (lacking,), False),
        ("orders", 1, (), True),
    ]


def test_one_that_is_silent_is_not_waited_for() -> None:
    silent = instance(LONG_AGO, kids=[])
    assert readiness([silent], "k2", NOW) == []
    [found] = readiness([silent, instance(instance="two")], "k2", NOW)
    assert (found.instances, found.ready) == (1, True)


def test_an_instance_whose_report_was_lost_is_alive() -> None:
    assert ALIVE_FOR > 2 * SAID_EVERY
    [found] = readiness([instance(NOW - timedelta(seconds=ALIVE_FOR), kids=[])], "k2", NOW)
    assert not found.ready
