"""Kill a rotation at its N-th step, for many N, and see whether the next start heals. Run as a program of its own.

A step is a call that the rotation makes: the process kills itself with SIGKILL when it makes the N-th. So nothing is
tidied up, no `finally` runs, no buffer is flushed.

    python -m tests.keyring.crash DATABASE_URL DATA_FOLDER EVERY
"""

import os
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Any

from authserver.capabilities import Capabilities, build
from authserver.keyring import store
from authserver.keyring.live import LiveKeyring
from authserver.keyring.states import State
from authserver.settings import load

ALGORITHM = "ES256"  # a key pair in no time
WATCHED = ("authserver/keyring/", "authserver/database.py", "authserver/audit/")


def parts(url: str, data: Path) -> Capabilities:
    settings = load(
        issuer="https://login.example.com",
        data=data,
        database_url=url,
        allow_plaintext_keys=True,
        signing_algorithms=[ALGORITHM],
        jwks_max_age="1s",
        clock_skew="10s",
        rotation_period="1d",
    )
    return build(settings)


def rotate(url: str, data: Path, kill_at: int) -> None:
    """Compromise the active key: the change with the most steps, and it needs no waiting."""
    made = parts(url, data)
    ring = made.database.read(lambda db: store.ring(db, ALGORITHM))
    assert ring.active is not None
    active, left = ring.active, kill_at

    def count(frame: FrameType, event: str, _argument: Any) -> None:
        nonlocal left
        if event in {"call", "c_call"} and any(place in frame.f_code.co_filename for place in WATCHED):
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.setprofile(count)
    made.rotation.compromise(active, lambda db, change: None)
    made.rotation.keep([ALGORITHM])
    sys.setprofile(None)


def heal(url: str, data: Path) -> None:
    """What a start does; then exactly one key is active, it opens, and no private key lies about."""
    made = parts(url, data)
    made.vault.check()
    made.rotation.keep([ALGORITHM])
    ring = made.database.read(lambda db: store.ring(db, ALGORITHM))
    states = [key.state for key in ring.keys]
    assert (states.count(State.ACTIVE), states.count(State.NEXT)) == (1, 1), states
    live = LiveKeyring(made.database, made.vault, made.clock, made.settings.clock_skew)
    live.refresh()
    assert live.signer(ALGORITHM).sign("at+jwt", {})
    signable = {key.kid for key in ring.keys if key.state in {State.ACTIVE, State.NEXT}}
    assert {file.stem for file in (data / "keys").glob("*.jw?")} == signable
    made.database.close()


def main(url: str, data: Path, every: int) -> None:
    heal(url, data)
    killed, step = 0, 1
    while True:
        child = os.fork()
        if child == 0:
            rotate(url, data, step)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        heal(url, data)
        if os.WIFEXITED(status):
            assert os.WEXITSTATUS(status) == 0
            break
        killed, step = killed + 1, step + every
    sys.stdout.write(str(killed))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
