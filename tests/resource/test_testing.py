from authserver.resource.guard import Guard, PlainRequest
from authserver.resource.principal import Principal
from authserver.resource.refusal import Reason, Refusal
from authserver.resource.testing import LocalIssuer


def ask(guard: Guard, headers: dict[str, str]) -> Principal | Refusal:
    return guard.authenticate(PlainRequest("GET", {name.lower(): value for name, value in headers.items()}))


def test_a_service_can_be_tested_without_network_or_keys() -> None:
    issuer = LocalIssuer()
    guard = Guard(issuer.url, audience=issuer.audience, fetch=issuer.fetch)
    holder = ask(guard, issuer.bearer("alice", scope="orders:write", roles=["admin"], sid="phone"))
    assert isinstance(holder, Principal)
    assert (holder.sub, holder.scope, holder.roles) == (
        "alice",
        frozenset({"orders:write"}),
        frozenset({"admin"}),
    )
    assert ask(guard, issuer.bearer(lifetime=-3_600)) == Refusal(Reason.EXPIRED)
    guard.close()


def test_a_logout_can_be_tested() -> None:
    issuer = LocalIssuer()
    issuer.revoke("sid", "phone")
    guard = Guard(issuer.url, audience=issuer.audience, fetch=issuer.fetch)
    outcome = ask(guard, issuer.bearer(sid="phone"))
    assert isinstance(outcome, Refusal)
    assert outcome.reason is Reason.SIGNED_OUT
    guard.close()


def test_other_addresses_are_not_found() -> None:
    assert LocalIssuer().fetch("https://login.test/elsewhere", None).status == 404
