"""npm oidc-provider: the certified provider that many measure themselves by, with its in-memory adapter.

Installed by its lock file into a folder beside the environment of this project, once; nothing lies in the checkout.
"""

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from joserfc.jwk import RSAKey

from authserver.opaque import new_secret
from benchmarks.processes import Server, free_port, node

HERE: Final = Path(__file__).parent
FILES: Final = ("package.json", "package-lock.json", "server.mjs")
CACHE: Final = Path(__file__).parents[3] / ".venv" / "peers"
INSTALL: Final = ("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent")
LEFT_OUT: Final = "npm oidc-provider: node and npm are needed, and a registry to install it from"
SECONDS: Final = 120


def installed() -> Path | None:
    """Answer the folder in which it is installed, installing it if need be; None where that cannot be done."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        return None
    content = b"".join((HERE / name).read_bytes() for name in FILES)
    folder = CACHE / f"oidc-provider-{hashlib.sha256(content).hexdigest()[:16]}"
    if folder.exists():
        return folder
    being_made = folder.with_suffix(f".{os.getpid()}")
    being_made.mkdir(parents=True)
    for name in FILES:
        shutil.copy(HERE / name, being_made)
    try:
        subprocess.run(INSTALL, cwd=being_made, check=True, timeout=SECONDS, capture_output=True)
    except (subprocess.SubprocessError, OSError):
        shutil.rmtree(being_made, ignore_errors=True)
        return None
    being_made.rename(folder)
    return folder


@contextmanager
def serving(
    package: Path, scratch: Path, *, workers: int = 1, opaque: bool = False, seeded: int = 0
) -> "Iterator[tuple[Server, str]]":
    """Run it; answer the server and its clients' secret. Refresh tokens lie in `scratch / "seed"`, if any were wanted.

    :raises NotStarted: it did not come up.
    """
    scratch.mkdir(exist_ok=True)
    key, secret, port = scratch / "key.json", new_secret(), free_port()
    private = RSAKey.generate_key(2048, {"kid": "k1", "use": "sig", "alg": "RS256"}, private=True)
    key.write_text(json.dumps(private.as_dict(private=True)))
    environment = {"PORT": str(port), "WORKERS": str(workers), "SECRET": secret, "KEY": str(key)}
    environment |= {"OPAQUE": "yes"} if opaque else {}
    environment |= {"SEED": str(scratch / "seed"), "SEEDED": str(seeded)} if seeded else {}
    with node(package / "server.mjs", port, environment, scratch / "server.log", ready="/jwks") as server:
        yield server, secret
