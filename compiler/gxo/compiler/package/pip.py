"""Runs pip, which knows the package index that this host is set up for."""

import subprocess
import sys


class PipError(Exception):
    """pip has failed; says why, in its own words."""


def pip(*arguments: str) -> None:
    """Run pip without questions and without what the environment says of Python. PipError."""
    # shiv's pip module needs click and is slow to load; most playbooks get here once, if ever.
    from shiv.pip import clean_pip_env  # type: ignore[import-untyped]

    command = [sys.executable, "-m", "pip", *arguments]
    command += ["--quiet", "--disable-pip-version-check", "--no-input", "--no-color"]
    with clean_pip_env():
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", check=False
        )
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines() or ["pip says nothing"]
        why = next((line for line in lines[::-1] if line.startswith("ERROR: ")), lines[-1])
        raise PipError(why.removeprefix("ERROR: "))
