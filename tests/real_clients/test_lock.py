"""The npm lock: complete, exact, and without an address, so that any registry may serve the packages."""

import json

from tests.real_clients import installed

PACKAGES = json.loads((installed.HERE / "package-lock.json").read_text())["packages"]


def test_lock_names_no_registry() -> None:
    for file in installed.NAMED:
        text = (installed.HERE / file).read_text()
        assert '"resolved"' not in text
        assert "registry." not in text


def test_every_locked_package_has_a_hash() -> None:
    named = {name.removeprefix("node_modules/"): facts for name, facts in PACKAGES.items() if name}
    assert set(named) == {"jose", "oauth4webapi", "openid-client"}
    assert all(facts["integrity"].startswith("sha512-") for facts in named.values())


def test_nothing_of_npm_is_installed_into_the_sources() -> None:
    assert not (installed.HERE / "node_modules").exists()
