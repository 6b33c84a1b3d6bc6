"""How a dry run treats modules by what they declare, and what it knows of the files."""

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NotRequired, TypedDict

import pytest

from gxo.runtime import Context, Job, Out, Records
from gxo.runtime.dryrun.files import Changes, ForeseenFiles
from gxo.runtime.dryrun.foreseen import Foreseen
from gxo.runtime.errors import ModuleError, SecurityError, Unknown
from gxo.runtime.settings import Settings
from gxo.runtime.spec import module
from gxo.runtime.workspace.jail import Jail
from tests.runtime.kernel.harness import Played, Stage, play


class Restarted(TypedDict):
    service: str
    pid: int
    note: NotRequired[str]


CALLED: list[str] = []


@module("own:always", changes=True)
async def always(
    ctx: Context, records: Records | None = None, out: Out | None = None, *, service: str
) -> Restarted:
    CALLED.append(service)
    if records is not None:
        async for _ in records:
            pass
    if out is not None:
        await out.send([{"n": 1}])
    return {"service": service, "pid": 1}


@module("own:asks", changes="by_call")
async def asks(ctx: Context, *, service: str, pid: int | None = None) -> Restarted:
    CALLED.append(service)
    if ctx.dry_run:
        known: dict[str, Any] = {"service": service} | ({"pid": pid} if pid else {})
        restarted: Restarted = ctx.would(f"restart {service}", known)
        return restarted
    return {"service": service, "pid": 1}


@module("own:silent", changes="by_call")
async def silent(ctx: Context, *, harmless: bool = False, fails: bool = False) -> Restarted:
    if harmless:
        ctx.changes_nothing()
    if fails:
        raise ModuleError("connection refused")
    return {"service": "x", "pid": 2}


@module("own:reads")
async def reads(ctx: Context) -> Restarted:
    CALLED.append("reads")
    return {"service": "x", "pid": 3}


def played(job: Job, *, dry_run: bool = True) -> Played:
    CALLED.clear()
    settings = Settings()
    settings.dry_run = dry_run
    return play(job, Stage(), settings=settings)


def one(function: Any, **parameters: Any) -> Job:
    job = Job("j")

    @job.workload("a", register="a")
    async def a(ctx: Context) -> Any:
        return await function(ctx, **parameters)

    return job


def test_what_changes_something_is_not_called() -> None:
    run = played(one(always, service="shop"))
    assert CALLED == []
    assert "a: would call own:always with service='shop'" in run.log
    summary = run.run.state["a"]
    assert summary["dry_run"] is True
    with pytest.raises(Unknown, match="pid of 'a'"):
        summary["pid"]


def test_in_a_run_it_is() -> None:
    run = played(one(always, service="shop"), dry_run=False)
    assert CALLED == ["shop"]
    assert run.run.state["a"] == {"service": "shop", "pid": 1}


def test_a_secret_parameter_is_redacted() -> None:
    run = played(one(always, service="password=hunter2"))
    assert "hunter2" not in run.log


def test_what_decides_by_call_is_called() -> None:
    run = played(one(asks, service="shop"))
    assert CALLED == ["shop"]
    assert "a: would restart shop\n" in run.log
    summary = run.run.state["a"]
    assert summary["service"] == "shop"
    with pytest.raises(Unknown, match="pid of 'a'"):
        summary["pid"]


def test_a_summary_of_which_all_is_known_is_a_plain_map() -> None:
    run = played(one(asks, service="shop", pid=7))
    assert type(run.run.state["a"]) is dict
    assert run.run.state["a"] == {"service": "shop", "pid": 7, "dry_run": True}


def test_what_does_not_say_counts_as_a_change() -> None:
    run = played(one(silent))
    assert "a: would have called own:silent, which does not say what it changes" in run.log
    assert run.run.forecast is not None
    assert run.run.forecast.changes == 1


@pytest.mark.parametrize("function", [reads, silent])
def test_what_changes_nothing_is_as_in_a_run(function: Any) -> None:
    run = played(one(function, **({"harmless": True} if function is silent else {})))
    assert "dry_run" not in run.run.state["a"]
    assert run.run.forecast is not None
    assert run.run.forecast.closing() == "dry run: 0 would change, 1 unchanged, 0 unknown"


def test_a_failure_after_something_was_left_out_is_not_known() -> None:
    job = one(always, service="server")

    @job.workload("b", after=["a"], register="b")
    async def b(ctx: Context) -> Any:
        return await silent(ctx, fails=True)

    run = played(job)
    assert run.statuses == {"a": "Completed", "b": "Completed"}
    assert "not known: what own:silent does then; now, connection refused" in run.log


def test_a_failure_before_that_is_one() -> None:
    assert played(one(silent, fails=True)).statuses == {"a": "Failed"}


