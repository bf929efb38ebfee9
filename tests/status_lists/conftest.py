"""A server with status lists, that starts fast, and somebody who reads them as the draft says."""

import pytest

from authserver.app import Server
from tests.attacks.fast_servers import logs_of_production, make_settings
from tests.attacks.resource_service import MakeVisitor
from tests.conftest import MakeServer
from tests.status_lists.reader import StatusReader

__all__ = ["logs_of_production", "make_settings"]


@pytest.fixture
def server(make_server: MakeServer) -> Server:
    return make_server(status_list=True)


@pytest.fixture
def reader(server: Server, make_visitor: MakeVisitor) -> StatusReader:
    return StatusReader(server, make_visitor(server))
