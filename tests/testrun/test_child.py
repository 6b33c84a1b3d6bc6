"""What the process of a test prints and tells, as it arrives."""

import os
import signal
import sys
from pathlib import Path

import pytest

from gxo.testrun.child import Child
from gxo.testrun.pool import Limits, Pool
from gxo.testrun.shown import Silent
from tests.testrun.test_cases import HERE, gxo_test


def test_a_character_may_arrive_in_two_pieces() -> None:
    first, rest = "é→".encode()[:1], "é→".encode()[1:]

    def work(_descriptor: int) -> int:
        os.write(1, first)
        os.kill(os.getpid(), signal.SIGSTOP)
        os.write(1, rest)
        return 0

    child = Child(work)
    os.waitpid(child.pid, os.WUNTRACED)
    text = child.read_log()
    os.kill(child.pid, signal.SIGCONT)
    os.waitpid(child.pid, 0)
    text += child.read_log()
    child.close()
    assert text == "é→"


def test_a_job_whose_time_is_over_may_still_tell_much() -> None:
    def work(_path: str, _number: int, descriptor: int) -> int:
        told = b'{"began": "late"}\n' * 10_000  # far more than a pipe holds
        rest = memoryview(told)
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
        signal.sigwait([signal.SIGTERM])
        while rest:
            rest = rest[os.write(descriptor, rest) :]
        print("in order")
        return 0

    (result,) = Pool(["a.test.gxo.yaml"], work, Limits(1, 1.0, "1s"), Silent()).run()
    assert result.failures[0].message == "it took longer than 1s, and no workload ran"
    assert result.log == "in order\n"


@pytest.mark.skipif(sys.platform == "darwin", reason="there the names of files are text")
def test_names_and_outputs_need_not_be_text_in_utf8(tmp_path: Path) -> None:
    text = (HERE / "playbooks/mixed/adds.test.gxo.yaml").read_bytes()
    (tmp_path / os.fsdecode(b"\xff.test.gxo.yaml")).write_bytes(text)
    code, said = gxo_test(["--output", "json"], tmp_path, PYTHONIOENCODING="ascii")
    assert code == 1
    assert r"cannot read '\\udcff.test.gxo.yaml': its name is not UTF-8" in said
    assert "internal error" not in said


def test_results_that_cannot_be_written_are_no_defect() -> None:
    folder = HERE / "playbooks/mixed"
    code, said = gxo_test(["adds.test.gxo.yaml", "--junit", "/dev/full"], folder)
    assert code == 2
    assert said.endswith("gxo: cannot write /dev/full: no space left on device\n")
