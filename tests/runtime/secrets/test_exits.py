"""One job leaks a secret in every way, in every form; nothing of it leaves by any exit.

A second run, in which nothing is redacted, shows that each way and each exit would have told it.
"""

import asyncio
import base64
import html
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import pytest

from gxo.runtime import Context, Job, Loop, Retry
from gxo.runtime.errors import ModuleError
from gxo.runtime.main import main
from gxo.runtime.secrets.redact import Redactor
from tests.reports import read_report

SECRET = 'canäry+of/the "job" \\9315\nsecond line'


def base64_forms(text: str) -> dict[str, str]:
    """Both alphabets, at each alignment, with something around it."""
    data = text.encode()
    forms = {}
    for before in range(3):
        encoded = base64.b64encode(b"xyz"[:before] + data + b"tail")
        forms[f"base64 at {before}"] = encoded.decode()
        forms[f"url-safe base64 at {before}"] = encoded.translate(
            bytes.maketrans(b"+/", b"-_")
        ).decode()
    return forms


def lower_escapes(text: str) -> str:
    return re.sub("%[0-9A-F]{2}", lambda found: found[0].lower(), text)


FORMS = {
    "as it is": SECRET,
    "URL-encoded": quote(SECRET, safe=""),
    "URL-encoded path": quote(SECRET),
    "form-encoded": quote_plus(SECRET),
    "URL-encoded in lower case": lower_escapes(quote(SECRET, safe="")),
    "JSON": json.dumps(SECRET),
    "JSON as UTF-8": json.dumps(SECRET, ensure_ascii=False),
    "JSON in JSON": json.dumps(json.dumps(SECRET)),
    "wrapped": "\n    ".join(SECRET[start : start + 7] for start in range(0, len(SECRET), 7)),
    "wrapped base64": "\n".join(re.findall(".{1,8}", base64.b64encode(SECRET.encode()).decode())),
    **base64_forms(SECRET),
}

WAYS: dict[str, Callable[[Context, str], Any]] = {}


def way(leak: Callable[[Context, str], Any]) -> Callable[[Context, str], Any]:
    WAYS[leak.__name__] = leak
    return leak


@way
async def log_message(ctx: Context, text: str) -> None:
    ctx.log("info", f"before {text} after")


@way
async def log_fields(ctx: Context, text: str) -> None:
    ctx.log("info", "fields", plain=text, nested={"deep": [text, {text: 1}]})


@way
async def error_and_hint(ctx: Context, text: str) -> None:
    raise ModuleError(f"it failed with {text}", hint=f"do not use {text}")


@way
async def foreign_error(ctx: Context, text: str) -> None:
    raise ValueError(text)


@way
async def chain_of_errors(ctx: Context, text: str) -> None:
    try:
        try:
            raise KeyError(text)
        except KeyError as error:
            raise RuntimeError(text) from error
    except RuntimeError:
        error = OSError(5, text, text)
        error.add_note(text)
        raise error  # noqa: B904 - the context is what it is about


@way
async def group_of_errors(ctx: Context, text: str) -> None:
    raise ExceptionGroup(text, [ValueError(text), ModuleError(text)])


@way
async def forgotten_task(ctx: Context, text: str) -> None:
    async def fail() -> None:
        raise ValueError(text)

    task = asyncio.create_task(fail())
    await asyncio.wait([task])
    del task


@way
async def shared_that_does_not_close(ctx: Context, text: str) -> None:
    async def nothing() -> None:
        pass

    async def close(_: None) -> None:
        raise OSError(text)

    await ctx.shared(text, nothing, close)


@way
async def summary(ctx: Context, text: str) -> dict[str, Any]:
    return {"text": text, text: "key", "nested": [{"deep": (text,)}], "raw": text.encode()}


@way
async def record_error(ctx: Context, text: str) -> None:
    await ctx.record_failed({"field": text, text: "name"}, ValueError(text))


@way
async def ended_the_job(ctx: Context, text: str) -> None:
    raise SystemExit(text)


def leaking(ways: dict[str, Callable[[Context, str], Any]]) -> Job:
    """A job with a workload for each way and form."""
    job = Job("leaks", secrets=["TOKEN"], vars={"dsn": lambda ctx: f"pg://{ctx.secret('TOKEN')}@h"})
    forms = list(FORMS.values())

    def add(name: str, leak: Callable[[Context, str], Any], form: str, number: int) -> None:
        @job.workload(
            f"{name}-{number}",
            register=f"{name}_{number}",
            secrets=["TOKEN"],
            ignore_errors=True,
            on_record_error="skip",
            retry=Retry(attempts=2, delay=0.0) if number == 0 else None,
        )
        async def leaks(ctx: Context) -> Any:
            ctx.secret("TOKEN")
            return await leak(ctx, form)

    for name, leak in ways.items():
        for number, form in enumerate(forms):
            add(name, leak, form, number)
    return job


