"""Private keys at rest: who can read them, what opens them, and what a mistaken start must not destroy (SECURITY K02)."""

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest

from authserver import schema
from authserver.app import Server, create_app
from authserver.capabilities import Outside
from authserver.database import Database
from authserver.keyring.files import KeyFolderUnsafe
from authserver.keyring.vault import PrivateKeyMissing
from authserver.settings import Settings, load, missing_for_service
from tests.attacks.marks import NOT_AS_ROOT, SQLITE_ONLY
from tests.clocks import HandClock
from tests.conftest import ISSUER, KEK, MakeServer
from tests.databases import sqlite_url

OTHER_KEK = "ZZZZMjM0NTY3ODlhYmNkZWZHSElKS0xNTk9QUVJTVFU="
MakeSettings = Callable[..., Settings]


@pytest.fixture(autouse=True)
def on_sqlite(database_url: str) -> None:
    pass


pytestmark = SQLITE_ONLY


@pytest.fixture
def open_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def key_files(server: Server) -> list[Path]:
    return sorted(server.settings.keys_path.glob("*.jw?"))


def modes(*paths: Path) -> set[str]:
    return {oct(stat.S_IMODE(path.stat().st_mode)) for path in paths}


def start(settings: Settings, outside: Outside) -> None:
    server = create_app(settings, outside)
    try:
        server.start()
    finally:
        server.runner.close()
        server.capabilities.database.close()


def test_keys_are_ours_alone_whatever_the_umask(open_umask: None, make_server: MakeServer) -> None:
    server = make_server()
    assert modes(server.settings.keys_path) == {"0o700"}
    assert modes(*key_files(server)) == {"0o600"}
    assert len(key_files(server)) == 2


def test_the_embedded_database_is_ours_alone_whatever_the_umask(open_umask: None, tmp_path: Path) -> None:
    """It holds password hashes, and with `key_store=database` private keys."""
    database = Database(f"sqlite:///{tmp_path / 'new.db'}")
    schema.upgrade(database)
    database.read(lambda db: db.exec_driver_sql("SELECT 1").all())
    assert modes(*tmp_path.glob("new.db*")) == {"0o600"}
    database.close()


@pytest.mark.parametrize("mode", [0o750, 0o705, 0o711, 0o777])
def test_a_folder_that_others_may_enter_is_refused_with_the_cure(
    make_server: MakeServer, make_settings: MakeSettings, outside: Outside, mode: int
) -> None:
    folder = make_server().settings.keys_path
    folder.chmod(mode)
    with pytest.raises(KeyFolderUnsafe, match=f"chmod 700 {folder}"):
        start(make_settings(), outside)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o601])
def test_a_file_that_others_may_read_is_refused_with_the_cure(
    make_server: MakeServer, make_settings: MakeSettings, outside: Outside, mode: int
) -> None:
    file = key_files(make_server())[0]
    file.chmod(mode)
    with pytest.raises(KeyFolderUnsafe, match=f"chmod 600 {file}"):
        start(make_settings(), outside)


@pytest.mark.parametrize("what", ["folder", "file"])
def test_a_symbolic_link_is_refused(
    make_server: MakeServer, make_settings: MakeSettings, outside: Outside, tmp_path: Path, what: str
) -> None:
    server = make_server()
    linked = server.settings.keys_path if what == "folder" else key_files(server)[0]
    elsewhere = linked.rename(tmp_path / "elsewhere")
    linked.symlink_to(elsewhere)
    with pytest.raises(KeyFolderUnsafe, match="symbolic link"):
        start(make_settings(), outside)


@NOT_AS_ROOT
def test_a_folder_that_cannot_be_read_is_refused_with_the_cure(
    make_server: MakeServer, make_settings: MakeSettings, outside: Outside
) -> None:
    make_server().settings.keys_path.chmod(0)
    with pytest.raises(KeyFolderUnsafe, match="chown"):
        start(make_settings(), outside)


def test_a_file_in_the_place_of_the_folder_is_refused(
    make_settings: MakeSettings, outside: Outside, tmp_path: Path
) -> None:
    (tmp_path / "keys").write_text("")
    with pytest.raises(KeyFolderUnsafe):
        start(make_settings(), outside)


def test_what_lies_on_the_disk_is_encrypted(make_server: MakeServer) -> None:
    for file in key_files(make_server()):
        assert file.suffix == ".jwe"
        assert file.read_text().count(".") == 4
        assert '"d"' not in file.read_text()


