"""`make fuzz`: libFuzzer, guided by coverage, looks for inputs that break `targets.py`.

    python tests/fuzz/run.py playbook --seconds 600

What it learns stays in build/fuzz; an input that fails is written there too, and its name printed.
"""

import argparse
import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import atheris

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
BUILD = ROOT / "build" / "fuzz"
LARGEST = {"playbook": 4096, "template": 512}
LONGEST_SECONDS = 10
MOST_MIB = 1024
ADVICE = """
To make a case of a failing input: mend the defect, then keep the smallest input that showed it as
tests/fuzz/corpus/{target}/WHAT-IT-IS. `pytest tests/fuzz` runs it from then on.
"""


def seeds(target: str) -> list[str]:
    """The folders that fuzzing starts from; the first one is written to."""
    learnt, known = BUILD / "corpus" / target, BUILD / "seeds" / target
    for folder in (learnt, known):
        folder.mkdir(parents=True, exist_ok=True)
    for text in texts(target):
        data = text.encode()
        (known / hashlib.sha256(data).hexdigest()[:16]).write_bytes(data)
    return [str(folder) for folder in (learnt, HERE / "corpus" / target, known)]


def texts(target: str) -> Iterator[str]:
    """What the tests know already: the inputs of the case files, and the examples."""
    from tests.casefile import find_cases

    if target == "template":
        for case in find_cases(ROOT / "tests/template"):
            yield case.input
        for path in sorted((ROOT / "tests/template/conformance").glob("*.jsonl")):
            for line in path.read_text(encoding="utf-8").strip().split("\n"):
                yield json.loads(line)["template"]
        return
    for folder in ("frontend/yaml", "frontend/playbook", "frontend/migrate", "passes"):
        for case in find_cases(ROOT / "tests" / folder):
            yield case.input
    for pattern in ("docs/examples/*/*.gxo.yaml", "golden/*/playbook.gxo.yaml"):
        for path in sorted(ROOT.glob(pattern)):
            yield path.read_text(encoding="utf-8")


def fuzz(target: str, seconds: int) -> None:
    """Fuzz in this process until the time is over or an input fails; never returns."""
    sys.path[:0] = [str(ROOT / folder) for folder in ("", "compiler", "runtime", "stdlib")]
    with atheris.instrument_imports(include=["gxo", "lark", "yaml", "tests"]):
        from tests.fuzz import targets
    functions = (
        [targets.playbook, targets.yaml_text] if target == "playbook" else [targets.template]
    )

    def one(data: bytes) -> None:
        try:
            for function in functions:
                function(data)
        except BaseException:
            failing = BUILD / f"{target}-{hashlib.sha256(data).hexdigest()[:16]}"
            failing.write_bytes(data)
            print(f"this input fails: {failing}", file=sys.stderr)
            raise

    options = [
        f"-max_total_time={seconds}",
        f"-max_len={LARGEST[target]}",
        f"-timeout={LONGEST_SECONDS}",
        f"-rss_limit_mb={MOST_MIB}",
        f"-artifact_prefix={BUILD / target}-",
        f"-dict={HERE / f'{target}.dict'}",
        "-len_control=0",
        "-print_final_stats=1",
    ]
    atheris.Setup([sys.argv[0], *options, *seeds(target)], one)
    atheris.Fuzz()


def main() -> int:
    parser = argparse.ArgumentParser(description="Fuzz the compiler's front end.")
    parser.add_argument("targets", nargs="+", choices=sorted(LARGEST))
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.here:
        fuzz(given.targets[0], given.seconds)
    failed = 0
    for target in given.targets:
        # A process each: libFuzzer ends the one that it runs in.
        command = [sys.executable, __file__, target, "--seconds", str(given.seconds), "--here"]
        if subprocess.run(command, check=False).returncode:
            failed = 1
            print(ADVICE.format(target=target), file=sys.stderr)
    return failed


if __name__ == "__main__":
    sys.exit(main())
