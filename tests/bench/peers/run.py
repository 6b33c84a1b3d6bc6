"""One run of another scheduler: `run.py doit|luigi|dask independent|chain COUNT`.

Prints the processor seconds that it takes to run so many tasks which do nothing, from when they are
declared to when they are over. Runs in an environment of its own (`make bench` makes it).
"""

import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from typing import Any


def nothing(*_before: object) -> dict[str, Any]:
    """The task."""
    return {}


def run_doit(needs: list[list[int]]) -> Callable[[], bool]:
    from doit.cmd_base import ModuleTaskLoader
    from doit.doit_cmd import DoitMain

    def task_all() -> Iterator[dict[str, Any]]:
        for number, needed in enumerate(needs):
            names = [f"all:{other}" for other in needed]
            yield {"name": str(number), "actions": [(nothing,)], "task_dep": names}

    config = {"dep_file": "doit.db", "reporter": "zero"}
    main = DoitMain(ModuleTaskLoader({"DOIT_CONFIG": config, "task_all": task_all}))
    return lambda: main.run([]) == 0


def run_luigi(needs: list[list[int]]) -> Callable[[], bool]:
    import luigi

    class One(luigi.Task):
        number = luigi.IntParameter()
        done = False

        def requires(self) -> list["One"]:
            return [One(other) for other in needs[self.number]]

        def run(self) -> None:
            self.done = True

        def complete(self) -> bool:
            return self.done

    needed_by_others = {other for needed in needs for other in needed}
    tasks = [One(number) for number in range(len(needs)) if number not in needed_by_others]
    return lambda: bool(luigi.build(tasks, local_scheduler=True, log_level="ERROR"))


def run_dask(needs: list[list[int]]) -> Callable[[], bool]:
    from dask.threaded import get

    graph = {
        f"w{number}": (nothing, *(f"w{other}" for other in needed))
        for number, needed in enumerate(needs)
    }
    return lambda: len(get(graph, list(graph), num_workers=32)) == len(needs)


PEERS = {"doit": run_doit, "luigi": run_luigi, "dask": run_dask}


def main(peer: str, shape: str, count: int) -> None:
    chained = shape == "chain"
    needs = [[number - 1] if chained and number else [] for number in range(count)]
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        run = PEERS[peer](needs)
        started = time.process_time()
        if not run():
            raise SystemExit(f"{peer} failed")
        print(time.process_time() - started)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
