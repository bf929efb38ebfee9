"""Where private keys are kept, behind one small interface, and how they are opened."""

from collections.abc import Mapping
from typing import Any, Protocol

from sqlalchemy import Connection

from authserver.keyring import store
from authserver.keyring.files import KeyFiles
from authserver.keyring.sealing import CannotOpen, Sealer
from authserver.settings import Settings, key_bytes


class PrivateKeyStore(Protocol):
    """Keeps sealed private keys by `kid`. Calls come with the keyring's lock held, inside its transaction."""

    def check(self) -> None: ...
    def claim(self, installation: str) -> None: ...
    def put(self, db: Connection, kid: str, sealed: str) -> None: ...
    def get(self, db: Connection, kid: str) -> str | None: ...
    def delete(self, db: Connection, kid: str) -> None: ...
    def kids(self, db: Connection) -> set[str]: ...


class KeyRows:
    """The `database` store: rows beside the public halves, for servers that share nothing but a database."""

    put = staticmethod(store.put_private)
    get = staticmethod(store.get_private)
    delete = staticmethod(store.delete_private)
    kids = staticmethod(store.private_kids)

    def check(self) -> None:
        """Nothing to check: the database's own access rules apply."""

    def claim(self, installation: str) -> None:
        """Nothing to claim: rows cannot belong to another database."""


class PrivateKeyMissing(Exception):
    """A key that should sign has no private half that can be opened; the message says what to do."""


class Vault:
    """Seals, keeps and opens private keys (JWKs, RFC 7517)."""

    def __init__(self, keys: PrivateKeyStore, sealer: Sealer) -> None:
        self._keys = keys
        self._sealer = sealer

    def check(self) -> None:
        self._keys.check()

    def put(self, db: Connection, kid: str, private_jwk: Mapping[str, Any]) -> None:
        self._keys.put(db, kid, self._sealer.seal(private_jwk))

    def open(self, db: Connection, kid: str) -> dict[str, Any]:
        """Open one private JWK.

        :raises PrivateKeyMissing: it is not there, or no key-encryption key at hand opens it.
        """
        sealed = self._keys.get(db, kid)
        if sealed is None:
            raise PrivateKeyMissing(
                f"the private half of key {kid} is missing: restore it from a backup, or give the key up with "
                f"`authserver keys revoke {kid} --compromised`"
            )
        try:
            private_jwk = self._sealer.open(sealed)
        except CannotOpen as error:
            raise PrivateKeyMissing(f"the private half of key {kid} cannot be opened: {error}") from None
        if private_jwk["kid"] != kid:  # two files that changed places: one key would sign in the other's name
            raise PrivateKeyMissing(
                f"the private half of key {kid} is that of {private_jwk['kid']}: restore it from a backup"
            )
        return private_jwk

    def claim(self, db: Connection) -> None:
        """Make sure that what is kept belongs to this database, before anything is added or deleted.

        :raises KeyFolderUnsafe: it belongs to another one.
        """
        self._keys.claim(store.installation(db))

    def keep_only(self, db: Connection, wanted: set[str]) -> set[str]:
        """Delete every private key but these, and say which; retired keys need none, nor do a crash's leftovers."""
        leftovers = self._keys.kids(db) - wanted
        for kid in leftovers:
            self._keys.delete(db, kid)
        return leftovers

    def is_outdated(self, db: Connection, kid: str) -> bool:
        """Say whether a key is sealed with another key-encryption key than today's."""
        sealed = self._keys.get(db, kid)
        return sealed is not None and not self._sealer.is_current(sealed)

    def rewrap(self, db: Connection, kid: str) -> bool:
        """Seal one key with the current key-encryption key; say whether that changed anything."""
        if not self.is_outdated(db, kid):
            return False
        self._keys.put(db, kid, self._sealer.seal(self.open(db, kid)))
        return True


def vault_for(settings: Settings) -> Vault:
    current = key_bytes(settings.key_encryption_key) if settings.key_encryption_key else None
    sealer = Sealer(current, tuple(key_bytes(key) for key in settings.previous_key_encryption_keys))
    keys: PrivateKeyStore = KeyRows() if settings.key_store == "database" else KeyFiles(settings.keys_path)
    return Vault(keys, sealer)
