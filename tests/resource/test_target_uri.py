import pytest

from authserver.resource.target_uri import escaped, normal

ONE = "https://api.example.com/orders/1"


@pytest.mark.parametrize(
    "spelling",
    [
        ONE,
        "HTTPS://API.example.COM/orders/1",
        "https://api.example.com:443/orders/1",
        "https://api.example.com:/orders/1",
        f"{ONE}?page=2",
        f"{ONE}#top",
        f"{ONE}?page=2#top",
        "https://api.example.com/%6frders/%31",
    ],
)
def test_spellings_of_one_address_are_equal(spelling: str) -> None:
    assert normal(spelling) == ONE


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (ONE, f"{ONE}/"),
        (ONE, "https://api.example.com/Orders/1"),
        (ONE, "http://api.example.com/orders/1"),
        (ONE, "https://api.example.com:8443/orders/1"),
        (ONE, "https://api.example.com./orders/1"),
        ("https://a.example/a%2Fb", "https://a.example/a/b"),
        ("https://a.example/a/../b", "https://a.example/b"),
    ],
)
def test_different_addresses_stay_different(one: str, other: str) -> None:
    assert normal(one) is not None
    assert normal(one) != normal(other)


def test_escapes_are_compared_without_their_case_and_an_empty_path_is_the_root() -> None:
    assert normal("https://a.example/%ec%a3%bc") == normal("https://a.example/%EC%A3%BC")
    assert normal("https://a.example") == normal("https://a.example/")
    assert normal("https://[::1]:443/a") == normal("https://[::1]/a") == "https://[::1]/a"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/orders",
        "//api.example.com/orders",
        "ftp://api.example.com/orders",
        "https:///orders",
        "https://me@api.example.com/orders",
        "https://api.example.com\\@evil.example/",
        "https://api.example.com/a b",
        "https://api.example.com/a\tb",
        "https://api.example.com/a\n",
        " https://api.example.com/a",
        "https://api。example.com/a",
        "https://api.example.com/주문",
        "https://api.example.com:port/a",
        "https://api.example.com:70000/a",
        "https://[::1/a",
        "https://api%2eexample.com/a",
        "https://a.example/" + "x" * 2_100,
    ],
)
def test_what_has_no_one_meaning_has_no_normal_form(text: str) -> None:
    assert normal(text) is None


def test_path_that_a_framework_decoded_is_written_as_clients_write_it() -> None:
    assert escaped("/주문/a b:c@d") == "/%EC%A3%BC%EB%AC%B8/a%20b:c@d"
