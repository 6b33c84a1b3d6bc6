"""Providers, by the table in providers.yaml, and how a slow command ends."""

import asyncio
import errno
import os
import stat
import traceback
from pathlib import Path

import pytest
import yaml

from gxo.runtime.errors import SecretError, UsageError
from gxo.runtime.host.eventloop import JobLoop
from gxo.runtime.secrets import providers
from gxo.runtime.secrets.providers import parse_provider

CASES = yaml.load(
    Path(__file__).with_name("providers.yaml").read_text(encoding="utf-8"), yaml.CSafeLoader
)


@pytest.fixture(autouse=True)
def nothing_left_behind():
    before = sorted(os.listdir("/proc/self/fd"))
    yield
    assert sorted(os.listdir("/proc/self/fd")) == before
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def look_up(provider, name):
    async def ask():
        return await provider(name)

    return run(ask())


def run(coroutine):
    """Run on a job's event loop, in debug mode, and end what it has started."""
    loop = JobLoop(5.0)
    loop.set_debug(True)
    try:
        return loop.run_until_complete(coroutine)
    finally:
        loop.end(())


def lay_out(folder, files):
    for name, content in files.items():
        path = folder / name
        if isinstance(content, list):
            path.write_bytes(bytes(content))
        elif content == "dir":
            path.mkdir()
        elif content == "fifo":
            os.mkfifo(path)
        elif content.startswith("-> "):
            path.symlink_to(content[3:])
        else:
            path.write_bytes(filled(content, folder).encode())


def filled(text, folder):
    return text.replace("{tmp}", str(folder)).replace("{64K}", "k" * 65536)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["option"][:40] or "empty")
def test_table(case, tmp_path):
    lay_out(tmp_path, case.get("files", {}))
    option = filled(case["option"], tmp_path)
    environment = case.get("environment", {})
    if "value" in case:
        found = look_up(parse_provider(option, environment), case["name"])
        assert found == filled(case["value"], tmp_path)
        return
    kind = UsageError if case["kind"] == "usage" else SecretError
    with pytest.raises(kind) as caught:
        provider = parse_provider(option, environment)
        assert kind is SecretError
        look_up(provider, case["name"])
    assert filled(case["says"], tmp_path) in caught.value.message
    if kind is SecretError:
        assert f"'{case['name']}'" in caught.value.message
    if "never" in case:
        shown = "".join(traceback.format_exception(caught.value)[-1:]) + str(caught.value.__cause__)
        assert case["never"] not in shown


@pytest.mark.parametrize("option", ["dir:{tmp}", 'exec:sh -c \'read x < "{tmp}/$1"; echo "$x"\' x'])
def test_a_lookup_holds_nobody_up(option, tmp_path, monkeypatch):
    """The loop goes on while a disk or a command takes its time."""
    os.mkfifo(tmp_path / "TOKEN")
    real = os.open

    def slow(path, flags, *rest, **keywords):  # as from a network disk that answers late
        return real(path, flags & ~os.O_NONBLOCK, *rest, **keywords)

    monkeypatch.setattr(os, "open", slow)
    monkeypatch.setattr(stat, "S_ISREG", lambda _mode: True)

    async def check():
        asked = asyncio.ensure_future(parse_provider(option.format(tmp=tmp_path), {})("TOKEN"))
        await asyncio.to_thread((tmp_path / "TOKEN").write_text, "s3cret-value\n")
        assert await asked == "s3cret-value"

    run(check())


def test_a_mounted_secret_may_be_replaced_as_a_whole(tmp_path):
    """As Kubernetes does it: one link is swapped, and all secrets are of one version."""
    for version in ("one", "two"):
        (tmp_path / f"..{version}").mkdir()
        (tmp_path / f"..{version}" / "TOKEN").write_text(f"version-{version}")
    (tmp_path / "..data").symlink_to("..one")
    (tmp_path / "TOKEN").symlink_to("..data/TOKEN")
    provider = parse_provider(f"dir:{tmp_path}", {})
    assert look_up(provider, "TOKEN") == "version-one"
    (tmp_path / "..new").symlink_to("..two")
    (tmp_path / "..new").rename(tmp_path / "..data")
    assert look_up(provider, "TOKEN") == "version-two"


@pytest.mark.parametrize(
    "command",
    [
        "sh -c 'read x < {fifo}'",  # silent
        "sh -c 'echo value; exec >&-; read x < {fifo}'",  # has said all
        "sh -c '(read x < {fifo}) & wait'",  # a child that keeps the pipe
    ],
)
def test_a_command_that_takes_too_long_is_killed_with_its_children(command, tmp_path, monkeypatch):
    """The limit is 10 s; here it is as long as a command needs to get stuck."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    monkeypatch.setattr(providers, "COMMAND_SECONDS", 0.3)
    with pytest.raises(
        SecretError, match="'TOKEN' is missing: the provider's command took too long"
    ):
        look_up(parse_provider("exec:" + command.format(fifo=fifo), {}), "TOKEN")
    assert any(has_no_reader(fifo) for _ in range(100_000))  # the killed need a moment to die


def has_no_reader(fifo) -> bool:
    try:
        os.close(os.open(fifo, os.O_WRONLY | os.O_NONBLOCK))
    except OSError as error:
        assert error.errno == errno.ENXIO
        return True
    return False
