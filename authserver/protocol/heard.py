"""What a named resource service tells the login service about itself: which list and which keys it goes by.

The body of `POST /revocations/heard` (JSON)::

    {"service": "orders", "instance": "pX0…", "sequence": 19, "mark": "Zk3…", "kids": ["…", "…"], "by": "stream"}

`service` is the name that its owner chose, `instance` a random name of the process. Nobody is asked for a secret, so
this is what somebody said: good for a list and a warning, never for a decision about a token.
"""

from typing import Final

BY: Final = ("stream", "long_poll", "poll")
SAID_EVERY: Final = (
    30.0  # seconds, and after each change; who is silent for longer than ALIVE_FOR is not counted
)
ALIVE_FOR: Final = 90.0
LONGEST_NAME: Final = 64
MOST_KIDS: Final = 32
