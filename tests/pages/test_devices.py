import pytest
from hypothesis import given
from hypothesis import strategies as st

from authserver.pages.devices import LONGEST, Device, describe

MOBILE_SAFARI = "(KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1"
BLINK = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"
WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64)"
ANDROID = "Mozilla/5.0 (Linux; Android 10; K)"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15"
IPAD = "Mozilla/5.0 (iPad; CPU OS 18_1 like Mac OS X) AppleWebKit/605.1.15"
MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)"


@pytest.mark.parametrize(
    ("user_agent", "browser", "system"),
    [
        (f"{WINDOWS} {BLINK}", "Chrome", "Windows"),
        (f"{WINDOWS} {BLINK} Edg/142.0.0.0", "Edge", "Windows"),
        (f"{WINDOWS} {BLINK} OPR/120.0.0.0", "Opera", "Windows"),
        (
            f"{WINDOWS} AppleWebKit/537.36 Chrome/140.0.0.0 Whale/4.34.340.19 Safari/537.36",
            "Whale",
            "Windows",
        ),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0", "Firefox", "Linux"),
        (f"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) {BLINK}", "Chrome", "ChromeOS"),
        (f"{MAC} AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Safari/605.1.15", "Safari", "macOS"),
        (f"{IPHONE} {MOBILE_SAFARI}", "Safari", "iOS"),
        (f"{IPHONE} (KHTML, like Gecko) CriOS/142.0.0.0 Mobile/15E148 Safari/604.1", "Chrome", "iOS"),
        (f"{IPHONE} (KHTML, like Gecko) FxiOS/145.0 Mobile/15E148 Safari/605.1.15", "Firefox", "iOS"),
        (f"{IPHONE} (KHTML, like Gecko) Mobile/15E148 KAKAOTALK 25.8.0", "KakaoTalk", "iOS"),
        (f"{IPAD} {MOBILE_SAFARI}", "Safari", "iPadOS"),
        (f"{ANDROID} {BLINK}", "Chrome", "Android"),
        (f"{ANDROID} {BLINK} EdgA/142.0.0.0", "Edge", "Android"),
        (
            f"{ANDROID} AppleWebKit/537.36 SamsungBrowser/28.0 Chrome/130.0.0.0 Safari/537.36",
            "Samsung Internet",
            "Android",
        ),
        (f"{ANDROID} {BLINK} NAVER(inapp; search; 1220; 12.14.5)", "NAVER", "Android"),
        ("curl/8.14.1", "curl", None),
    ],
)
def test_well_known_browsers_are_named(user_agent: str, browser: str, system: str | None) -> None:
    assert describe(user_agent) == Device(browser, system)


@pytest.mark.parametrize(
    "user_agent", ["", "-", "x", "Mozilla/5.0", "<script>alert(1)</script>", "\r\n\x1b[31m\u2028"]
)
def test_what_is_not_known_is_not_guessed(user_agent: str) -> None:
    assert describe(user_agent) == Device(None, None)


@given(st.text())
def test_the_answer_never_contains_words_of_the_sender(user_agent: str) -> None:
    device = describe(user_agent + "Firefox/1 <b>")
    assert device.browser is None or device.browser.replace(" ", "").isalpha()
    assert device.system is None or device.system.isalpha()


def test_only_the_beginning_of_a_huge_header_is_read() -> None:
    assert describe("x" * LONGEST + "Firefox/145.0 Windows") == Device(None, None)
