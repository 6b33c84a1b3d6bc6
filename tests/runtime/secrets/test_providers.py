"""Providers, by the table in providers.yaml, and how a slow command ends."""

import errno
import os
import traceback
from pathlib import Path

import pytest
import yaml

from gxo.runtime.errors import SecretError, UsageError
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
        found = parse_provider(option, environment).lookup(case["name"])
        assert found == filled(case["value"], tmp_path)
        return
    kind = UsageError if case["kind"] == "usage" else SecretError
    with pytest.raises(kind) as caught:
        provider = parse_provider(option, environment)
        assert kind is SecretError
        provider.lookup(case["name"])
    assert filled(case["says"], tmp_path) in caught.value.message
    if kind is SecretError:
        assert f"'{case['name']}'" in caught.value.message
    if "never" in case:
        shown = "".join(traceback.format_exception(caught.value)[-1:]) + str(caught.value.__cause__)
        assert case["never"] not in shown


def test_only_the_environment_does_not_block(tmp_path):
    options = ["env", f"dir:{tmp_path}", "exec:true"]
    assert [parse_provider(option, {}).blocks for option in options] == [False, True, True]


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
        parse_provider("exec:" + command.format(fifo=fifo), {}).lookup("TOKEN")
    assert any(has_no_reader(fifo) for _ in range(100_000))  # the killed need a moment to die


def has_no_reader(fifo) -> bool:
    try:
        os.close(os.open(fifo, os.O_WRONLY | os.O_NONBLOCK))
    except OSError as error:
        assert error.errno == errno.ENXIO
        return True
    return False
