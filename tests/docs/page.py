"""Run a page of the documentation as the program that it is: `python -W error -m tests.docs.page PAGE`.

Its blocks marked `<!-- run -->` one after another in one module, those marked `settings` as Django's settings, then
the test functions that they defined. In a process of its own, as Django and REST framework are configured once.
"""

import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

BLOCK = re.compile(r"<!-- run(?:: (\w+))? -->\n```python\n(.*?)```", re.DOTALL)


def configure_django(source: str, urls: str) -> None:
    import django
    from django.conf import settings
    from django.core.checks import run_checks

    chosen: dict[str, Any] = {}
    exec(source, chosen)
    named = {name: value for name, value in chosen.items() if name.isupper()}
    settings.configure(**named, ROOT_URLCONF=urls, ALLOWED_HOSTS=["testserver"], SECRET_KEY="of a test")
    django.setup()
    assert run_checks(tags=["security"]) == []


def run(page: Path) -> list[str]:
    """The names of the tests that passed."""
    module = ModuleType("page")
    sys.modules[module.__name__] = module
    for kind, source in BLOCK.findall(page.read_text()):
        if kind == "settings":
            configure_django(source, urls=module.__name__)
        else:
            exec(compile(source, str(page), "exec"), vars(module))
    tests = [name for name in vars(module) if name.startswith("test_")]
    for name in tests:
        vars(module)[name]()
    return tests


if __name__ == "__main__":
    print(*run(Path(sys.argv[1])))  # noqa: T201 - its answer
