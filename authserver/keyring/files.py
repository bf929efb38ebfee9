"""The `files` store: one file for each private key, in a folder that nobody else can read.

A file is written under another name, flushed to the disk, renamed, and the folder is flushed, all before the
database knows of the key. So a row never names a key that is not there; a file without a row is a leftover of a
crash and is deleted by the next one who holds the keyring's lock.
"""

import os
import stat
from pathlib import Path
from typing import Final

from sqlalchemy import Connection

OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
SEALED, PLAIN, OWNER = ".jwe", ".jwk", "database"


class KeyFolderUnsafe(Exception):
    """The folder or a file in it cannot be trusted or used; the message says what to do."""


class KeyFiles:
    """Private keys as `<kid>.jwe` or, in the clear, `<kid>.jwk`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def check(self) -> None:
        """Make the folder if there is none; refuse one that others can read.

        :raises KeyFolderUnsafe: with the command that mends it.
        """
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._refuse_shared(self.folder, "chmod 700")
            for file in self._files():
                self._refuse_shared(file, "chmod 600")
        except PermissionError:
            raise KeyFolderUnsafe(
                f"{self.folder} cannot be read by this user: chown it to whoever runs the server"
            ) from None
        except OSError as error:
            raise KeyFolderUnsafe(f"{self.folder} cannot be used: {error.strerror}") from None

    def claim(self, installation: str) -> None:
        """Write down whose keys these are, or refuse those of another database: they would be deleted as leftovers.

        :raises KeyFolderUnsafe: with what to do.
        """
        owner = self.folder / OWNER
        if not owner.is_file() and not self._files():
            self._write(owner, installation)
        elif not owner.is_file() or owner.read_text(encoding="ascii").strip() != installation:
            raise KeyFolderUnsafe(
                f"{self.folder} holds the keys of another database: check database_url and keys_directory, "
                "or give this one an empty folder"
            )

    def put(self, db: Connection, kid: str, sealed: str) -> None:  # noqa: ARG002 - the stores' shared shape
        """Write a key so that after this call it survives a power cut."""
        target = self._path(kid, sealed)
        self._write(target, sealed)
        other = self._path(kid, "{" if target.suffix == SEALED else "")
        other.unlink(missing_ok=True)

    def _write(self, target: Path, content: str) -> None:
        unfinished = target.with_suffix(".new")
        unfinished.unlink(missing_ok=True)
        descriptor = os.open(
            unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0), 0o600
        )
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(target)
        self._flush_folder()

    def get(self, db: Connection, kid: str) -> str | None:  # noqa: ARG002 - as above
        for suffix in (SEALED, PLAIN):
            file = self.folder / f"{kid}{suffix}"
            if file.is_file():
                self._refuse_shared(file, "chmod 600")
                return file.read_text(encoding="ascii", errors="replace")
        return None

    def delete(self, db: Connection, kid: str) -> None:  # noqa: ARG002 - as above
        for suffix in (SEALED, PLAIN, ".new"):
            (self.folder / f"{kid}{suffix}").unlink(missing_ok=True)

    def kids(self, db: Connection) -> set[str]:  # noqa: ARG002 - as above
        return {file.stem for file in self._files()}

    def _files(self) -> list[Path]:
        return [file for file in self.folder.iterdir() if file.suffix in {SEALED, PLAIN, ".new"}]

    def _path(self, kid: str, sealed: str) -> Path:
        return self.folder / f"{kid}{PLAIN if sealed.startswith('{') else SEALED}"

    def _refuse_shared(self, path: Path, mend: str) -> None:
        status = path.lstat()
        if stat.S_ISLNK(status.st_mode):
            raise KeyFolderUnsafe(f"{path} is a symbolic link: put the real one there")
        if os.name == "posix" and status.st_mode & OTHERS:
            raise KeyFolderUnsafe(f"{path} can be read by others: {mend} {path}")

    def _flush_folder(self) -> None:
        if os.name != "posix":
            return
        descriptor = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
