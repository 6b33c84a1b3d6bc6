"""Builds the Go oracle of `main.go` and `checks.go`, and asks it.

    with Oracle(build(folder)) as oracle:
        oracle.ask('{{ .x | upper }}', {"x": "a"})      {"id": None, "ok": True, "output": "A"}

Needs Debian's `golang-go` and `golang-github-masterminds-sprig-dev`; `install.sh` installs them.
"""

import json
import os
import shutil
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Any

HERE = Path(__file__).resolve().parent
SOURCES = Path("/usr/share/gocode")
"""Where Debian keeps the sources of Go libraries."""


def is_installed() -> bool:
    sprig = SOURCES / "src/github.com/Masterminds/sprig"
    return shutil.which("go") is not None and sprig.is_dir()


def build(folder: Path) -> Path:
    """The oracle, compiled into the folder."""
    target = folder / "go_oracle"
    settings = {"GO111MODULE": "off", "GOPATH": str(SOURCES), "GOFLAGS": ""}
    caches = {"GOCACHE": os.environ.get("GOCACHE", str(Path.home() / ".cache/go-build"))}
    subprocess.run(
        ["go", "build", "-o", target, HERE / "main.go", HERE / "checks.go"],
        env={**os.environ, **settings, **caches},
        check=True,
    )
    return target


class Oracle:
    """A running oracle: one question, one answer."""

    def __init__(self, program: Path) -> None:
        self.process = subprocess.Popen(
            [program],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
            env={"TZ": "UTC"},
        )

    def __enter__(self) -> "Oracle":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.process.communicate()

    def ask(self, template: str, data: Any) -> dict[str, Any]:
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(json.dumps({"template": template, "data": data}) + "\n")
        self.process.stdin.flush()
        answer: dict[str, Any] = json.loads(self.process.stdout.readline())
        return answer
