"""Which part of the app a path means: proxy and app must not see two different ones, however it is spelled."""

from itertools import product

import pytest

from tests.proxies.conftest import Person, Place

PLAIN = "/admin"
BEFORE = r"""
    / /. /; /;v=1 /x/.. /x/..; /x/%2e%2e /x/.%2E /x%2f.. /x/..%2f.. \ /\ /x\.. /x%5c..
    /public/.. /public/..; /public/%2e%2e /public/%252e%252e /public%2f.. /public\.. /public%5c%2e%2e
    //public ///public /public//.. /public#/.. /public%23/.. /public%3f/.. /public/%00/.. /public;/..
    /public/x/../.. /PUBLIC/.. /%70ublic/..
"""
NAMED = r"/admin /ADMIN /aDmin /%61dmin /%41DMIN /%2561dmin %2fadmin %252Fadmin \admin"
AFTER = r"""
    / /x ?x //x ;v=1 ;v=1/x %3bv=1 %3B/x .json %2ejson :x ,x %20 %00 %2fx %2Fx \x %5cx # /. /.. /./x /%2e/x
    #/../public/x /../public/x /%2e%2e/public/x /..;/public/x /..%2fpublic/x /..\public/x /../../public/x /%2e%2e%2fx
"""


def spelled() -> list[str]:
    """Every two of the three parts together; a path begins with a slash."""
    before, named, after = ["", *BEFORE.split()], NAMED.split(), ["", *AFTER.split()]
    found = {first + PLAIN + last for first, last in product(before, after)}
    found |= {first + name for first, name in product(before, named)}
    found |= {name + last for name, last in product(named, after)}
    return sorted(path for path in found if path.startswith("/"))


@pytest.mark.parametrize("signed_in", [True, False])
def test_no_spelling_leads_into_a_stricter_part_of_the_app(
    place: Place, who: Person, *, signed_in: bool
) -> None:
    """For somebody without the role, and through the open part for nobody in particular."""
    for path in spelled():
        answer = place.ask(path, who.cookie if signed_in else {})
        assert answer.status in (301, 308, 400, 401, 403), path
    assert [seen.path for seen in place.app.seen] == []


BESIDE = [
    "/public",
    "/publicity",
    "/PUBLIC/x",
    "/Public/x",
    "/%70ublic/x",
    "/x/public/y",
    "//public/x",
    "/public\\x",
]
BESIDE += [
    "/public/../x",
    "/public/%2e%2e/x",
    "/public/..%2Fx",
    "/public/..;/x",
    "/public;/x",
    "/x/../public/y",
]


@pytest.mark.parametrize("path", BESIDE)
def test_an_open_part_opens_nothing_beside_it(place: Place, path: str) -> None:
    assert place.ask(path).status in (301, 308, 400, 401)
    assert not place.app.seen


HARMLESS = " !\"$&'()*+,:<=>@[]^`{|}"


def test_of_what_can_be_written_with_a_percent_sign_only_what_no_reader_minds_passes(
    place: Place, who: Person
) -> None:
    for code, form in product(range(0x80), ("02x", "02X")):
        expected = 200 if chr(code) in HARMLESS else 400
        assert place.ask(f"/x%{code:{form}}y", who.cookie).status == expected, f"%{code:02x}"


PLAIN_PATHS = [
    "/",
    "/a%20b",
    "/%EA%B8%B8/%ea%b8%b8",
    "/.well-known/x",
    "/a..b/..c/d../...",
    "/~me/@you,a+b:c=d",
]
PLAIN_PATHS += ["/x?path=//a/../b;c%2f%5c%00#d", "/x/", "/a-b_c.html", "/it's/(so)!*$&"]


@pytest.mark.parametrize("path", PLAIN_PATHS)
def test_what_has_one_reading_reaches_the_app_as_it_was_sent(place: Place, who: Person, path: str) -> None:
    assert place.ask(path, who.cookie).status == 200
    assert place.seen().path == path.partition("#")[0] or path


def test_what_begins_like_a_stricter_part_is_stricter(place: Place, who: Person) -> None:
    for path in ("/admin", "/ADMIN/x", "/admin.json", "/admin:x", "/administration"):
        assert place.ask(path, who.cookie).status == 403
    assert not place.app.seen
