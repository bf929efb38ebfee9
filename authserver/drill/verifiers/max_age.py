"""A JWKS kept to the last moment of its max-age and never asked for sooner: the strictest cache that the rules allow.

It counts from the moment the answer arrived, the latest that RFC 9111 §4.2 can be read: whoever keeps keys longer than
this breaks the promise himself.
"""

import json
from collections.abc import Callable

from joserfc.jwk import KeySet

from authserver.resource.http import Fetch


class MaxAgeCache:
    """Answers the keys, fetching them when their time is over; a fetch that fails is the service's failure."""

    def __init__(self, url: str, fetch: Fetch, clock: Callable[[], float]) -> None:
        self._url = url
        self._fetch = fetch
        self._clock = clock
        self._keys = KeySet([])
        self._fresh_until = clock()

    @property
    def keys(self) -> KeySet:
        """The keys of the moment.

        :raises ValueError: the answer has no max-age, or is no JWKS.
        """
        if self._clock() >= self._fresh_until:
            answer = self._fetch(self._url, None)
            if answer.max_age is None:
                raise ValueError("a JWKS without max-age")
            self._keys = KeySet.import_key_set(json.loads(answer.body))
            self._fresh_until = self._clock() + answer.max_age
        return self._keys
