import re
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from authserver.pages.theme import (
    DARK_PAGE,
    DARK_SURFACE,
    LIGHT_PAGE,
    LIGHT_SURFACE,
    Color,
    contrast,
    parse,
    stylesheet,
)

PAGES = Path(__file__).parents[2] / "authserver" / "pages"
STYLE = (PAGES / "static" / "style.css").read_text()
LAYOUT = (PAGES / "templates" / "layout.html").read_text()
DARK_QUERY = "@media (prefers-color-scheme: dark)"

channels = st.integers(0, 255)
accents = st.builds(Color, channels, channels, channels).map(str)


def schemes(css: str) -> tuple[dict[str, Color], dict[str, Color]]:
    """The hex-valued custom properties of the light and of the dark :root block."""
    light, dark = css.split(DARK_QUERY)
    return colors(light), colors(dark.split("}", 1)[0])


def colors(css: str) -> dict[str, Color]:
    return {name: parse(value) for name, value in re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", css)}


@given(accents)
@settings(deadline=None)
@example("#ffffff")
@example("#000000")
@example("#777777")
@example("#ffde00")
@example("#171a21")
def test_any_accent_gives_readable_pages_in_light_and_dark(accent: str) -> None:
    grounds = ((LIGHT_SURFACE, LIGHT_PAGE), (DARK_SURFACE, DARK_PAGE))
    for theme, text, (surface, page) in zip(schemes(stylesheet(accent)), texts(), grounds, strict=True):
        assert contrast(theme["accent"], theme["accent-text"]) >= 4.5
        assert contrast(theme["accent-hover"], theme["accent-text"]) >= 4.5
        assert contrast(theme["accent-soft"], text) >= 4.5
        assert contrast(theme["accent-tint"], text) >= 4.5
        for ground in (surface, page):
            assert contrast(theme["accent-ink"], ground) >= 4.5
            assert contrast(theme["accent-edge"], ground) >= 3


def texts() -> tuple[Color, Color]:
    light, dark = schemes(STYLE)
    return light["text"], dark["text"]


def test_the_accent_stays_as_chosen_on_the_light_page() -> None:
    assert schemes(stylesheet("#FFDE00"))[0]["accent"] == Color(0xFF, 0xDE, 0)


def test_a_black_brand_becomes_a_light_button_in_the_dark() -> None:
    assert schemes(stylesheet("#111"))[1]["accent"] == Color(0xEE, 0xEE, 0xEE)


def test_three_digits_mean_six() -> None:
    assert stylesheet("#3a5") == stylesheet("#33aa55")


@pytest.mark.parametrize(
    "text", ["", "red", "#12345", "#ggg", "33aa55", "#fff\n", "#fff;} body{display:none", "#١٢٣"]
)
def test_anything_but_a_hex_colour_is_refused_with_what_to_write(text: str) -> None:
    with pytest.raises(ValueError, match="#rgb or #rrggbb"):
        stylesheet(text)


def test_the_grounds_that_contrast_is_computed_against_are_those_of_the_stylesheet() -> None:
    light, dark = schemes(STYLE)
    assert (light["surface"], light["page"]) == (LIGHT_SURFACE, LIGHT_PAGE)
    assert (dark["surface"], dark["page"]) == (DARK_SURFACE, DARK_PAGE)
    assert f'content="{LIGHT_SURFACE}" media="(prefers-color-scheme: light)"' in LAYOUT
    assert f'content="{DARK_SURFACE}" media="(prefers-color-scheme: dark)"' in LAYOUT


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(
    ("front", "ground", "ratio"),
    [
        ("text", "surface", 4.5),
        ("text", "page", 4.5),
        ("muted", "surface", 4.5),
        ("muted", "page", 4.5),
        ("danger", "surface", 4.5),
        ("danger", "page", 4.5),
        ("danger", "danger-soft", 4.5),
        ("success", "success-soft", 4.5),
        ("success", "surface", 3),
        ("field-edge", "surface", 3),
        ("danger", "surface", 3),
    ],
)
def test_the_stylesheets_own_colours_are_readable(scheme: int, front: str, ground: str, ratio: float) -> None:
    palette = schemes(STYLE)[scheme]
    assert contrast(palette[front], palette[ground]) >= ratio


def test_every_custom_property_in_use_is_defined() -> None:
    defined = re.findall(r"--([a-z-]+):", STYLE + stylesheet("#35d"))
    assert set(re.findall(r"var\(--([a-z-]+)\)", STYLE)) <= set(defined)


def test_the_stylesheet_asks_nobody_else_for_anything() -> None:
    assert not re.search(r"url\(|@import|@font-face|//", STYLE)


def test_focus_is_never_hidden_and_motion_is_only_for_those_who_want_it() -> None:
    assert not re.search(r"outline(-width)?:\s*(none|0)", STYLE)
    before, after = STYLE.split("@media (prefers-reduced-motion: no-preference)")
    assert not re.search(r"transition|animation", before)
    assert "transition" in after