def leaking_everywhere() -> Job:
    """The same, and what else a playbook has: conditions, vars, loops, blocks."""
    job = leaking(WAYS)
    forms = list(FORMS.values())

    def fails(ctx: Context) -> bool:
        raise ValueError(ctx.secret("TOKEN"))

    @job.workload("when", when=fails, secrets=["TOKEN"])
    async def when(ctx: Context) -> None:
        pass

    @job.workload("var", register="var", ignore_errors=True)
    async def var(ctx: Context) -> dict[str, str]:
        ctx.log("info", ctx.vars["dsn"])
        return {"dsn": ctx.vars["dsn"]}

    @job.workload("loop", loop=Loop(forms, parallel=2), secrets=["TOKEN"], ignore_errors=True)
    async def loop(ctx: Context, item: str) -> None:
        ctx.log("info", item)
        raise ValueError(ctx.secret("TOKEN") + item)

    @job.workload("fatal", observes=["var", "loop"], secrets=["TOKEN"])
    async def fatal(ctx: Context) -> None:
        raise ModuleError("fatal: " + ctx.secret("TOKEN"))

    @job.on_failure("fatal", "told", secrets=["TOKEN"])
    async def told(ctx: Context) -> None:
        ctx.log("error", str(ctx.failure.error))

    @job.cleanup("last", register="last")
    async def last(ctx: Context) -> dict[str, Any]:
        ctx.log("info", "state", registers={name: ctx.state.get(name) for name in SEEN})
        return {"error": ctx.workloads["fatal"].error, "seen": [ctx.state.get(n) for n in SEEN]}

    return job


SEEN = [f"summary_{number}" for number in range(len(FORMS))]


def texts(value: Any) -> Iterator[str]:
    """All texts in a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from texts(item)


def squeezed(text: str) -> str:
    return re.sub(r"\s+|\\+n\s*", "", text)


def tell_tales(form: str) -> set[str]:
    """Parts of a form that stand in no clean text: long, and not of what surrounds the secret."""
    text = squeezed(form)
    return {text[start : start + 9] for start in range(4, len(text) - 17, 3)}


def found_in(text: str) -> set[str]:
    """The names of the forms that are told."""
    flat = squeezed(text)
    return {name for name, form in FORMS.items() if any(part in flat for part in tell_tales(form))}


def play(
    job: Job,
    tmp_path: Path,
    form: str,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> dict[str, str]:
    """Run the job; everything that left the process, by exit."""
    monkeypatch.setenv("TOKEN", SECRET)
    paths = {name: tmp_path / name for name in ("report", "report-html", "events")}
    options = [f"--{name}={path}" for name, path in paths.items()]
    capfd.readouterr()
    arguments = [*options, f"--log-format={form}", "--log-level=debug", "--traceback"]
    assert main(job, None, arguments) == (1 if "fatal" in job.workloads else 0)
    out, err = capfd.readouterr()
    assert out == ""
    told = {"standard error": err, **{name: path.read_text() for name, path in paths.items()}}
    read_report(told["report"])
    for name, text in list(told.items()):
        if name == "report-html":
            told[f"{name}, decoded"] = html.unescape(text)
        elif name == "report" or form == "json" or name == "events":
            lines = [text] if name == "report" else text.splitlines()
            told[f"{name}, decoded"] = "\n".join(
                one for line in lines for one in texts(json.loads(line))
            )
    return told


@pytest.mark.parametrize("form", ["text", "json"])
def test_nothing_of_a_secret_leaves(
    form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    for name, text in play(leaking_everywhere(), tmp_path, form, monkeypatch, capfd).items():
        assert found_in(text) == set(), name
        assert "[REDACTED_SECRET]" in text


@pytest.fixture
def unredacted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Redactor, "text", lambda _self, text: text)
    monkeypatch.setattr(Redactor, "log_text", lambda _self, text: text)
    monkeypatch.setattr(Redactor, "data", lambda _self, data: data)


@pytest.mark.usefixtures("unredacted")
@pytest.mark.parametrize("form", ["text", "json"])
def test_each_form_would_have_been_seen_at_each_exit(
    form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    told = play(leaking_everywhere(), tmp_path, form, monkeypatch, capfd)
    for name, text in told.items():
        assert found_in(text) == set(FORMS), name


@pytest.mark.usefixtures("unredacted")
@pytest.mark.parametrize("way", WAYS)
def test_each_form_would_have_been_seen_by_each_way(
    way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    told = play(leaking({way: WAYS[way]}), tmp_path, "text", monkeypatch, capfd)
    assert set.union(*map(found_in, told.values())) == set(FORMS)
