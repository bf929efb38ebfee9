"""Four processes rotate at once on one database: one new key."""

import json
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

from authserver.keyring import store
from authserver.keyring.models import signing_key
from authserver.keyring.states import Ring
from tests.conftest import ISSUER, KEK, MakeCapabilities

COMMAND = (sys.executable, "-m", "authserver", "keys", "rotate", "--json")


def test_four_processes_that_rotate_at_once_make_one_new_key(
    make_capabilities: MakeCapabilities, database_url: str, tmp_path: Path
) -> None:
    parts = make_capabilities()
    parts.rotation.keep(["RS256"])

    def ring() -> Ring:
        return parts.database.read(lambda db: store.ring(db, "RS256"))

    long_ago = parts.clock.now() - timedelta(days=1)
    parts.database.write(lambda db: db.execute(signing_key.update().values(published_at=long_ago)))
    before = ring()
    environment = os.environ | {
        "AUTHSERVER_ISSUER": ISSUER,
        "AUTHSERVER_DATA": str(tmp_path),
        "AUTHSERVER_DATABASE_URL": database_url,
        "AUTHSERVER_KEY_ENCRYPTION_KEY": KEK,
    }
    running = [subprocess.Popen(COMMAND, env=environment, stdout=subprocess.PIPE) for _ in range(4)]
    answers = [json.loads(process.communicate(timeout=60)[0]) for process in running]
    assert [process.returncode for process in running] == [0, 0, 0, 0], answers
    after = ring()
    assert len(after.published) == len(before.published) + 1
    assert before.next is not None
    assert after.active is not None
    assert after.active.kid == before.next.kid
