"""Reading a body: what is not plain is refused, whoever sends it."""

import json

import pytest

from authserver.app import Server
from authserver.web import body
from authserver.web.body import BadRequest, flag, optional_text, text
from tests.attacks.bare_request import trickle
from tests.attacks.marks import SQLITE_ONLY

FIELDS = {
    "name": "value",
    "empty": "",
    "number": 7,
    "none": None,
    "list": ["a"],
    "surrogate": "\ud800" * 2_000,
}


def test_text_is_text_and_as_long_as_allowed() -> None:
    assert text(FIELDS, "name") == "value"
    assert text(FIELDS, "empty") == ""
    for name in ("number", "none", "list", "missing", "surrogate"):
        with pytest.raises(BadRequest):
            text(FIELDS, name)


def test_a_length_is_counted_in_bytes() -> None:
    assert text({"name": "é" * 2_048}, "name")
    with pytest.raises(BadRequest):
        text({"name": "é" * 2_049}, "name")


def test_optional_text_may_be_missing_but_not_be_something_else() -> None:
    assert optional_text(FIELDS, "missing") is optional_text(FIELDS, "empty") is None
    with pytest.raises(BadRequest):
        optional_text(FIELDS, "list")


@pytest.mark.parametrize(
    ("value", "meant"),
    [(True, True), ("true", True), ("on", True), (False, False), ("false", False), ("", False)],
)
def test_a_flag_is_a_plain_yes_or_no(value: object, meant: bool) -> None:
    assert flag({"name": value}, "name") is meant
    assert flag({}, "name") is False


@pytest.mark.parametrize("value", [1, 0, None, "yes", "True", [], {}, ["true"], 1.0])
def test_a_flag_that_must_be_guessed_is_refused(value: object) -> None:
    with pytest.raises(BadRequest):
        flag({"name": value}, "name")


@SQLITE_ONLY
@pytest.mark.parametrize("kind", [b"application/json", b"application/x-www-form-urlencoded"])
def test_a_body_that_trickles_in_is_not_waited_for(
    server: Server, monkeypatch: pytest.MonkeyPatch, kind: bytes
) -> None:
    """Nor is its connection: what would still come is for nobody."""
    monkeypatch.setattr(body, "SLOWEST", 0.01)
    answer = trickle(server, "/login", (b"content-type", kind), (b"accept", b"application/json"))
    assert (answer.status, answer.headers["connection"]) == (408, "close")
    assert json.loads(answer.body)["error"] == "invalid_request"
