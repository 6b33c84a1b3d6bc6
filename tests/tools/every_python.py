"""Run tests on every other Python that is installed here, each with the pinned packages.

    .venv/bin/python -m tests.tools.every_python tests/template -k conformance
    Python 3.11.2: tests/template -k conformance
    ...

An environment a version is kept in build/pythons; it is made anew when the pins change.
"""

import subprocess
import sys
from pathlib import Path

from tests.pythons import supported

ROOT = Path(__file__).resolve().parents[2]
PINS = ROOT / "compiler" / "requirements" / "dev.txt"
ENVIRONMENTS = ROOT / "build" / "pythons"


def environment(version: str, python: Path) -> Path:
    """The interpreter of an environment with gxo and all that is pinned."""
    folder = ENVIRONMENTS / version
    ready, inside = folder / ".ready", folder / "bin" / "python"
    if not ready.exists() or ready.read_bytes() != PINS.read_bytes():
        subprocess.run([python, "-m", "venv", "--clear", "--without-pip", folder], check=True)
        install(inside, "--require-hashes", "-r", str(PINS))
        install(inside, "--no-build-isolation", "--no-deps", "-e", str(ROOT))
        ready.write_bytes(PINS.read_bytes())
    return inside


def install(inside: Path, *what: str) -> None:
    """By our own pip: Debian's Python comes without."""
    pip = [sys.executable, "-m", "pip", "--python", str(inside), "install"]
    subprocess.run([*pip, "--quiet", "--disable-pip-version-check", *what], check=True)


def main(arguments: list[str]) -> int:
    own = ".".join(map(str, sys.version_info[:3]))
    others = {version: path for version, path in supported().items() if version != own}
    failed = []
    for version, path in others.items():
        print(f"\nPython {version}: {' '.join(arguments)}", flush=True)
        pytest = [environment(version, path), "-m", "pytest", "-p", "no:cacheprovider"]
        if subprocess.run([*pytest, *arguments], cwd=ROOT, check=False).returncode:
            failed.append(version)
    print(f"\nran on Python {', '.join(others) or f'{own} only: no other is installed'}")
    if failed:
        print(f"failed on Python {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