def test_a_wrong_key_encryption_key_is_refused_at_start_with_what_to_do(
    make_server: MakeServer, make_settings: MakeSettings, outside: Outside
) -> None:
    make_server()
    with pytest.raises(PrivateKeyMissing, match=r"set key_encryption_key .*previous_key_encryption_keys"):
        start(make_settings(key_encryption_key=OTHER_KEK), outside)


@pytest.mark.parametrize("key_store", ["files", "database"])
def test_a_start_with_the_wrong_key_encryption_key_changes_no_key(
    make_server: MakeServer, make_settings: MakeSettings, outside: Outside, clock: HandClock, key_store: str
) -> None:
    """Or it would seal a new key that no other server can open, and they would all stop signing."""
    server = make_server(key_store=key_store)
    before = server.keyring.snapshot.jwks
    clock.advance(timedelta(days=31))
    with pytest.raises(PrivateKeyMissing):
        start(make_settings(key_store=key_store, key_encryption_key=OTHER_KEK), outside)
    server.follow()
    assert server.keyring.snapshot.jwks == before
    server.tokens.signer()


def test_a_start_on_an_empty_database_does_not_delete_the_keys_of_another(
    make_server: MakeServer,
    make_settings: MakeSettings,
    outside: Outside,
    sqlite_template: Path,
    tmp_path: Path,
) -> None:
    """One mistyped database_url must not cost an installation its private keys."""
    kept = key_files(make_server())
    (tmp_path / "other").mkdir()
    mistyped = sqlite_url(sqlite_template, tmp_path / "other")
    with suppress(KeyFolderUnsafe, PrivateKeyMissing):
        start(make_settings(database_url=mistyped), outside)
    assert [file for file in kept if not file.exists()] == []


def test_a_changed_key_file_is_refused_at_start(
    make_server: MakeServer, make_settings: MakeSettings, outside: Outside
) -> None:
    for file in key_files(make_server()):
        parts = file.read_text().split(".")
        parts[3] = parts[3][:-4] + ("AAAA" if parts[3][-4:] != "AAAA" else "BBBB")
        file.write_text(".".join(parts))
    with pytest.raises(PrivateKeyMissing, match="restore it from a backup"):
        start(make_settings(), outside)


NO_KEYS = ["", "x", "....", "{", "{}", "[]", '{"kty":"RSA"}', "\u00e9"]


def test_a_key_file_that_is_no_key_is_refused_at_start_with_what_to_do(
    make_server: MakeServer, make_settings: MakeSettings, outside: Outside
) -> None:
    files = key_files(make_server())
    for content in NO_KEYS:
        for file in files:
            file.write_text(content, encoding="utf-8")
        with pytest.raises(PrivateKeyMissing):
            start(make_settings(), outside)


def test_swapped_key_files_are_refused_at_start(
    make_server: MakeServer, make_settings: MakeSettings, outside: Outside
) -> None:
    """A file's name is not under the seal: the key inside must be the one that the name says."""
    one, other = key_files(make_server())
    content = one.read_text(), other.read_text()
    one.write_text(content[1])
    other.write_text(content[0])
    with pytest.raises(PrivateKeyMissing):
        start(make_settings(), outside)


def test_a_missing_key_file_is_refused_at_start_with_what_to_do(
    make_server: MakeServer, make_settings: MakeSettings, outside: Outside
) -> None:
    file = key_files(make_server())[0]
    file.unlink()
    with pytest.raises(PrivateKeyMissing, match=f"authserver keys revoke {file.stem} --compromised"):
        start(make_settings(), outside)


def test_keys_move_to_a_new_key_encryption_key_and_the_old_one_can_go(
    make_server: MakeServer, make_settings: MakeSettings, outside: Outside
) -> None:
    make_server()
    both = {"key_encryption_key": OTHER_KEK, "previous_key_encryption_keys": (KEK,)}
    server = make_server(**both)
    assert len(server.capabilities.rotation.rewrap()) == 2
    assert server.capabilities.rotation.rewrap() == []
    start(make_settings(key_encryption_key=OTHER_KEK), outside)
    with pytest.raises(PrivateKeyMissing):
        start(make_settings(), outside)


def test_keys_in_the_clear_need_the_operators_word(make_server: MakeServer) -> None:
    plain = load(issuer=ISSUER)
    assert any("key_encryption_key" in problem for problem in missing_for_service(plain))
    chosen = load(issuer=ISSUER, allow_plaintext_keys=True)
    assert missing_for_service(chosen) == []
    server = make_server(key_encryption_key=None, allow_plaintext_keys=True)
    assert {file.suffix for file in key_files(server)} == {".jwk"}
    assert modes(*key_files(server)) == {"0o600"}
