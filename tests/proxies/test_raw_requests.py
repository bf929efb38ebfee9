"""Requests that two readers may read in two ways, byte for byte, through the real proxies of examples/proxies."""

import socket

import pytest

from tests.processes import HOST
from tests.proxies.conftest import Person, Place

HEARSAY = "admin-by-hearsay"
ON_TWO_LINES = {
    "a space before the colon": f"X-Auth-Roles : {HEARSAY}",
    "a name that goes on": f"X-Filler: x\r\n X-Auth-Roles: {HEARSAY}",
    "a bare line feed": f"X-Filler: x\nX-Auth-Roles: {HEARSAY}",
    "a carriage return alone": f"X-Filler: x\rX-Auth-Roles: {HEARSAY}",
    "a tab before the name": f"\tX-Auth-Roles: {HEARSAY}",
}
OTHER_PLACES = ("X-Original-URI", "X-Original-URL", "X-Rewrite-URL", "X-Forwarded-Uri", "X-Forwarded-Prefix")


def status(place: Place, request: str, *, body: bytes = b"") -> int:
    """Send these bytes; answer the status of the first answer."""
    with socket.create_connection((HOST, place.port), timeout=10) as connection:
        connection.sendall(request.encode() + body)
        return int(connection.makefile("rb").readline().split()[1])


def asked(place: Place, who: Person, target: str, *lines: str, method: str = "GET") -> str:
    cookie = who.cookie["Cookie"]
    head = (f"{method} {target} HTTP/1.1", f"Host: {HOST}:{place.port}", f"Cookie: {cookie}", *lines)
    return "\r\n".join((*head, "", ""))


@pytest.mark.parametrize("way", list(ON_TWO_LINES))
def test_a_header_that_can_be_read_in_two_ways_makes_nobody_an_admin(
    place: Place, who: Person, way: str
) -> None:
    status(place, asked(place, who, "/x", ON_TWO_LINES[way], "Connection: close"))
    for seen in place.app.seen:
        assert seen.values("X-Auth-Roles") == ["demo user"]


def test_what_comes_after_the_body_makes_nobody_an_admin(place: Place, who: Person) -> None:
    """RFC 9110 §6.5: a trailer is no header."""
    head = asked(
        place, who, "/public/x", "Transfer-Encoding: chunked", "Trailer: X-Auth-Roles", method="POST"
    )
    assert status(place, head, body=f"3\r\nabc\r\n0\r\nX-Auth-Roles: {HEARSAY}\r\n\r\n".encode()) == 200
    assert HEARSAY not in str(place.seen().headers)


@pytest.mark.parametrize("name", OTHER_PLACES)
def test_no_header_says_that_the_request_is_for_another_place(place: Place, who: Person, name: str) -> None:
    assert status(place, asked(place, who, "/admin/x", f"{name}: /public/x", "Connection: close")) == 403
    assert not place.app.seen


def test_the_whole_address_in_the_first_line_is_judged_by_its_path(place: Place, who: Person) -> None:
    target = f"http://{HOST}:{place.port}/admin/x"
    assert status(place, asked(place, who, target, "Connection: close")) == 403
    assert not place.app.seen


def test_a_second_host_is_no_request(place: Place, who: Person) -> None:
    assert status(place, asked(place, who, "/x", "Host: evil.example", "Connection: close")) == 400
    assert not place.app.seen


def test_a_length_and_chunks_at_once_hide_no_second_request(place: Place, who: Person) -> None:
    """RFC 9112 §6.3: whoever believes the length sees a request to /admin in the body, and may hand it on."""
    smuggled = asked(place, who, "/admin/x").encode()
    body = b"0\r\n\r\n" + smuggled
    lines = (f"Content-Length: {len(body)}", "Transfer-Encoding: chunked")
    status(place, asked(place, who, "/public/x", *lines, method="POST"), body=body)
    assert not [seen for seen in place.app.seen if "admin" in str(seen)]
