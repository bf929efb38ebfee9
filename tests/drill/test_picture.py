"""The picture and the report say what happened: every state, every failure, in words for whoever sees no picture."""

import json
import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from authserver.drill import report
from authserver.drill.lives import lives
from authserver.drill.timeline import CROSSES, timeline
from authserver.keyring.states import State
from tests.drill.outcomes import BEGAN, GOOD, OTHER, key, outcome, seen, verdict

SVG = "{http://www.w3.org/2000/svg}"


def shapes(picture: str, name: str, class_: str) -> list[ET.Element]:
    """Those in the lanes; the legend has one of each as well."""
    found = [shape for shape in ET.fromstring(picture).iter(SVG + name) if shape.get("class") == class_]
    return found[:-1]


def words(picture: str) -> list[str]:
    return [shape.text or "" for shape in ET.fromstring(picture).iter(SVG + "text")]


def test_a_key_lives_through_its_states_in_order() -> None:
    (life,) = lives([key("a", State.REMOVED, 0, 10, 20, 30)], BEGAN + 40)
    assert [(part.state.value, part.since - BEGAN, part.until - BEGAN) for part in life.stretches] == [
        ("next", 0, 10),
        ("active", 10, 20),
        ("retired", 20, 30),
        ("removed", 30, 40),
    ]


def test_a_key_that_was_given_up_while_it_signed_was_never_retired() -> None:
    (life,) = lives([key("a", State.COMPROMISED, 0, 10, None, 20)], BEGAN + 40)
    assert [part.state.value for part in life.stretches] == ["next", "active", "compromised"]


def test_the_first_key_of_all_signed_at_once_and_comes_first() -> None:
    first, second = lives(
        [key("b", State.NEXT, 0, None, None, None), key("a", State.ACTIVE, 0, 0, None, None)], BEGAN + 9
    )
    assert (first.kid, [part.state.value for part in first.stretches]) == ("a", ["active"])
    assert (second.number, [part.state.value for part in second.stretches]) == (2, ["next"])


def test_the_picture_says_in_words_what_it_shows() -> None:
    drawn = ET.fromstring(timeline(outcome()))
    title, description = drawn.find(f"{SVG}title"), drawn.find(f"{SVG}desc")
    assert title is not None
    assert title.text == "120 verifications, 0 failures"
    assert description is not None
    assert "authserver guard: 0.30 s" in str(description.text)


def test_the_picture_shows_every_state_and_no_failure_where_there_was_none() -> None:
    picture = timeline(outcome())
    for state in ("active", "retired", "removed", "compromised"):
        assert shapes(picture, "rect", state), state
    assert not shapes(picture, "path", "failure")
    assert len(shapes(picture, "circle", "seen")) == 6


def test_each_failure_is_a_red_cross_and_a_thousand_are_no_red_stripe() -> None:
    refused = seen("first", 6, 6.2, accepted=False, reason="why <it> failed")
    picture = timeline(outcome(verdict(refused)))
    (cross,) = shapes(picture, "path", "failure")
    assert cross[0].text == "refused x 10: why <it> failed"
    many = timeline(outcome(verdict(*[refused] * 1_000)))
    assert len(shapes(many, "path", "failure")) == CROSSES


def test_a_verifier_that_never_refused_is_said_to_accept_still() -> None:
    forever = verdict(good=[sight for sight in GOOD if sight.reason != "signed_out"], of=OTHER)
    assert "still accepted" in words(timeline(outcome(forever)))


def test_the_picture_loads_nothing_and_knows_both_themes() -> None:
    picture = timeline(outcome())
    assert not re.findall(r"href|url\(|@import|<script", picture)
    assert "prefers-color-scheme: dark" in picture


def test_a_report_is_three_files_that_agree(tmp_path: Path) -> None:
    refused = seen("first", 6, 6.2, accepted=False, reason="unknown | kid")
    written = report.write(outcome(verdict(refused), verdict(of=OTHER)), tmp_path / "deep" / "folder")
    assert [file.name for file in written] == ["report.json", "report.md", "timeline.svg"]
    facts, text, picture = json.loads(written[0].read_text()), written[1].read_text(), written[2].read_text()
    assert (facts["verifications"], facts["failures"]) == (130, 10)
    assert facts["failures_by_kind"] == {"refused": 10, "late": 0, "forged": 0, "died": 0, "unseen": 0}
    assert text.startswith("# 130 verifications, 10 failures\n")
    assert "6.00 s, authserver guard: refused × 10, `first`: unknown | kid" in text
    assert "130 verifications, 10 failures" in picture


def test_a_report_counts_failures_that_it_does_not_list() -> None:
    refused = seen("first", 6, 6.2, accepted=False)
    listed = report.failures(outcome(verdict(*[refused] * 60)))
    assert len(listed) == report.SHOWN + 1
    assert listed[-1] == "and 10 more"


def test_a_report_names_what_was_measured_with() -> None:
    versions = report.versions(outcome())
    assert {"authserver", "python", "joserfc"} <= set(versions)
    assert "unknown" not in versions.values()


@pytest.mark.parametrize("column", ["verifications", "failures", "refused after", "at the worst"])
def test_the_table_has_a_row_for_each_verifier_and(column: str) -> None:
    assert column in report.HEADER
    assert all(len(row) == len(report.HEADER) for row in report.rows(outcome()))
