"""Starts OpenStack Swift, all of one server: run by Debian's Python, whose packages Swift is.

    /usr/bin/python3 launch.py FOLDER ACCOUNT CONTAINER OBJECT MEMCACHED PROXY

The numbers are ports. The folder has swift.conf and a file for each server; it gets the rings and what
is stored. Each server is a process, which ends with this one.
"""

import ctypes
import os
import signal
import socket
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path

# Before eventlet is loaded: its own resolver takes a third of the start, and nobody asks for a name.
os.environ["EVENTLET_NO_GREENDNS"] = "yes"

from swift.common import utils  # type: ignore[import-not-found]

STORAGE = ("account", "container", "object")
DIES_WITH_ITS_PARENT = 1  # PR_SET_PDEATHSIG


def make_ring(folder: Path, kind: str, port: int) -> None:
    """One device, one copy: where everything is."""
    from swift.common.ring import RingBuilder  # type: ignore[import-not-found]

    builder = RingBuilder(part_power=1, replicas=1, min_part_hours=1)
    builder.add_dev(
        {
            "id": 0,
            "region": 1,
            "zone": 1,
            "ip": "127.0.0.1",
            "port": port,
            "device": "disk",
            "weight": 1.0,
        }
    )
    builder.rebalance(seed="1")
    builder.get_ring().save(str(folder / f"{kind}.ring.gz"))


def start(work: Callable[[], object]) -> None:
    """Do the work in a process of its own."""
    if os.fork() == 0:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        ctypes.CDLL(None).prctl(DIES_WITH_ITS_PARENT, signal.SIGKILL)
        try:
            work()
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(1)


def serve(folder: Path, kind: str) -> None:
    """Run one of Swift's servers."""
    from swift.common.wsgi import run_wsgi  # type: ignore[import-not-found]

    run_wsgi(str(folder / f"{kind}.conf"), f"{kind}-server", verbose=True)


def is_listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def main(folder: Path, *ports: int) -> None:
    *storage, memcached, _ = ports
    signal.signal(signal.SIGCHLD, lambda *_: sys.exit("one of Swift's servers has ended"))
    utils.set_swift_dir(str(folder))
    import swift.common.wsgi  # noqa: F401 - once, for all of them

    for kind, port in zip(STORAGE, storage, strict=True):
        make_ring(folder, kind, port)
        start(lambda kind=kind: serve(folder, kind))
    user = os.environ.get("USER", "root")
    cache = ["memcached", "-l", "127.0.0.1", "-p", str(memcached), "-U", "0", "-m", "8", "-u", user]
    start(lambda: os.execvp(cache[0], cache))
    start(lambda: serve(folder, "proxy"))
    while not all(map(is_listening, ports)):
        threading.Event().wait(0.02)
    print("all of Swift is up", flush=True)
    signal.pause()


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(int, sys.argv[2:]))
