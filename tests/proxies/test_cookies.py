"""Which cookies reach the app: its own, and none that would make it a person at another app."""

import pytest

from authserver.protocol import cookies
from tests.proxies.conftest import Person, Place

OURS = [value for name, value in vars(cookies).items() if name.isupper()]
OTHERS = [name for name in OURS if name != cookies.TOKEN_HOST_ONLY]
COOKIES = {
    "a=1; {token}; b=2": ["a=1", "b=2"],
    "{token}; a=1": ["a=1"],
    "a=1; {token}": ["a=1"],
    "{token}": [],
    "__Host-session=s; a=1;{token}; __Host-form=f; b=2; __Host-device=d": ["a=1", "b=2"],
    "not__Host-session=1; {token}; x__Host-access_token=2": ["not__Host-session=1", "x__Host-access_token=2"],
    "; ".join(f"{name}=s" for name in OTHERS) + "; a=1; {token}": ["a=1"],
    "a=1; {token}; b=2; " + "; ".join(f"{name}=s; {name}2=t" for name in OURS[:3]): [
        "a=1",
        "b=2",
        *(f"{name}2=t" for name in OURS[:3]),
    ],
}


@pytest.mark.parametrize("sent", list(COOKIES))
def test_the_app_gets_its_own_cookies_and_none_of_the_login_services(
    place: Place, who: Person, sent: str
) -> None:
    assert place.ask("/", {"Cookie": sent.format(token=who.cookie["Cookie"])}).status == 200
    arrived = ";".join(place.seen().values("Cookie")).split(";")
    assert [pair.strip() for pair in arrived if pair.strip()] == COOKIES[sent]


@pytest.mark.parametrize("lines", [1, 2])
def test_however_many_were_planted_no_true_one_reaches_the_app(place: Place, who: Person, lines: int) -> None:
    """A site below the same domain sets as many as it likes, in front of ours and between the app's own."""
    planted = [
        f"{name.replace('__Host', '__Secure')}=x; own{number}=1" for number, name in enumerate(OURS * 3)
    ]
    true = [f"{name}=true" for name in OTHERS]
    sent = [("Cookie", "; ".join([*planted, *true])), ("Cookie", who.cookie["Cookie"])]
    together = [("Cookie", "; ".join(value for _, value in sent))]
    assert place.ask("/", together if lines == 1 else sent).status == 200
    arrived = "; ".join(place.seen().values("Cookie"))
    assert "true" not in arrived
    assert who.token not in arrived
    assert not [name for name in OURS if f"{name}=" in arrived]
