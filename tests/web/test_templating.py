from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from jinja2 import UndefinedError

from authserver.web.localization import Catalogs
from authserver.web.templating import Templates

LOCALE = Path(__file__).parents[2] / "authserver" / "pages" / "locale"
CATALOGS = Catalogs.load(LOCALE)


def render(source: str, directory: Path, locale: str = "en", **context: object) -> str:
    (directory / "page.html").write_text(source)
    return Templates(directory, CATALOGS, product_name="Northwind").render("page.html", locale, **context)


def test_values_are_escaped_in_text_and_attributes(tmp_path: Path) -> None:
    html = render('<b title="{{ v }}">{{ v }}</b>', tmp_path, v="\"'><script>")
    assert html == '<b title="&#34;&#39;&gt;&lt;script&gt;">&#34;&#39;&gt;&lt;script&gt;</b>'


def test_values_inside_a_translated_sentence_are_escaped(tmp_path: Path) -> None:
    html = render('{{ _("Welcome, %(name)s", name=name) }}', tmp_path, "ko", name="<i>")
    assert html == "&lt;i&gt; 님, 환영합니다"


def test_a_percent_sign_in_a_value_is_only_a_percent_sign(tmp_path: Path) -> None:
    assert render('{{ _("Welcome, %(name)s", name=name) }}', tmp_path, name="100%(s") == "Welcome, 100%(s"


def test_a_misspelt_variable_is_an_error_not_an_empty_place(tmp_path: Path) -> None:
    with pytest.raises(UndefinedError):
        render("{{ usrname }}", tmp_path, username="demo")


def test_each_locale_speaks_its_own_words(tmp_path: Path) -> None:
    source = '{{ lang }} {{ locale }} {{ dir }} {{ _("Sign out") }} {{ product_name }}'
    assert render(source, tmp_path) == "en en ltr Sign out Northwind"
    assert render(source, tmp_path, "ko") == "ko ko ltr 로그아웃 Northwind"


@pytest.mark.parametrize(
    ("locale", "text"), [("en", "Nov 3, 2025 at 05:03 UTC"), ("ko", "2025년 11월 3일 05:03 UTC")]
)
def test_a_moment_is_readable_in_each_language_and_by_machines(
    locale: str, text: str, tmp_path: Path
) -> None:
    moment = datetime(2025, 11, 3, 14, 3, 9, tzinfo=timezone(timedelta(hours=9)))
    html = render("{{ v | datetime }}", tmp_path, locale, v=moment)
    assert html == f'<time datetime="2025-11-03T05:03:09Z">{text}</time>'


def test_a_moment_inside_a_translated_sentence_stays_an_element(tmp_path: Path) -> None:
    source = '{{ _("Signed in: %(moment)s", moment=v | datetime) }}'
    html = render(source, tmp_path, v=datetime(2025, 1, 1, tzinfo=UTC))
    assert html == 'Signed in: <time datetime="2025-01-01T00:00:00Z">Jan 1, 2025 at 00:00 UTC</time>'


def test_a_naive_datetime_is_a_programming_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="time zone"):
        render("{{ v | datetime }}", tmp_path, v=datetime(2025, 1, 1))  # noqa: DTZ001 - naive is what is tested