def test_its_producers_go_on_and_its_records_are_not_known() -> None:
    job = Job("j")
    sent: list[int] = []

    @job.workload("numbers")
    async def numbers(ctx: Context, out: Out | None) -> None:
        assert out is not None
        for number in range(300):
            await out.send([{"n": number}])
            sent.append(number)

    @job.workload("a", records=["numbers"])
    async def a(ctx: Context, records: Records, out: Out | None) -> Any:
        return await always(ctx, records=records, out=out, service="x")

    @job.workload("reader", records=["a"], register="read")
    async def reader(ctx: Context, records: Records) -> Any:
        return {"count": sum([len(batch) async for batch in records])}

    run = played(job)
    assert len(sent) == 300
    assert set(run.statuses.values()) == {"Completed"}
    with pytest.raises(Unknown, match="count of 'reader'"):
        run.run.state["read"]["count"]


def test_every_way_to_look_into_a_summary_is_stopped_or_answered() -> None:
    """Also those that a later Python may add to dict."""
    summary = Foreseen("a", {"dry_run": True})
    answered = {
        *("__bool__", "__contains__", "__getitem__", "__missing__", "__repr__", "__str__", "get"),
        *("__class__", "__class_getitem__", "__delattr__", "__dir__", "__doc__", "__format__"),
        *("__getattribute__", "__getstate__", "__hash__", "__init__", "__init_subclass__"),
        *("__new__", "__reduce__", "__setattr__", "__sizeof__", "__subclasshook__", "fromkeys"),
    }
    for name in set(dir(dict)) - answered:
        with pytest.raises(Unknown):
            getattr(summary, name)({})


@pytest.fixture
def files(tmp_path: Path) -> Iterator[ForeseenFiles]:
    (tmp_path / "there.txt").write_text("there")
    with closing(Jail(os.path.realpath(tmp_path))) as jail:
        yield ForeseenFiles(jail, Changes())


def test_what_would_be_written_is_read(files: ForeseenFiles, tmp_path: Path) -> None:
    assert files.write("d/new.txt", [b"a", b"b"], 0o640) == 2
    assert files.read("./d/new.txt", 10) == b"ab"
    assert files.read(f"{files.path}/d/new.txt", 10) == b"ab"
    with open(files.open("d/new.txt", os.O_RDONLY), "rb") as file:
        assert file.read() == b"ab"
    assert (files.stat("d/new.txt").st_mode & 0o777, files.stat("d/new.txt").st_size) == (0o640, 2)
    assert files.exists("d/new.txt")
    assert files.exists("d")
    assert [path.name for path in tmp_path.iterdir()] == ["there.txt"]


@pytest.mark.parametrize(
    "look",
    [
        lambda files: files.stat("new.txt").st_mtime,
        lambda files: list(files.scan(".")),
        lambda files: files.open("there.txt", os.O_WRONLY),
        lambda files: files.stat("d"),
        lambda files: files.resolve("d"),
        lambda files: files.read("lost.txt", 10),
        lambda files: files.open("lost.txt", os.O_RDONLY),
        lambda files: files.stat("lost.txt").st_size,
    ],
)
def test_what_is_not_known_of_files(files: ForeseenFiles, look: Any) -> None:
    files.write("new.txt", b"a", 0o644)
    files.write("d/new.txt", b"a", 0o644)
    files.lose("lost.txt")
    with pytest.raises(Unknown):
        look(files)


def test_a_file_is_appended_to_in_memory(files: ForeseenFiles, tmp_path: Path) -> None:
    assert files.append("there.txt", b" too") == 4
    assert files.append("there.txt", b"!") == 1
    assert files.read("there.txt", 20) == b"there too!"
    assert (tmp_path / "there.txt").read_text() == "there"


def test_a_missing_file_is_only_missing_while_nothing_may_make_it(files: ForeseenFiles) -> None:
    assert not files.exists("missing.txt")
    with pytest.raises(ModuleError):
        files.read("missing.txt", 1)
    files._changes.anything = True
    for look in (files.exists, files.stat, files.resolve, lambda path: files.read(path, 1)):
        with pytest.raises(Unknown):
            look("missing.txt")


@pytest.mark.parametrize("path", ["../x", "/etc/x"])
def test_a_path_that_leaves_is_refused(files: ForeseenFiles, path: str) -> None:
    for act in (files.lose, files.make_directory, lambda path: files.write(path, b"")):
        with pytest.raises(SecurityError):
            act(path)


def test_large_files_are_not_kept(files: ForeseenFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gxo.runtime.dryrun.files.MOST_KEPT", 10)
    assert files.write("new.txt", iter([b"12345"] * 3)) == 15
    with pytest.raises(Unknown):
        files.read("new.txt", 100)
