"""A resource service installs the library without the server; the command is there all the same."""

import subprocess
import sys


def test_without_the_server_extra_the_command_says_what_to_install() -> None:
    script = "import sys; sys.modules['typer'] = None; from authserver.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert 'pip install "authserver[server]"' in done.stderr
    assert "Traceback" not in done.stderr
