"""The tables of docs/conformance.md, made from the tests themselves: `python -m tests.conformance.table`.

Read and not run: a module's name is its test's, what is sent and what must come back is its docstring. Parametrised
tests count once; the two response modes of Basic OP are two plans.
"""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent
FAPI: Final = ("test_fapi2_authorization.py", "test_fapi2_token.py", "test_fapi2_dpop.py")
ABOUT_FAPI: Final = (
    "The generic modules of `fapi2-security-profile-final-test-plan`, each name of which begins with "
    "`fapi2-security-profile-final-`; for `private_key_jwt`, `dpop`, `plain_fapi`, `openid_connect`."
)
PLANS: Final[dict[str, tuple[str, tuple[str, ...]]]] = {
    "Basic OP, Form Post OP": (
        "`oidcc-basic-certification-test-plan`, and `oidcc-formpost-basic-certification-test-plan`: each test runs for both.",
        ("test_basic_op.py", "test_basic_op_requests.py"),
    ),
    "Config OP": ("`oidcc-config-certification-test-plan`.", ("test_config_op.py",)),
    "RP-Initiated Logout OP": (
        "`oidcc-rp-initiated-logout-certification-test-plan`.",
        ("test_rp_initiated_logout_op.py",),
    ),
    "Back-Channel Logout OP": (
        "`oidcc-backchannel-rp-initiated-logout-certification-test-plan`.",
        ("test_backchannel_logout_op.py",),
    ),
    "Front-Channel Logout OP": (
        "`oidcc-frontchannel-rp-initiated-logout-certification-test-plan`.",
        ("test_frontchannel_logout_op.py",),
    ),
    "FAPI 2.0 Security Profile Final": (
        ABOUT_FAPI,
        FAPI,
    ),
}
PREFIX: Final = "fapi2-security-profile-final-"
IRREGULAR: Final = {  # names that are not all dashes and small letters
    "attempt-reuse-request-uri": "attempt-reuse-request_uri",
    "use-expired-request-uri": "use-expired-request_uri",
    "use-request-uri-for": "use-request_uri-for",
    "containing-request-uri-form": "containing-request_uri-form",
    "with-rs256-fails": "with-RS256-fails",
}


def modules(file: str) -> Iterator[tuple[str, str, str]]:
    """Name of the module, what is sent, what must come back."""
    for node in ast.parse((FOLDER / file).read_text()).body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            sent, arrow, back = (ast.get_docstring(node) or "").partition(" → ")
            assert arrow, node.name
            assert "\n" not in back, node.name
            yield module_name(node.name), sent, back


def module_name(test: str) -> str:
    name = test.removeprefix("test_").replace("_", "-")
    for ours, theirs in IRREGULAR.items():
        name = name.replace(ours, theirs)
    return name


def tables() -> str:
    return "\n\n".join(_section(title, *plan) for title, plan in PLANS.items()) + "\n"


def _section(title: str, about: str, files: tuple[str, ...]) -> str:
    rows = [
        f"| `{name.removeprefix(PREFIX)}` | {sent} | {back} | pass |"
        for file in files
        for name, sent, back in modules(file)
    ]
    tests = ", ".join(f"[{file}](../tests/conformance/{file})" for file in files)
    head = f"| module ({len(rows)}) | sent | must come back | result |\n| --- | --- | --- | --- |"
    return "\n".join([f"## {title}", "", f"{about} Tests: {tests}", "", head, *rows])


if __name__ == "__main__":
    print(tables(), end="")  # noqa: T201 - its answer
