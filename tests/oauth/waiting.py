"""Time that goes by for a server which goes on following its database, as a running one does twice a second."""

from datetime import timedelta

from authserver.app import Server
from tests.clocks import HandClock


def later(server: Server, clock: HandClock, by: timedelta | float) -> None:
    clock.advance(by)
    server.follow()
