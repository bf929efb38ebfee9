"""Who lacks a key."""

from datetime import timedelta

from authserver.services.keys import readiness
from tests.services.saying import NOW, instance

LONG_AGO = NOW - timedelta(seconds=91)


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


def test_an_instance_is_alive_for_three_reports() -> None:
    [found] = readiness([instance(NOW - timedelta(seconds=90), kids=[])], "k2", NOW)
    assert not found.ready
