"""`mint`: an access token, against nothing but the RSA signature in it."""

from contextlib import closing
from typing import Any

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256

from authserver.app import Server, create_app
from authserver.keyring.signer import Signer
from authserver.sessions.current import Current, CurrentSessions
from benchmarks.goals import MINT, RAW_SIGN, Judged
from benchmarks.installation import Installation
from benchmarks.records import Record
from benchmarks.rounds import Operation, alternate, ratio
from benchmarks.stand import Stand

OURS = "AccessTokens.mint"


def mint(stand: Stand) -> list[Record]:
    installed = stand.installed(people=1)
    server = create_app(installed.settings)
    with closing(server.capabilities.database), closing(server.runner):
        server.start()
        taken = alternate(_subjects(server, find(server, installed)), stand.rounds, stand.seconds / 4)
    found = ratio(taken[OURS], taken[RAW_SIGN])
    return [
        Record(
            work="mint",
            subject=OURS,
            samples=taken[OURS],
            ratios={RAW_SIGN: found},
            judged=(Judged(MINT, found),),
        ),
        Record(work="mint", subject=RAW_SIGN, samples=taken[RAW_SIGN]),
    ]


def find(server: Server, installed: Installation) -> Current:
    """The one session of the installation, as a request with its cookie finds it."""
    parts = server.capabilities
    current = CurrentSessions(parts.lifetime, parts.clock)
    found = parts.database.read(lambda db: current.find(db, installed.secrets[0]))
    assert found is not None
    return found


def _subjects(server: Server, current: Current) -> dict[str, Operation]:
    tokens, signer = server.tokens, server.tokens.signer()
    session, account, at = current.session, current.account, current.at
    signed = tokens.mint(signer, session, account, at).value.rpartition(".")[0].encode()
    return {OURS: lambda: tokens.mint(signer, session, account, at), RAW_SIGN: raw_sign(signer, signed)}


def raw_sign(signer: Signer, signed: bytes) -> Operation:
    """Only the mathematics, with the server's own key."""
    private_key: Any = signer.key.get_op_key("sign")
    padding, digest = PKCS1v15(), SHA256()
    return lambda: private_key.sign(signed, padding, digest)
