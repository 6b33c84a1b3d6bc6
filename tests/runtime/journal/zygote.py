"""Loads an artifact once and runs it in forked children, each of which may be killed at a write.

    python zygote.py job.pyz
    {"arguments": ["--journal", "j"], "folder": "/tmp/x", "environment": {}, "kill": [3, "torn"]}
    -9

Each line asks for one run, in its folder: what it prints goes to `out` and `err` there. The answer is
its exit code, or minus the signal that ended it. `kill`: at which write to the journal, counted from
1, and whether `torn`, with the first half of the line written, or `after` the write.
"""

import ctypes
import json
import os
import signal
import sys
from typing import Any
from zipimport import zipimporter

PR_SET_CHILD_SUBREAPER = 36


def load(archive: str) -> Any:
    """The artifact's job and its bundle, as its own `__main__` loads them; and `main`."""
    with open(archive, "rb") as file:
        data = file.read()
    bundle = sys.modules["gxo.runtime.bundle"] = type(sys)("gxo.runtime.bundle")
    code = zipimporter(f"{archive}/gxo/runtime").get_code("bundle")  # type: ignore[attr-defined]
    exec(code, bundle.__dict__)
    files = bundle.start(archive, data)
    from gxo_job import job  # type: ignore[import-not-found]

    from gxo.runtime.main import main

    return lambda arguments: main(job, files, arguments)


def kill_at(number: int, how: str) -> None:
    """Kill this process at its so-manieth write to a journal."""
    write, count = os.write, 0

    def counting(descriptor: int, data: bytes) -> int:
        nonlocal count
        path = os.readlink(f"/proc/self/fd/{descriptor}")
        if not path.endswith(("/journal", "/journal.new")):
            return write(descriptor, data)
        count += 1
        if count < number:
            return write(descriptor, data)
        write(descriptor, data[: len(data) // 2] if how == "torn" else data)
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError("nobody survives that")

    os.write = counting


def child(main: Any, request: dict[str, Any]) -> None:
    os.chdir(request["folder"])
    os.environ.update(request["environment"])
    os.fsync = lambda _descriptor: None  # a killed process leaves what it has written
    for descriptor, name in ((1, "out"), (2, "err")):
        os.dup2(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), descriptor)
    if request["kill"]:
        kill_at(*request["kill"])
    code = main(request["arguments"])
    sys.stdout.flush()
    os._exit(code)


def serve(main: Any) -> None:
    for line in sys.stdin:
        process = os.fork()
        if not process:
            try:
                child(main, json.loads(line))
            finally:
                os._exit(99)
        print(os.waitstatus_to_exitcode(wait(process)), flush=True)


def wait(process: int) -> int:
    """The end of the process, once all that it started has ended too."""
    status = 0
    while True:
        try:
            ended, its_status = os.wait()
        except ChildProcessError:
            return status
        if ended == process:
            status = its_status


if __name__ == "__main__":
    # What a killed job leaves behind becomes a child of this process, which waits for it.
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)
    serve(load(sys.argv[1]))
