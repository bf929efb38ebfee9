import pytest

from authserver.resource.jws import VerifiedClaims
from authserver.resource.principal import Principal
from tests.resource import forge

HOLDER = Principal(VerifiedClaims(forge.claims(address={"city": ["Seoul"]})), forge.KID)


def test_the_claims_have_names() -> None:
    assert HOLDER.client_id == "first-party"
    assert HOLDER.scope == {"openid", "orders:read"}
    assert HOLDER.roles == {"member"}
    assert HOLDER.sid == "s0m3S3ss10n"
    assert HOLDER.auth_time is None
    assert (HOLDER.issued_at, HOLDER.expires_at) == (forge.NOW, forge.NOW + 3600)
    assert HOLDER.jti == forge.claims()["jti"]


def test_scopes_and_roles_are_asked_for() -> None:
    assert HOLDER.has_scope("openid")
    assert HOLDER.has_scope("openid", "orders:read")
    assert not HOLDER.has_scope("openid", "orders:write")
    assert not HOLDER.has_scope("orders")
    assert HOLDER.has_role("member")
    assert not HOLDER.has_role("mem")


def test_nobody_can_change_what_the_next_request_sees() -> None:
    with pytest.raises(TypeError):
        HOLDER.claims["sub"] = "admin"  # type: ignore[index]
    with pytest.raises(TypeError):
        HOLDER.claims["address"]["city"] = "x"
    assert HOLDER.claims["roles"] == ("member",)
    with pytest.raises(AttributeError):
        HOLDER.kid = "x"  # type: ignore[misc]


def test_logging_a_principal_shows_no_personal_claims() -> None:
    assert "Seoul" not in repr(HOLDER)
    assert str(HOLDER) == forge.claims()["sub"]


def test_principals_can_be_compared_and_kept_in_sets() -> None:
    same = Principal(VerifiedClaims(forge.claims(address={"city": ["Seoul"]})), forge.KID)
    assert same == HOLDER
    assert len({HOLDER, same}) == 1
