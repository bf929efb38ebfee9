"""What a person would call the device behind a User-Agent: "Chrome", "Windows".

The header is the sender's to write, so it decides nothing: it only helps a person to tell their own sessions apart.
The answer comes from the lists below and never from the header itself (no injection into the page or the log), and
what is not on them is unknown rather than guessed. Versions are left out: browsers freeze and falsify them.
"""

from dataclasses import dataclass
from typing import Final

LONGEST: Final = 512  # characters that are looked at; real headers have about 120

# The first mark found wins. Browsers name those they descend from, so descendants come first:
# Edge says "Chrome" and "Safari", Chrome says "Safari".
_BROWSERS: Final = (
    ("KAKAOTALK", "KakaoTalk"),
    ("NAVER(", "NAVER"),
    ("Edg/", "Edge"),
    ("EdgA/", "Edge"),
    ("EdgiOS/", "Edge"),
    ("Whale/", "Whale"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("OPR/", "Opera"),
    ("Vivaldi/", "Vivaldi"),
    ("FxiOS/", "Firefox"),
    ("Firefox/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
)
# Android says "Linux", an iPhone says "like Mac OS X".
_SYSTEMS: Final = (
    ("iPhone", "iOS"),
    ("iPad", "iPadOS"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Macintosh", "macOS"),
    ("Linux", "Linux"),
)


@dataclass(frozen=True, slots=True)
class Device:
    """None where the User-Agent does not say."""

    browser: str | None
    system: str | None


def describe(user_agent: str) -> Device:
    """Read an unverified User-Agent header of any size and content; never raises."""
    unverified_header = user_agent[:LONGEST]
    return Device(_first(_BROWSERS, unverified_header), _first(_SYSTEMS, unverified_header))


def _first(marks: tuple[tuple[str, str], ...], text: str) -> str | None:
    return next((name for mark, name in marks if mark in text), None)
