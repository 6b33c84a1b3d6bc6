"""Runs pip, which knows the package index that this host is set up for."""

import subprocess
import sys

_START = """\
import os, runpy, sys

def refuse(event, arguments):
    if event == "subprocess.Popen" and os.path.basename(os.fsdecode(arguments[0])) != "keyring":
        raise OSError("only wheels are used, and something else would have to be built")

sys.addaudithook(refuse)
runpy.run_module("pip", run_name="__main__", alter_sys=True)
"""
"""Starts pip so that it starts nothing but `keyring`. `--only-binary` says nothing of what a wheel
needs by its address; that is built to see what it needs in turn, and so its code would run here."""


class PipError(Exception):
    """pip has failed; says why, in its own words."""


def pip(*arguments: str) -> None:
    """Run pip without questions and without what the environment says of Python. PipError."""
    # shiv's pip module needs click and is slow to load; most playbooks get here once, if ever.
    from shiv.pip import clean_pip_env  # type: ignore[import-untyped]

    command = [sys.executable, "-c", _START, *arguments]
    command += ["--quiet", "--disable-pip-version-check", "--no-input", "--no-color"]
    with clean_pip_env():
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", check=False
        )
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines() or ["pip says nothing"]
        why = next((line for line in lines[::-1] if line.startswith("ERROR: ")), lines[-1])
        raise PipError(why.removeprefix("ERROR: "))
