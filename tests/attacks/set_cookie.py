"""Reading Set-Cookie as a browser does (RFC 6265bis §5.6): a name, a value, attributes without regard to case."""

from dataclasses import dataclass

import httpx2


@dataclass(frozen=True, slots=True)
class SetCookie:
    name: str
    value: str
    attributes: dict[str, str]

    @property
    def shape(self) -> dict[str, str]:
        """Everything by which a browser tells this cookie from another, and how it is guarded."""
        return {name: value for name, value in self.attributes.items() if name not in {"max-age", "expires"}}

    @property
    def max_age(self) -> int:
        return int(self.attributes["max-age"])


def set_cookies(answer: httpx2.Response) -> dict[str, SetCookie]:
    """Answer every Set-Cookie by name; the same name twice is a mistake of the server."""
    found = [_read(line) for line in answer.headers.get_list("set-cookie")]
    by_name = {cookie.name: cookie for cookie in found}
    assert len(by_name) == len(found)
    return by_name


def _read(line: str) -> SetCookie:
    pair, *attributes = line.split(";")
    name, _, value = pair.partition("=")
    named = (attribute.strip().partition("=") for attribute in attributes)
    return SetCookie(name, value.strip('"'), {key.lower(): text for key, _, text in named})
