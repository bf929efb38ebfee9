"""What a named resource service tells the login service about itself: which list and which keys it goes by.

The body of `POST /revocations/heard` (JSON)::

    {"service": "orders", "instance": "web-1:4711:pX0…", "sequence": 19, "mark": "Zk3…", "kids": ["…"], "by": "stream"}

`service` is the name that its owner chose, `instance` that of the process: by our guards its host, its number there and
something random, for containers share the first two. Nobody is asked for a secret, so this is what somebody said: good
for a list and a warning, never for a decision about a token.
"""

from typing import Final

BY: Final = ("stream", "long_poll", "poll")
SAID_EVERY: Final = 15.0  # seconds, and after each change
ALIVE_FOR: Final = 40.0  # then one is not counted: a report may be lost, and the next be late
LONGEST_NAME: Final = 64
MOST_KIDS: Final = 32
