"""300 damaged variants of the examples: each gets findings or compiles, never a traceback or a hang."""

import random
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gxo.cli.main import main

EXAMPLES = sorted(Path(__file__).parents[2].glob("docs/examples/*/*.gxo.yaml"))
VARIANTS = 300
SECONDS = 5


def cut(text: bytes, chance: random.Random) -> bytes:
    start = chance.randrange(len(text))
    return text[:start] + text[start + chance.randrange(1, 40) :]


def flip(text: bytes, chance: random.Random) -> bytes:
    position = chance.randrange(len(text))
    return (
        text[:position] + bytes([text[position] ^ 1 << chance.randrange(8)]) + text[position + 1 :]
    )


def swap_lines(text: bytes, chance: random.Random) -> bytes:
    lines = text.splitlines(keepends=True)
    one, other = chance.randrange(len(lines)), chance.randrange(len(lines))
    lines[one], lines[other] = lines[other], lines[one]
    return b"".join(lines)


def change_type(text: bytes, chance: random.Random) -> bytes:
    """Put a value of another type after some colon."""
    colons = [number for number, byte in enumerate(text) if byte == ord(":")]
    position = chance.choice(colons)
    end = text.find(b"\n", position)
    value = chance.choice(
        [b" 12", b" [a, b]", b" {a: 1}", b" null", b" true", b' "{{ .x }}"', b" 1.5"]
    )
    return text[: position + 1] + value + text[end:]


DAMAGES = (cut, flip, swap_lines, change_type)


@contextmanager
def at_most(seconds: int) -> Iterator[None]:
    def stop(signum: int, frame: object) -> None:
        raise TimeoutError(f"not done after {seconds} s")

    # Of processor time, so that a busy machine is no hang.
    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def variant(number: int) -> bytes:
    chance = random.Random(number)
    text = EXAMPLES[number % len(EXAMPLES)].read_bytes()
    for _ in range(chance.choice([1, 1, 1, 2, 5])):
        text = chance.choice(DAMAGES)(text, chance) or b"\n"
    return text


@pytest.mark.parametrize("group", range(10))
def test_damaged_variants(group: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit codes 0, 1 and 2 only; 1 always says why, with a place in the file."""
    playbook = tmp_path / "damaged.gxo.yaml"
    target = tmp_path / "damaged.pyz"
    for number in range(group, VARIANTS, 10):
        playbook.write_bytes(variant(number))
        with at_most(SECONDS):
            validated = main(["validate", str(playbook)])
        said = capsys.readouterr()
        assert validated in (0, 1), (number, said.err)
        assert (validated == 1) == (" error[GXO" in said.err or ": error[GXO" in said.err), number
        assert "Traceback" not in said.err
        with at_most(SECONDS):
            compiled = main(["compile", str(playbook), "-o", str(target)])
        said = capsys.readouterr()
        assert compiled in (0, 1), (number, said.err)
        assert compiled >= validated, number
        assert target.exists() == (compiled == 0), number
        assert "Traceback" not in said.err
        target.unlink(missing_ok=True)
