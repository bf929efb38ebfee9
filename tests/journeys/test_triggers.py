"""Every trigger of the revocation list, measured where it matters: at a resource service, in a process of its own.

The service follows the stream of a real server. Each trigger ends somebody's token; from the moment at which that was
acknowledged, the guard has a second to refuse it, and nobody else may notice anything (PRODUCT §4).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from authserver.accounts import store as accounts
from authserver.accounts.hashing import Parameters
from authserver.accounts.passwords import prepare
from authserver.accounts.usernames import canonical
from authserver.capabilities import Outside
from authserver.clock import SystemClock
from authserver.drill.loopback import post
from authserver.keyring.models import signing_key
from authserver.keyring.signer import signer_from
from authserver.keyring.states import State
from authserver.opaque import new_id
from authserver.protocol.cookies import SESSION
from authserver.protocol.media import ACCESS_TOKEN_TYP
from tests.cli.conftest import Cli
from tests.conftest import PASSWORD, ready_made
from tests.faults.login import Person, claims_of, kid_of
from tests.faults.running_services import LENIENT, Service
from tests.faults.verdicts import ACCEPTED, SIGNED_OUT
from tests.processes import LoginService, login_service, until

WITHIN = 1.0
NEW_PASSWORD = "quarry saffron bicycle lagoon"
CHEAP = Parameters(memory_kib=8, iterations=1, lanes=1)


@dataclass(frozen=True, slots=True)
class Scene:
    """A server, a resource service that follows it, an operator, and the token of somebody from long ago."""

    login: LoginService
    service: Service
    cli: Cli
    old_token: str
    numbers: Iterator[int]

    def person(self) -> Person:
        """Somebody new, signed in."""
        parts, name = self.login.keyring.parts, f"person{next(self.numbers)}"
        password_hash = parts.hasher.hash(prepare(PASSWORD))
        parts.database.write(
            lambda db: accounts.create(
                db,
                canonical(name),
                display_name=name,
                password_hash=password_hash,
                roles=("staff", "user"),
                now=parts.clock.now(),
            )
        )
        return Person(self.login.port, name)

    def command(self, *words: str, stdin: str | None = None) -> float:
        """Let the operator do something, and ask nobody whether it was heard; answer when it was done."""
        self.cli.facts(*words, "--wait", "0", "--data", str(self.login.data), stdin=stdin)
        return monotonic()

    def accepted(self, *tokens: str) -> list[str]:
        """Have the service verify these until it accepts them; answer under which names."""
        named = {f"token{next(self.numbers)}": token for token in tokens}
        self.service.warm(named)
        return list(named)

    def refused(self, name: str, ended_at: float) -> None:
        """It is refused as signed out, within a second, and was accepted until then."""
        until(lambda: self.verdicts(name) != [ACCEPTED])
        assert self.verdicts(name) == [ACCEPTED, SIGNED_OUT]
        assert self.service.record.accepted_until(name, LENIENT) - ended_at < WITHIN

    def verdicts(self, name: str) -> list[str]:
        """What the guard has said about it so far."""
        return [spell.verdict.verdict for spell in self.service.record.spells(name, LENIENT)]

    def post(self, path: str, person: Person, fields: dict[str, Any]) -> float:
        answer = post(self.login.port, path, fields, {SESSION: person.session})
        assert answer.status == 200
        return monotonic()


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("login")
    cli = Cli(Outside(SystemClock(), ready_made(4), CHEAP), {})
    with login_service(folder, sqlite_template, apps=False) as login:
        old = Person(login.port)
        login.keyring.rotate()
        with Service(login.origin, {LENIENT: {}}) as service:
            service.warm({"old": old.token})
            yield Scene(login, service, cli, old.token, count(1))


def log_out(scene: Scene, person: Person) -> float:
    return scene.post("/logout", person, {})


def log_out_everywhere(scene: Scene, person: Person) -> float:
    elsewhere = Person(scene.login.port, person.username)
    return scene.post("/logout", elsewhere, {"everywhere": True})


def change_my_password(scene: Scene, person: Person) -> float:
    elsewhere = Person(scene.login.port, person.username)
    fields = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
    return scene.post("/account/password", elsewhere, fields)


def account_sign_out(scene: Scene, person: Person) -> float:
    return scene.command("account", "sign-out", person.username)


def account_disable(scene: Scene, person: Person) -> float:
    return scene.command("account", "disable", person.username)


def account_set_password(scene: Scene, person: Person) -> float:
    words = ("account", "set-password", person.username, "--password-stdin")
    return scene.command(*words, stdin=NEW_PASSWORD)


def session_end(scene: Scene, person: Person) -> float:
    return scene.command("session", "end", person.sid)


def revocation_add_jti(scene: Scene, person: Person) -> float:
    return scene.command("revocation", "add", "jti", claims_of(person.token)["jti"])


def revocation_add_sid(scene: Scene, person: Person) -> float:
    return scene.command("revocation", "add", "sid", person.sid)


def revocation_add_sub(scene: Scene, person: Person) -> float:
    return scene.command("revocation", "add", "sub", claims_of(person.token)["sub"])


TRIGGERS = (
    log_out,
    log_out_everywhere,
    change_my_password,
    account_sign_out,
    account_disable,
    account_set_password,
    session_end,
    revocation_add_jti,
    revocation_add_sid,
    revocation_add_sub,
)


@pytest.mark.parametrize("trigger", TRIGGERS, ids=lambda trigger: trigger.__name__)
def test_what_a_trigger_ends_is_refused_within_a_second_and_nobody_else(
    scene: Scene, trigger: Callable[[Scene, Person], float]
) -> None:
    person = scene.person()
    ends_only(scene, person.token, lambda: trigger(scene, person))


def test_who_loses_a_role_keeps_the_session_and_gets_a_token_without_it(scene: Scene) -> None:
    person = scene.person()
    words = ("account", "set-roles", person.username, "user")
    ends_only(scene, person.token, lambda: scene.command(*words))
    renewed = person.renewed(scene.login.port)
    assert claims_of(renewed)["roles"] == ["user"]
    [name] = scene.accepted(renewed)
    assert scene.verdicts(name) == [ACCEPTED]


def test_the_tokens_of_a_client_on_the_list_are_refused_and_those_of_others_not(scene: Scene) -> None:
    token = of_another_client(scene, "billing-app")
    words = ("revocation", "add", "client_id", "billing-app")
    ends_only(scene, token, lambda: scene.command(*words))


def test_a_removed_key_on_the_list_is_refused_by_guards_that_still_have_it(scene: Scene) -> None:
    kid, database = kid_of(scene.old_token), scene.login.keyring.parts.database
    removed = {"state": State.REMOVED.value, "ended_at": datetime.now(UTC)}
    database.write(
        lambda db: db.execute(signing_key.update().where(signing_key.c.kid == kid).values(removed))
    )
    words = ("revocation", "add", "kid", kid)
    ends_only(scene, scene.old_token, lambda: scene.command(*words))


def test_every_token_of_a_compromised_key_is_refused_and_everybody_stays_signed_in(scene: Scene) -> None:
    person, other = scene.person(), scene.person()
    kid = kid_of(person.token)
    names = scene.accepted(person.token, other.token)
    ended_at = scene.command("keys", "revoke", kid, "--compromised", "--yes")
    for name in names:
        scene.refused(name, ended_at)
    renewed = [one.renewed(scene.login.port) for one in (person, other)]
    assert kid not in {kid_of(token) for token in renewed}
    for name in scene.accepted(*renewed):
        assert scene.verdicts(name) == [ACCEPTED], "no service answers 401 because of a key"


def ends_only(scene: Scene, token: str, trigger: Callable[[], float]) -> None:
    """The trigger ends this token within a second of its acknowledgement, and a bystander's is accepted throughout."""
    ended, bystander = scene.accepted(token, scene.person().token)
    scene.refused(ended, trigger())
    assert scene.verdicts(bystander) == [ACCEPTED]


def of_another_client(scene: Scene, client_id: str) -> str:
    """A token that the issuer's active key signed for another client than the built-in one."""
    example = scene.person().token
    parts, kid = scene.login.keyring.parts, kid_of(example)
    signer = signer_from(parts.database.read(lambda db: parts.vault.open(db, kid)))
    claims = claims_of(example) | {"client_id": client_id, "jti": new_id()}
    return signer.sign(ACCESS_TOKEN_TYP, claims)
