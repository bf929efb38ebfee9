"""Sending beside the requests: soon, bounded, and one app does not wait for another."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Lock
from time import monotonic

import pytest

from authserver.accounts.store import Account
from authserver.app import Server
from authserver.deliveries import store
from authserver.deliveries.dispatch import AT_ONCE, EACH, Dispatch
from authserver.deliveries.schedule import GIVE_UP_AFTER
from authserver.deliveries.store import ToTell
from tests.cli.conftest import on_sqlite
from tests.deliveries.conftest import Receiver, ledger, sender_of
from tests.oauth.conftest import MakeApp
from tests.processes import until
from tests.visitor import Visitor

SOON = 5.0


class Count:
    """How many are inside at once, at most."""

    def __init__(self, leave: Event) -> None:
        self.most = self.now = 0
        self._leave = leave
        self._lock = Lock()

    def __call__(self) -> None:
        with self._lock:
            self.now += 1
            self.most = max(self.most, self.now)
        assert self._leave.wait(SOON)
        with self._lock:
            self.now -= 1


@contextmanager
def opened(count: int) -> Iterator[list[Receiver]]:
    receivers = [Receiver() for _ in range(count)]
    for receiver in receivers:
        receiver.open()
    yield receivers
    for receiver in receivers:
        receiver.close()


@pytest.fixture
def owe(server: Server, make_app: MakeApp) -> Callable[..., None]:
    """Write so many deliveries to a receiver."""

    def write(receiver: Receiver, count: int, client_id: str) -> None:
        make_app(
            client_id=client_id,
            backchannel_logout_uri=receiver.uri,
            id_token_signed_response_alg="ES256",
        )
        now = server.capabilities.clock.now()
        whom = [ToTell(client_id, "a" * 22, f"{number:022}", "a" * 22) for number in range(count)]
        server.capabilities.database.write(
            lambda db: store.add(db, "backchannel_logout", whom, now=now, gives_up_at=now + GIVE_UP_AFTER)
        )

    return write


async def while_running(
    dispatch: Dispatch, seen: Callable[[], bool], then: Callable[[], object] = lambda: None
) -> None:
    running = asyncio.create_task(dispatch.run())
    await asyncio.to_thread(until, seen, within=SOON)
    running.cancel()
    then()
    await asyncio.gather(running, return_exceptions=True)


def all_delivered(server: Server) -> bool:
    return all(row.state == "delivered" for row in ledger(server))


def test_app_hears_within_a_tenth_of_a_second_of_the_logout(
    server: Server, signed_in: Visitor, receiver: Receiver
) -> None:
    """The whole server runs, as in production; only the way out may go to this machine."""
    server.dispatch = Dispatch(sender_of(server), every=60.0)

    async def journey() -> float:
        async with server.lifespan(server.api):
            await asyncio.sleep(0.05)  # everything runs, and nothing is due
            await asyncio.to_thread(signed_in.post, "/logout", json={})
            acknowledged = monotonic()
            await asyncio.to_thread(receiver.wait_for, 1)
            return monotonic() - acknowledged

    assert asyncio.run(journey()) < 0.5  # measured: 10 to 30 ms; the machine of a test may be busy


@on_sqlite
def test_slow_app_does_not_hold_up_another(server: Server, owe: Callable[..., None]) -> None:
    enough = Event()
    with opened(2) as (slow, quick):
        slow.before_answer = lambda: enough.wait(SOON)
        owe(slow, 20, "slow")
        owe(quick, 5, "quick")

        def quick_has_heard() -> bool:
            return len(quick.forms) == 5

        asyncio.run(while_running(Dispatch(sender_of(server)), quick_has_heard, then=enough.set))
        assert len(slow.forms) <= EACH


@on_sqlite
def test_so_many_at_once_and_no_more(server: Server, owe: Callable[..., None]) -> None:
    leave = Event()
    count = Count(leave)
    with opened(6) as receivers:
        for number, receiver in enumerate(receivers):
            receiver.before_answer = count
            owe(receiver, 4, f"app{number}")

        def full_and_then_empty() -> bool:
            if count.most >= AT_ONCE:
                leave.set()
            return all_delivered(server)

        asyncio.run(while_running(Dispatch(sender_of(server)), full_and_then_empty))
    assert count.most == AT_ONCE


@on_sqlite
def test_what_a_stopped_server_had_begun_is_finished(server: Server, owe: Callable[..., None]) -> None:
    leave = Event()
    with opened(1) as (receiver,):
        inside = Count(leave)
        receiver.before_answer = inside
        owe(receiver, 1, "app")

        def begun() -> bool:
            if inside.now:
                leave.set()
            return bool(inside.now) or bool(receiver.forms)

        asyncio.run(while_running(Dispatch(sender_of(server)), begun))
    assert all_delivered(server)


@on_sqlite
def test_waking_a_dispatch_that_is_not_running_does_nothing(server: Server, alice: Account) -> None:
    Dispatch(sender_of(server)).wake()
    server.dispatch.wake()
