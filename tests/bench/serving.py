"""How many requests a second `http:listen` takes and a pipeline answers, beside a server by hand.

    GET, 64 connections          9,800 a second    0.98 of a bare h11 server's, at least 0.50

Both run at once, each in a process of its own, and answer the same; wrk asks one after the other, for
some seconds in turn. `python tests/bench/serving.py serve` is gxo's: a compiled test playbook.
"""

import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
BARE = Path(__file__).parent / "baselines" / "h11_server.py"
ROUNDS, SECONDS = 5, 3
CONNECTIONS = 64
LEAST = 0.5
POST = 'wrk.method = "POST"\nwrk.body = string.rep("x", %d)\n'
KINDS = {"GET": "", "POST of 10 kB": POST % 10_000, "POST of 1 MB": POST % 1_000_000}
PLAYBOOK = """\
workloads:
  - name: requests
    register: requests
    process: {module: http:listen, params: {address: "127.0.0.1:0"}}
  - name: answers
    stream_inputs: [requests]
    process:
      module: stream:pipeline
      params:
        steps:
          - id: answer
            uses: http:respond
            with:
              request_id: "{{ .request_id }}"
              json: {path: "{{ .path }}", bytes: "{{ len .body }}"}
"""


@dataclass(frozen=True)
class Rate:
    """Requests a second: medians of some rounds."""

    kind: str
    gxo: float
    bare: float

    @property
    def part(self) -> float:
        return self.gxo / self.bare


def measure(rounds: int = ROUNDS, seconds: int = SECONDS) -> list[Rate]:
    """Ask both servers in turn; without wrk there are no rates."""
    if shutil.which("wrk") is None:
        return []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        gxo = stack.enter_context(running([__file__, "serve"]))
        bare = stack.enter_context(running([str(BARE)]))
        return [_compared(kind, gxo, bare, folder, rounds, seconds) for kind in KINDS]


def report(rates: list[Rate], write: Callable[[str], None]) -> bool:
    """Write the rows; whether all are within their bounds."""
    if not rates:
        write("http: wrk is not installed")
    for one in rates:
        verdict = "ok" if one.part >= LEAST else "MISSED"
        write(
            f"{one.kind}, {CONNECTIONS} connections".ljust(30)
            + f"{one.gxo:>8,.0f} a second    {one.part:.2f} of a bare h11 server's, at least {LEAST:.2f}"
            f"  {verdict}"
        )
    return bool(rates) and all(one.part >= LEAST for one in rates)


def _compared(kind: str, gxo: str, bare: str, folder: Path, rounds: int, seconds: int) -> Rate:
    script = folder / "kind.lua"
    script.write_text(KINDS[kind])
    pairs = [(_rate(gxo, script, seconds), _rate(bare, script, seconds)) for _ in range(rounds)]
    ours, theirs = zip(*pairs, strict=True)
    return Rate(kind, statistics.median(ours), statistics.median(theirs))


def _rate(address: str, script: Path, seconds: int) -> float:
    """What wrk counts; RuntimeError when a request failed."""
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", str(script)]
    done = subprocess.run(
        [*command, f"http://{address}/path"], check=True, capture_output=True, text=True
    )
    found = re.search(r"Requests/sec:\s+([\d.]+)", done.stdout)
    if found is None or "Non-2xx" in done.stdout or "Socket errors" in done.stdout:
        raise RuntimeError(done.stdout)
    return float(found[1])


@contextmanager
def running(arguments: list[str]) -> Iterator[str]:
    """A server in a process of its own; its address, which it prints."""
    command = [sys.executable, *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip()
        finally:
            process.kill()


# What gxo's process runs


def serve() -> None:
    """Run the playbook, and print where it listens."""
    from gxo.compiler.driver import Compilation
    from gxo.runtime import Context
    from gxo.runtime.main import main

    compilation = Compilation("serving.test.gxo.yaml")
    assert compilation.read(PLAYBOOK.encode()) and compilation.analyse()
    names: dict[str, Any] = {}
    exec(compile(compilation.generate(pretty=False).text, "gxo_job.py", "exec"), names)
    job = names["job"]

    @job.workload("tell", after=["requests"])
    async def tell(ctx: Context) -> None:
        print(ctx.state["requests"]["local_addr"], flush=True)
        await ctx.clock.sleep(3600)

    with tempfile.TemporaryDirectory() as folder:
        main(job, None, ["--workspace", folder, "--log-level", "error"])


if __name__ == "__main__":
    serve()
