"""Run tests on every other Python that is installed here, each with the pinned packages.

    .venv/bin/python -m tests.tools.every_python tests/template -k conformance
    Python 3.11.2: tests/template -k conformance
    ...

An environment a version is kept in build/pythons; it is made anew when the pins change. Without
arguments the environments are made, and nothing is run.
"""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
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
    """By our own pip: Debian's Python comes without. Of what is installed few files are imported, so
    that to compile all takes longer than to compile those when they are.
    """
    pip = [sys.executable, "-m", "pip", "--python", str(inside), "install", "--no-compile"]
    subprocess.run([*pip, "--quiet", "--disable-pip-version-check", *what], check=True)


def environments() -> dict[str, Path]:
    """The interpreter of each environment by version; those that are not there are made at once."""
    own = ".".join(map(str, sys.version_info[:3]))
    others = {version: path for version, path in supported().items() if version != own}
    with ThreadPoolExecutor() as pool:
        made = pool.map(environment, others.keys(), others.values())
        return dict(zip(others, made, strict=True))


def main(arguments: list[str]) -> int:
    found = environments()
    if not arguments:
        return 0
    failed = []
    for version, inside in found.items():
        print(f"\nPython {version}: {' '.join(arguments)}", flush=True)
        pytest = [inside, "-m", "pytest", "-p", "no:cacheprovider"]
        if subprocess.run([*pytest, *arguments], cwd=ROOT, check=False).returncode:
            failed.append(version)
    print(f"\nran on Python {', '.join(found) or 'none but our own: no other is installed'}")
    if failed:
        print(f"failed on Python {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
