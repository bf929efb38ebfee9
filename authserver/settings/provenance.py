"""Where each setting came from, and which of those places give a secret away.

A secret in a file that everybody on the machine can read is none. But a container's secrets are mounted as 0444 for
whoever runs in it, and nobody there could `chmod` them: so a file is refused only where the running user owns it, and
on a file system that takes changes. Docker and Kubernetes mount theirs read-only.
"""

import os
import re
import stat
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from authserver.settings.model import PREFIX, Settings
from authserver.settings.sources import configuration, stated, variables

SECRETS: Final = ("key_encryption_key", "previous_key_encryption_keys", "database_url")
OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


class Kind(StrEnum):
    DEFAULT = "default"
    FILE = "file"
    ENVIRONMENT = "environment"
    COMMAND_LINE = "command line"


@dataclass(frozen=True, slots=True)
class Source:
    """What decided about a setting; `file` where that is a file."""

    kind: Kind
    file: Path | None = None


def provenance(config: Path | None = None, **chosen: Any) -> dict[str, Source]:
    """Answer where `load` takes each setting from, when it is called with the same arguments."""
    file = configuration(config, chosen.get("data"))
    known = stated(file)
    environment = variables()
    return {name: _source(name, chosen, environment, file, known) for name in Settings.model_fields}


def _source(
    name: str, chosen: Mapping[str, Any], environment: Mapping[str, str], file: Path, known: Mapping[str, Any]
) -> Source:
    variable = f"{PREFIX}{name.upper()}"
    if name in chosen:
        return Source(Kind.COMMAND_LINE)
    if environment.get(variable):
        return Source(Kind.ENVIRONMENT)
    if f"{variable}_FILE" in environment:
        return Source(Kind.FILE, Path(environment[f"{variable}_FILE"]))
    return Source(Kind.FILE, file) if name in known else Source(Kind.DEFAULT)


def on_read_only_mount(file: Path) -> bool:
    return bool(os.statvfs(file).f_flag & os.ST_RDONLY)


def exposed(
    sources: Mapping[str, Source], mounted_read_only: Callable[[Path], bool] = on_read_only_mount
) -> list[str]:
    """Say which files give a secret away, and what to do."""
    return list(_exposed(sources, mounted_read_only)) if os.name == "posix" else []


def _has_password(file: Path) -> bool:
    """A database's address is a secret only with a password in it."""
    return bool(re.search(r"://[^:/@\s]*:[^@\s]+@|[?&]password=", file.read_text(encoding="utf-8")))


def _exposed(sources: Mapping[str, Source], mounted_read_only: Callable[[Path], bool]) -> Iterator[str]:
    for name in SECRETS:
        file = sources[name].file
        if file is None or not file.is_file() or (name == "database_url" and not _has_password(file)):
            continue
        status = file.stat()
        if status.st_mode & OTHERS and status.st_uid == os.geteuid() and not mounted_read_only(file):
            yield f"{name}: {file} can be read by others: chmod 600 {file}"
