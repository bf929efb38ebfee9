"""What the README says is true: its settings table, its example, its tour."""

import re
from pathlib import Path
from typing import Any

from pydantic_core import PydanticUndefined

from authserver.settings import PREFIX, Settings

README = (Path(__file__).parents[2] / "README.md").read_text()
UNIT = ((86_400, "d"), (3_600, "h"), (60, "m"), (1, "s"))


def shown(value: Any) -> str:
    if value is None or value == "" or value is PydanticUndefined:
        return ""
    if hasattr(value, "total_seconds"):
        seconds = int(value.total_seconds())
        size, unit = next((size, unit) for size, unit in UNIT if seconds % size == 0)
        return f"`{seconds // size}{unit}`"
    if isinstance(value, tuple):
        return f"`[{', '.join(value)}]`" if value else ""
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def settings_table() -> str:
    rows = [
        f"| `{PREFIX}{name.upper()}` | {shown(field.default)} | {field.description} |"
        for name, field in Settings.model_fields.items()
    ]
    return "\n".join(("| setting | default | meaning |", "| --- | --- | --- |", *rows))


def block(marker: str) -> str:
    found = re.search(rf"<!-- {marker} -->\n```\w+\n(.*?)```", README, re.DOTALL)
    assert found is not None
    return found[1]


def test_the_table_of_settings_is_complete_and_true() -> None:
    assert settings_table() in README, f"put this into README.md:\n{settings_table()}"


def test_the_example_of_a_service_runs() -> None:
    names: dict[str, Any] = {}
    exec(compile(block("run: guard"), "README.md", "exec"), names)
    schema = names["app"].openapi()
    assert schema["paths"]["/me"]["get"]["security"]
    assert schema["paths"]["/orders/{number}"]["delete"]["security"]
