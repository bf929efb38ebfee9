"""The npm packages of `node/package-lock.json`, installed once for all runs, outside the sources.

They lie below `.venv/`, in a folder named for the lock: another lock, another folder. npm works in a folder of its
own, which is renamed when it is whole, so neither a second worker nor an interrupted run can see half of it.
"""

import hashlib
import os
import shutil
import subprocess
from pathlib import Path
from tempfile import mkdtemp
from typing import Final, NoReturn

import pytest

HERE: Final = Path(__file__).parent / "node"
PLACE: Final = Path(__file__).parents[2] / ".venv" / "node"
NAMED: Final = ("package.json", "package-lock.json", ".npmrc")
COMMAND: Final = (
    *("ci", "--ignore-scripts", "--no-audit", "--no-fund"),
    *("--fetch-retries=1", "--fetch-retry-mintimeout=1000"),  # without a network it should not take a minute
)
OLDEST_NODE: Final = 20
DOWNLOAD_SECONDS: Final = 90


def node() -> str:
    """Answer the node to run, or skip with the reason."""
    found = shutil.which("node")
    if found is None:
        _cannot("there is no node here")
    version = subprocess.run((found, "--version"), capture_output=True, text=True, check=True).stdout.strip()
    if int(version.removeprefix("v").partition(".")[0]) < OLDEST_NODE:
        _cannot(f"node is {version}, and these libraries need {OLDEST_NODE} or newer")
    return found


def node_modules() -> Path:
    """Answer the folder with the packages; the first who needs them installs them."""
    wanted = PLACE / hashlib.sha256(b"".join((HERE / name).read_bytes() for name in NAMED)).hexdigest()[:16]
    if not wanted.is_dir():
        _install(wanted)
    return wanted / "node_modules"


def _install(wanted: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        _cannot("there is no npm here")
    PLACE.mkdir(parents=True, exist_ok=True)
    begun = Path(mkdtemp(prefix="begun-", dir=PLACE))
    try:
        for name in NAMED:
            shutil.copy(HERE / name, begun)
        _download(npm, begun)
        begun.chmod(0o755)
        _put(begun, wanted)
    finally:
        shutil.rmtree(begun, ignore_errors=True)


def _download(npm: str, folder: Path) -> None:
    try:
        done = subprocess.run(
            (npm, *COMMAND), cwd=folder, capture_output=True, text=True, check=False, timeout=DOWNLOAD_SECONDS
        )
    except subprocess.TimeoutExpired:
        _cannot(f"npm was not done within {DOWNLOAD_SECONDS} s")
    if done.returncode:
        why = [line for line in done.stderr.splitlines() if line.startswith("npm error")]
        _cannot(f"npm cannot download the packages: {' '.join(why[:3])}")


def _put(begun: Path, wanted: Path) -> None:
    """Rename; another worker may have been faster, with the same packages."""
    try:
        begun.rename(wanted)
    except OSError:
        if not wanted.is_dir():
            raise


def _cannot(why: str) -> NoReturn:
    if os.environ.get("REQUIRE_NODE") == "1":
        pytest.fail(f"REQUIRE_NODE=1, and {why}")
    pytest.skip(why)
