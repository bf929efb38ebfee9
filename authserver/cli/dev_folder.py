"""The folder of `authserver dev`: for one at a time, and with a configuration that the other commands find.

Two in one folder would share its database and write `authserver.toml` over each other, each with its own port: the
operator's commands would then speak of a server that is not the one he looks at. The lock ends with the process,
however that ends, so nothing is left to clear away.
"""

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from authserver.settings import Settings, load

CONFIG = """# Written anew at each start of `authserver dev`, so that the other commands find the same data:
#     authserver keys list --data {data}
# Another app of yours: authserver dev --allow-origin http://127.0.0.1:8080
development = true
issuer = {issuer}
allowed_origins = {origins}
allow_plaintext_keys = true
log_format = "console"
log_level = "WARNING"
"""


class FolderTaken(Exception):
    """Another process uses this folder; `port` is where it listens, as far as is known."""

    def __init__(self, port: str) -> None:
        super().__init__(port)
        self.port = port


@contextmanager
def alone_in(folder: Path, port: int) -> Iterator[None]:
    """Have the folder to ourselves inside the block, making it if there is none.

    :raises FolderTaken: somebody else has it.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (folder / "dev.lock").open("a+", encoding="ascii") as file:
        if not _lock(file):
            file.seek(0)
            raise FolderTaken(file.read().strip())
        file.truncate(0)
        file.write(f"{port}\n")
        file.flush()
        yield


def _lock(file: TextIO) -> bool:
    if sys.platform == "win32":
        return True  # no flock there: whoever starts two has to know
    import fcntl  # noqa: PLC0415 - POSIX has it

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def configure(folder: Path, issuer: str, origins: Sequence[str]) -> Settings:
    """Write the configuration that the other commands read with `--data`, then read it ourselves.

    Origins of the environment come on top: in their place they would lock the example apps out.
    """
    file = folder / "authserver.toml"
    written = CONFIG.format(data=folder, issuer=json.dumps(issuer), origins=json.dumps(list(origins)))
    file.write_text(written, encoding="utf-8")
    settings = load(file, data=folder)
    together = tuple(dict.fromkeys((*origins, *settings.allowed_origins)))
    return settings.model_copy(update={"allowed_origins": together})
