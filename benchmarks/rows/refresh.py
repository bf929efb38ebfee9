"""`refresh`: POST /session/refresh, how many statements it takes, and its rate against RSA signing alone.

The statements are counted where they leave: SQLAlchemy is listened to while the real application answers one request.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping
from contextlib import ExitStack
from functools import partial
from typing import Any, Final

from sqlalchemy import event

from authserver.app import Server, create_app
from authserver.protocol import cookies
from benchmarks.goals import RAW_SIGN, REFRESH_POSTGRESQL, REFRESH_READS, REFRESH_WRITES, SQLITE, Judged
from benchmarks.installation import Installation
from benchmarks.records import Record
from benchmarks.rounds import Measure, Operation, Samples, Spread, alternate, interleave, ratio
from benchmarks.rows.mint import raw_sign
from benchmarks.rows.renewals import PEOPLE, renew
from benchmarks.stand import Stand, with_cpu

OURS: Final = "authserver"
WORK: Final = "refresh"
READS: Final = frozenset(("SELECT", "WITH"))
WRITES: Final = frozenset(("INSERT", "UPDATE", "DELETE", "MERGE"))
