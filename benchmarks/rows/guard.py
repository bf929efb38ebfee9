"""`guard`: what a resource service spends on a token, against what it would spend with PyJWT, and on RSA alone.

Every token is new to whoever verifies it: there are more of them than the guard remembers, and they come in turn. What
its memory is worth shows in a line of its own.
"""

from base64 import urlsafe_b64decode
from collections.abc import Sequence
from contextlib import closing
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from joserfc import jwt as joserfc_jwt
from joserfc.jwk import KeySet
from joserfc.jwt import JWTClaimsRegistry

from authserver.app import create_app
from authserver.protocol import paths
from authserver.resource.guard import Guard, PlainRequest
from authserver.resource.principal import Principal
from benchmarks.goals import GUARD_PYJWT, GUARD_RAW, PYJWT, RAW_VERIFY, Judged
from benchmarks.installation import Installation
from benchmarks.records import Record
from benchmarks.rounds import Operation, Samples, alternate, in_turn, ratio
from benchmarks.rows.mint import find
from benchmarks.stand import Stand

OURS: Final = "Guard"
REMEMBERED: Final = "Guard, tokens it has seen"
JOSERFC: Final = "joserfc"
TOKENS: Final = 4_608  # more than the 4 096 that a Verifier remembers
SEEN: Final = 256


def guard(stand: Stand) -> list[Record]:
    installed = stand.installed(people=1)
    with stand.serving(installed) as server:
        tokens, keys = _tokens(installed)
        with closing(Guard(server.origin, audience=server.origin)) as ours:
            subjects = {
                OURS: _guard(ours, tokens),
                PYJWT: _pyjwt(server.origin, tokens),
                RAW_VERIFY: _raw(keys, tokens),
                JOSERFC: _joserfc(keys, server.origin, tokens),
                REMEMBERED: _guard(ours, tokens[:SEEN]),
            }
            taken = alternate(subjects, stand.rounds, stand.seconds / 4)
    return _records(taken)


def _records(taken: dict[str, Samples]) -> list[Record]:
    ratios = {other: ratio(taken[OURS], taken[other]) for other in (PYJWT, RAW_VERIFY, JOSERFC)}
    judged = (Judged(GUARD_PYJWT, ratios[PYJWT]), Judged(GUARD_RAW, ratios[RAW_VERIFY]))
    first = Record(work="guard", subject=OURS, samples=taken[OURS], ratios=ratios, judged=judged)
    others = [name for name in taken if name != OURS]
    return [first, *(Record(work="guard", subject=name, samples=taken[name]) for name in others)]


def _tokens(installed: Installation) -> tuple[list[str], KeySet]:
    """Tokens of one session, as many as needed, and the public keys they verify with."""
    server = create_app(installed.settings)
    with closing(server.capabilities.database), closing(server.runner):
        server.start()
        current, signer, tokens = find(server, installed), server.tokens.signer(), server.tokens
        made = [tokens.mint(signer, current.session, current.account, current.at) for _ in range(TOKENS)]
        jwks: Any = server.keyring.snapshot.jwks
    return [token.value for token in made], KeySet.import_key_set(jwks)


def _guard(ours: Guard, tokens: Sequence[str]) -> Operation:
    following = in_turn([PlainRequest("GET", {"authorization": f"Bearer {token}"}) for token in tokens])

    def verify() -> None:
        answer = ours.authenticate(following())
        assert isinstance(answer, Principal), answer

    return verify


def _pyjwt(origin: str, tokens: Sequence[str]) -> Operation:
    """As its documentation shows it: the JWKS cached, the claims checked."""
    client = jwt.PyJWKClient(origin + paths.JWKS)
    following = in_turn(tokens)

    def verify() -> None:
        token = following()
        key = client.get_signing_key_from_jwt(token)
        jwt.decode(token, key, algorithms=["RS256"], audience=origin, issuer=origin)

    return verify


def _joserfc(keys: KeySet, origin: str, tokens: Sequence[str]) -> Operation:
    following = in_turn(tokens)
    claims = JWTClaimsRegistry(
        iss={"essential": True, "value": origin},
        aud={"essential": True, "value": origin},
        exp={"essential": True},
    )

    def verify() -> None:
        claims.validate(joserfc_jwt.decode(following(), keys, algorithms=["RS256"]).claims)

    return verify


def _raw(keys: KeySet, tokens: Sequence[str]) -> Operation:
    """Only the mathematics: key, signature and bytes lie ready."""
    kid = jwt.get_unverified_header(tokens[0])["kid"]
    key: Any = keys.get_by_kid(kid).get_op_key("verify")
    public_key: RSAPublicKey = key
    following = in_turn([_split(token) for token in tokens])
    padding, digest = PKCS1v15(), SHA256()

    def verify() -> None:
        signature, signed = following()
        public_key.verify(signature, signed, padding, digest)

    return verify


def _split(token: str) -> tuple[bytes, bytes]:
    signed, _, signature = token.rpartition(".")
    return urlsafe_b64decode(signature + "=" * (-len(signature) % 4)), signed.encode()
