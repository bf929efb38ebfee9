"""The operator's accent colour, made readable: the content of `/static/theme.css`.

One colour is a setting; what goes on it and beside it is computed, so that no choice of an operator makes a page
that people cannot read. Ratios are WCAG 2.2: 4.5 for text (§1.4.3), 3 for the edge of a control (§1.4.11).
On the light page the accent stays as chosen. On the dark page it is lightened until it stands out.
"""

import re
from typing import Final, NamedTuple

_HEX: Final = re.compile(r"#(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})")
TEXT_RATIO: Final = 4.5
EDGE_RATIO: Final = 3.0
_STEPS: Final = 50
_LINEAR_BELOW: Final = 0.04045  # IEC 61966-2-1
_COLOURLESS: Final = 24  # of 255 between the strongest and the weakest channel


class Color(NamedTuple):
    """sRGB, 0 to 255 each."""

    red: int
    green: int
    blue: int

    def __str__(self) -> str:
        return f"#{self.red:02x}{self.green:02x}{self.blue:02x}"


WHITE: Final = Color(255, 255, 255)
BLACK: Final = Color(0, 0, 0)
# The grounds of static/style.css (--surface, --page); a test keeps the two files equal.
LIGHT_SURFACE: Final = WHITE
LIGHT_PAGE: Final = Color(0xF4, 0xF6, 0xF9)
DARK_SURFACE: Final = Color(0x17, 0x1A, 0x21)
DARK_PAGE: Final = Color(0x0D, 0x0F, 0x14)


def stylesheet(accent_color: str) -> str:
    """The custom properties for one accent colour, `#rgb` or `#rrggbb`; anything else raises ValueError."""
    accent = parse(accent_color)
    light = _properties(accent, surface=LIGHT_SURFACE, page=LIGHT_PAGE, hardest=LIGHT_PAGE)
    dark = _properties(_in_the_dark(accent), surface=DARK_SURFACE, page=DARK_PAGE, hardest=DARK_SURFACE)
    return f":root {{\n{light}}}\n\n@media (prefers-color-scheme: dark) {{\n:root {{\n{dark}}}\n}}\n"


def parse(text: str) -> Color:
    """`#rgb` or `#rrggbb` to a colour."""
    if not _HEX.fullmatch(text):
        raise ValueError(
            f"the accent colour {text[:40]!r} is not a hex colour: write it as #rgb or #rrggbb, e.g. #3355dd"
        )
    digits = text[1:] if len(text) == len("#rrggbb") else "".join(digit * 2 for digit in text[1:])
    return Color(*bytes.fromhex(digits))


def contrast(one: Color, other: Color) -> float:
    """WCAG contrast ratio, 1 to 21."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _properties(accent: Color, *, surface: Color, page: Color, hardest: Color) -> str:
    """`hardest` is the ground nearest to mid-grey: what is readable there is readable on the others."""
    on_accent = readable_on(accent)
    away = BLACK if on_accent == WHITE else WHITE
    values = {
        "accent": accent,
        "accent-hover": _mix(accent, away, 0.12),  # away from its text: hovering never costs contrast
        "accent-text": on_accent,
        "accent-edge": _until(accent, hardest, EDGE_RATIO),
        "accent-ink": _until(accent, hardest, TEXT_RATIO),
        "accent-tint": _mix(page, accent, 0.1),
        "accent-soft": _mix(surface, accent, 0.16),
    }
    return "".join(f"  --{name}: {value};\n" for name, value in values.items())


def readable_on(ground: Color) -> Color:
    """White where white is readable, else black: one of them always is (their lower bound is 4.58)."""
    return WHITE if contrast(WHITE, ground) >= TEXT_RATIO else BLACK


def _in_the_dark(accent: Color) -> Color:
    """Lightened until it stands out; a grey or black brand has no hue to keep and turns around instead."""
    hidden = contrast(accent, DARK_SURFACE) < EDGE_RATIO
    if hidden and max(accent) - min(accent) < _COLOURLESS:
        return Color(*(255 - channel for channel in accent))
    return _until(accent, DARK_SURFACE, EDGE_RATIO)


def _until(color: Color, ground: Color, ratio: float) -> Color:
    """`color`, moved away from `ground` just as far as the ratio asks."""
    target = max(BLACK, WHITE, key=lambda end: contrast(end, ground))
    shades = (_mix(color, target, step / _STEPS) for step in range(_STEPS + 1))
    return next(shade for shade in shades if contrast(shade, ground) >= ratio)


def _mix(color: Color, other: Color, share: float) -> Color:
    return Color(*(round(mine + (theirs - mine) * share) for mine, theirs in zip(color, other, strict=True)))


def _luminance(color: Color) -> float:
    red, green, blue = (_linear(channel / 255) for channel in color)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(channel: float) -> float:
    """The transfer function of sRGB, undone."""
    return channel / 12.92 if channel <= _LINEAR_BELOW else ((channel + 0.055) / 1.055) ** 2.4
