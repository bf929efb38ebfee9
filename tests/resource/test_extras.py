"""An adapter without its framework says which command installs it, and nothing else is swallowed for that."""

import subprocess
import sys

import pytest

from authserver.resource.extras import FRAMEWORKS, Needs

WITHOUT = """
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name == {framework!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Absent())
try:
    import {adapter}
except ModuleNotFoundError as error:
    print(error)
"""
ADAPTERS = {
    "fastapi": "authserver.resource.fastapi",
    "flask": "authserver.resource.flask",
    "django": "authserver.resource.django",
    "rest_framework": "authserver.resource.rest_framework",
}


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_an_adapter_without_its_framework_says_what_to_install(framework: str) -> None:
    script = WITHOUT.format(framework=framework, adapter=ADAPTERS[framework])
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=30
    )
    extra = FRAMEWORKS[framework]
    assert done.stdout.strip() == f'{framework} is not installed: pip install "authserver[{extra}]"'


def test_what_is_missing_for_another_reason_is_said_as_it_is() -> None:
    for error in (ModuleNotFoundError("no", name="fastapi.nothing"), ImportError("fastapi"), ValueError("x")):
        with pytest.raises(type(error), match=f"^{error}$"), Needs("fastapi"):
            raise error
