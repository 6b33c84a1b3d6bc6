"""Run a part of a test as a user whom permissions bind: root ignores them."""

import os
import pickle
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager

NOBODY = 65534


def call_as_nobody(function: Callable[[], object]) -> object:
    """The function's result or exception, from a child process if this one is root."""
    if os.geteuid() != 0:
        return function()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setresgid(NOBODY, NOBODY, NOBODY)
            os.setresuid(NOBODY, NOBODY, NOBODY)
            answer = (True, function())
        except BaseException as error:
            answer = (False, error)
        with open(writing, "wb") as pipe:
            pickle.dump(answer, pipe)
        os._exit(0)
    os.close(writing)
    with open(reading, "rb") as pipe:
        good, result = pickle.load(pipe)
    os.waitpid(child, 0)
    if not good:
        raise result
    return result


@contextmanager
def folder_of_nobody() -> Iterator[str]:
    """A fresh folder below /tmp that nobody owns (pytest's own is closed to others)."""
    path = tempfile.mkdtemp(prefix="gxo-test-")
    try:
        if os.geteuid() == 0:
            os.chown(path, NOBODY, NOBODY)
        yield path
    finally:
        shutil.rmtree(path)
