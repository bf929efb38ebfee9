"""What is written to the logs, read back from the logs: whole lines, short ones, and no secret (SECURITY X04)."""

import io
import json
from contextlib import redirect_stderr

import pytest

from authserver import logs
from authserver.accounts import store as accounts
from authserver.accounts.hashing import Parameters, PasswordHasher
from authserver.accounts.passwords import prepare
from authserver.accounts.store import Account
from authserver.app import Server
from tests.attacks.bare_request import send
from tests.attacks.marks import SQLITE_ONLY
from tests.attacks.sabotage import execute, failing_commits
from tests.conftest import PASSWORD
from tests.visitor import Visitor

LONGEST_LINE = 2_048
HOSTILE = [
    'x\r\n{"event":"sign_in.succeeded","level":"info"}',
    "x\x1b[2J\x1b[31mred",
    "x\u2028y\u2029z\x85",
    '","level":"critical","x":"',
    "é" * 300,
    "🦊" * 300,
    "a" * 100_000,
]
REFUSE_ON_SQLITE = """
CREATE TRIGGER sabotage BEFORE UPDATE ON account BEGIN SELECT RAISE(ABORT, 'refused'); END;
"""
REFUSE_ON_POSTGRESQL = """
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
RAISE EXCEPTION 'refused' USING DETAIL = 'Failing row contains (' || NEW.password_hash || ')'; END $$;
CREATE TRIGGER sabotage BEFORE UPDATE ON account FOR EACH ROW EXECUTE FUNCTION refuse();
"""  # PostgreSQL itself says "Failing row contains" when a constraint is broken
COOKIES = ("__Host-session", "__Host-access_token", "__Host-device", "__Host-form")


class Log:
    """The lines that were written since the last look."""

    def __init__(self, stream: io.StringIO) -> None:
        self._stream = stream

    def lines(self) -> list[str]:
        """Cut as a log collector would cut them."""
        written = self._stream.getvalue().split("\n")[:-1]
        self._stream.seek(0)
        self._stream.truncate()
        return written


@pytest.fixture(params=["json", "console"])
def log(request: pytest.FixtureRequest, logs_of_production: None) -> Log:
    """All there is to log, down to DEBUG."""
    stream = io.StringIO()
    with redirect_stderr(stream):
        logs.configure(request.param, "DEBUG")
    return Log(stream)


def send_everywhere(server: Server, hostile: str) -> None:
    raw = hostile.encode()
    json_type = (b"content-type", b"application/json")
    credentials = json.dumps({"username": hostile, "password": hostile}).encode()
    for path, body in (
        ("/login", credentials),
        ("/login", b"{" + raw[:9_000]),
        (f"/account/sessions/{hostile}/end", b"{"),
        (f"/{hostile}", b"{}"),
    ):
        message = {"type": "http.request", "body": body, "more_body": False}
        sent_by = ((b"user-agent", raw), (b"x-forwarded-for", raw), (b"cookie", b"__Host-session=" + raw))
        assert send(server, "POST", path, json_type, *sent_by, messages=(message,)).status < 500


@SQLITE_ONLY
def test_whatever_is_sent_stays_in_its_own_short_line(server: Server, alice: Account, log: Log) -> None:
    log.lines()
    for hostile in HOSTILE:
        send_everywhere(server, hostile)
        lines = log.lines()
        assert lines
        assert [line for line in lines if not line.isprintable()] == []
        assert [len(line.encode()) for line in lines if len(line.encode()) > LONGEST_LINE] == []
        assert [line for line in lines if "sign_in.succeeded" in line and "path" not in line] == []


@SQLITE_ONLY
@pytest.mark.parametrize("log", ["json"], indirect=True)
def test_each_refusal_is_one_line_of_json(visitor: Visitor, log: Log) -> None:
    visitor.post("/login", content=b"{", headers={"Content-Type": "application/json"})
    [line] = [json.loads(line) for line in log.lines() if "authserver.web" in line]
    assert (line["event"], line["kind"], line["path"], line["status"]) == (
        "request refused",
        "BadRequest",
        "/login",
        400,
    )


def test_no_secret_of_a_whole_journey_is_in_the_logs_even_at_debug(
    server: Server, visitor: Visitor, alice: Account, log: Log
) -> None:
    secrets: set[str] = {PASSWORD, "wrong but secret all the same", "quartz lantern otter brisk"}

    def note() -> None:
        secrets.update(value for name in COOKIES if (value := visitor.cookie(name)))

    visitor.sign_in("alice", "wrong but secret all the same")
    visitor.form("/login", "/login", {"username": "alice", "password": PASSWORD})
    note()
    visitor.post("/session/refresh", json={})
    note()
    body = {"current_password": PASSWORD, "new_password": "quartz lantern otter brisk"}
    visitor.post("/account/password", json=body)
    note()
    server.follow()
    server.maintain()
    visitor.get("/revocations")
    visitor.post("/logout", json={})
    assert len(secrets) >= 10
    written = "\n".join(log.lines())
    assert [secret for secret in secrets if secret in written] == []


def test_a_failure_of_the_database_writes_no_secret_down(
    server: Server, visitor: Visitor, alice: Account, log: Log
) -> None:
    """The statement that failed is worth a line; what it was to store is not the log's business."""
    visitor.sign_in("alice", PASSWORD)
    weak = PasswordHasher(Parameters(8, 1, 1)).hash(prepare(PASSWORD))
    parts = server.capabilities
    parts.database.write(lambda db: accounts.change(db, alice.id, password_hash=weak))
    parts.hasher.parameters = Parameters(16, 1, 1)
    log.lines()
    with failing_commits(parts.database):
        assert visitor.sign_in("alice", PASSWORD).status_code >= 500
    written = "\n".join(log.lines())
    assert "argon2id" not in written
    assert PASSWORD not in written


def test_a_refused_statement_writes_its_parameters_nowhere(
    server: Server, visitor: Visitor, alice: Account, log: Log
) -> None:
    weak = PasswordHasher(Parameters(8, 1, 1)).hash(prepare(PASSWORD))
    parts = server.capabilities
    parts.database.write(lambda db: accounts.change(db, alice.id, password_hash=weak))
    parts.hasher.parameters = Parameters(16, 1, 1)
    execute(parts.database, REFUSE_ON_SQLITE if parts.database.embedded else REFUSE_ON_POSTGRESQL)
    log.lines()
    assert visitor.sign_in("alice", PASSWORD).status_code >= 500
    assert "argon2id" not in "\n".join(log.lines())
