import sys
import time
from functools import partial
from inspect import signature

import pytest

from authserver.resource import since_boot as module
from authserver.resource.guard import Guard
from authserver.resource.http import HttpFetch, HttpPost
from authserver.resource.introspection import Introspection
from authserver.resource.jwks_source import JwksSource
from authserver.resource.line import Line
from authserver.resource.revocation_source import RevocationSource
from authserver.resource.since_boot import since_boot

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="another system's monotonic clock")


@on_linux
def test_the_hours_in_which_a_machine_slept_are_counted() -> None:
    """CLOCK_MONOTONIC leaves them out; where a machine has not slept yet, the two tell the same."""
    assert isinstance(module._clock, partial)
    assert (module._clock.func, module._clock.args) == (time.clock_gettime, (time.CLOCK_BOOTTIME,))
    assert since_boot() <= since_boot()


@pytest.mark.parametrize(
    "user", [Guard, RevocationSource, JwksSource, Introspection, Line, HttpFetch, HttpPost]
)
def test_everything_that_grows_old_is_counted_by_it(user: type) -> None:
    defaults = {name: found.default for name, found in signature(user).parameters.items()}
    assert defaults.get("monotonic_clock", defaults.get("clock")) is since_boot


@on_linux
def test_where_the_kernel_does_not_know_it_the_usual_clock_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "CLOCK_BOOTTIME", 9_999)
    assert module._choose() is time.monotonic
    monkeypatch.delattr(time, "CLOCK_BOOTTIME")
    assert module._choose() is time.monotonic
