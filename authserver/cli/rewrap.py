"""Which private keys are not sealed with the current key-encryption key: what `keys rewrap --dry-run` says."""

from sqlalchemy import Connection

from authserver.cli.answers import Refused
from authserver.keyring import store
from authserver.keyring.states import SIGNABLE
from authserver.keyring.vault import Vault
from authserver.settings import Settings


def outdated(db: Connection, vault: Vault) -> list[str]:
    """Answer the kids of keys that a rewrap would seal anew."""
    signable = [key.kid for ring in store.rings(db) for key in ring.keys if key.state in SIGNABLE]
    return [kid for kid in signable if vault.is_outdated(db, kid)]


def refuse_plaintext(settings: Settings) -> None:
    """Without a key-encryption key, sealing anew would write every private key in the clear.

    :raises Refused: and that was not asked for.
    """
    if settings.key_encryption_key is None and not settings.allow_plaintext_keys and not settings.development:
        raise Refused(
            "no key_encryption_key is set, so private keys would be written in the clear: set one, or "
            "allow_plaintext_keys=true on purpose",
            code=2,
        )
