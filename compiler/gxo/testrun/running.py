"""One round of tests from the request to what was shown and written."""

import gc
import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from gxo.compiler.driver import Options, check
from gxo.compiler.package.collect import collect
from gxo.testrun.coverage import Covered, cover
from gxo.testrun.coverage_page import page
from gxo.testrun.finding import PathError
from gxo.testrun.folder import fresh_folder
from gxo.testrun.inside import Order, list_points, run_test
from gxo.testrun.junit import junit
from gxo.testrun.pool import Limits, Pool
from gxo.testrun.results import Account, Result
from gxo.testrun.shown import Console, GitHub, JsonLines, Silent

WARM_UP = """\
workloads:
  - name: one
    register: one
    process: {module: control:identity, params: {value: "{{ add 1 2 }}"}}
  - name: two
    process:
      module: test:assert
      params: {assertions: [{actual: "{{ .one.value }}", equal_to: 3}]}
"""


@dataclass(frozen=True, slots=True)
class Request:
    """What the command line asks for. others: playbooks that lie among the tests. output: `text`,
    `json` or `github`. known: what other tests have told, which coverage counts as well.
    """

    tests: Sequence[str]
    others: Sequence[str]
    options: Options
    limits: Limits
    output: str = "text"
    verbose: bool = False
    junit: Path | None = None
    coverage: bool = False
    coverage_html: Path | None = None
    known: Sequence[Account] = ()
    colour: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """interrupted: by the signal of that number, or 0. accounts: what the tests have told."""

    results: Sequence[Result]
    accounts: Sequence[Account]
    interrupted: int = 0

    @property
    def has_failed(self) -> bool:
        return any(one.status == "fail" for one in self.results)


def run_tests(request: Request) -> Outcome:
    """Run the tests, show each as its turn comes, and write what was asked for. Raises PathError
    when that cannot be written.
    """
    started, wall = time.monotonic(), time.time()
    shown = _listener(request)
    with _forking() as folder:
        order = Order(request.options, folder, request.colour)
        pool = Pool(
            request.tests,
            lambda path, number, telling: run_test(path, order, f"{folder}/{number}", telling),
            request.limits,
            shown,
        )
        results = pool.run()
        covered = _covered(request, order, pool) if request.coverage else []
        # All is told before the folder goes: removing what many tests have left takes its time.
        seconds = time.monotonic() - started
        if request.coverage:
            shown.covers(covered)
        shown.closes(results, seconds)
        if request.junit is not None:
            _write(request.junit, junit(results, seconds, wall))
        if request.coverage_html is not None:
            texts = {one.path: _text(one.path) for one in covered}
            _write(request.coverage_html, page(covered, texts))
    return Outcome(results, pool.accounts, pool.interrupted)


@contextmanager
def _forking() -> Iterator[str]:
    """A folder for what tests write, which goes with all in it, while this process has loaded what
    they need.
    """
    before = os.environ.get("GXO_WORKSPACES")
    with fresh_folder() as folder:
        workspaces = f"{folder}/workspaces"
        os.mkdir(workspaces, 0o700)
        os.environ["GXO_WORKSPACES"] = workspaces
        try:
            _warm_up(folder)
            gc.freeze()  # what is loaded all processes share, as long as nobody looks through it
            yield folder
        finally:
            gc.unfreeze()
            if before is None:
                del os.environ["GXO_WORKSPACES"]
            else:
                os.environ["GXO_WORKSPACES"] = before


def _covered(request: Request, order: Order, pool: Pool) -> list[Covered]:
    """What the tests have reached, and that other playbooks are there which none includes."""
    accounts = [*request.known, *pool.accounts]
    run = {os.path.realpath(one.path) for told in accounts for one in told.programs.values()}
    others = [path for path in request.others if os.path.realpath(path) not in run]
    listing = Pool(
        others,
        lambda path, _number, telling: list_points(path, order, telling),
        replace(request.limits, failfast=False),  # here none fails: they are not run
        Silent(),
    )
    if not pool.interrupted:
        listing.run()
    return cover(accounts, listing.accounts)


def _write(path: Path, text: str) -> None:
    """Raises PathError."""
    try:
        path.write_text(text, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise PathError(f"cannot write {path}: {(error.strerror or str(error)).lower()}") from None


def _text(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _listener(request: Request) -> Console | JsonLines | GitHub:
    if request.output == "json":
        return JsonLines(sys.stdout)
    console = Console(request.verbose, request.colour, sys.stdout)
    return console if request.output == "text" else GitHub(console)


def _warm_up(folder: str) -> None:
    """Load what every test needs, so that its process, a copy of this one, has it."""
    path = Path(folder, "warm-up.test.gxo.yaml")
    path.write_text(WARM_UP, encoding="utf-8")
    compilation = check(path)
    collect(compilation.package(compilation.generate(pretty=False)), whole=False)
