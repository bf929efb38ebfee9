import subprocess
import sys

import pytest

import authserver.resource as package

ALLOWED = {"joserfc", "cryptography", "cffi", "_cffi_backend", "pycparser", "authserver", "typing_extensions"}


def modules_after(statement: str) -> set[str]:
    script = f"import sys; {statement}; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=30
    )
    return set(done.stdout.split())


def test_importing_the_package_loads_no_cryptography() -> None:
    loaded = modules_after("import authserver.resource")
    assert not {name.partition(".")[0] for name in loaded} & {"joserfc", "cryptography", "asyncio", "urllib"}


def test_the_guard_needs_joserfc_and_the_standard_library_only() -> None:
    loaded = modules_after("import authserver.resource.guard, authserver.resource.testing")
    foreign = {name.partition(".")[0] for name in loaded} - set(sys.stdlib_module_names) - ALLOWED
    assert not {name for name in foreign if not name.startswith(("_", "sitecustomize", "usercustomize"))}
    ours = {name for name in loaded if name.startswith("authserver.")}
    assert all(name.startswith(("authserver.resource", "authserver.protocol")) for name in ours)


def test_the_guard_loads_nothing_heavy_before_it_is_used() -> None:
    loaded = modules_after("import authserver.resource.guard")
    assert not loaded & {"asyncio", "urllib.request", "http.client", "joserfc.jwe", "joserfc.jwt", "fastapi"}


@pytest.mark.parametrize("name", package.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(package, name).__name__ == name


def test_other_names_are_not() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        package.nothing  # noqa: B018 - what is tested
