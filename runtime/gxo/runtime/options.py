"""The command line of a compiled job. Not imported when it is started without options."""

import argparse
import json
import os
import sys
from typing import TYPE_CHECKING, Any, NoReturn

from gxo.runtime.bundle import manifest
from gxo.runtime.durations import NANOSECONDS, parse_duration
from gxo.runtime.errors import UsageError
from gxo.runtime.job import REQUIRED, Job, Workload
from gxo.runtime.jsontext import to_json
from gxo.runtime.kernel.inputs import resolve
from gxo.runtime.reporting.logs import LEVELS, write_out
from gxo.runtime.secrets.providers import parse_provider
from gxo.runtime.settings import Settings

if TYPE_CHECKING:
    from gxo.runtime.bundle import Bundle


class Finished(Exception):  # noqa: N818 - an end, not an error
    """An option such as `--help` has been served: there is nothing to run."""


class Parser(argparse.ArgumentParser):
    """Reports a wrong option as every other mistake is reported."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(message, hint="--help lists the options")


def parse(job: Job, bundle: "Bundle | None", arguments: list[str]) -> Settings:
    """The settings that the options ask for. UsageError for a mistake; Finished for `--help`."""
    parser = _parser(job)
    try:
        options = parser.parse_args(arguments)
    except SystemExit:  # argparse has printed the help
        raise Finished from None
    if options.version:
        version = manifest(bundle).get("gxo", "")
        _print(f"{job.name} (compiled by gxo {version})" if version else job.name)
        raise Finished
    if options.describe:
        _print(to_json(describe(job), indent=2))
        raise Finished
    job.check_runs_here()
    settings = Settings()
    for name in settings.OPTIONS:
        setattr(settings, name, getattr(options, name))
    _check(settings)
    if job.test is not None and (settings.journal or settings.resume):
        raise UsageError("a test has no journal: it always runs from its start to its end")
    resolve(job, settings, _read_files(options.vars_file), options.var)
    return settings


def _print(text: str) -> None:
    """Print what any standard output can show; that nobody reads it is no failure."""
    encoding = sys.stdout.encoding or "utf-8"
    write_out(sys.stdout, f"{text}\n".encode(encoding, "backslashreplace").decode(encoding))


def describe(job: Job) -> dict[str, Any]:
    """What the job takes and does, as data."""
    inputs = {}
    for name, declared in job.inputs.items():
        entry: dict[str, Any] = {"type": declared.type, "required": declared.default is REQUIRED}
        if declared.default is not REQUIRED:
            entry["default"] = declared.default
        for key in ("enum", "pattern", "description", "secret"):
            if value := getattr(declared, key):
                entry[key] = value
        inputs[name] = entry
    return {
        "name": job.name,
        "inputs": inputs,
        "vars": list(job.vars),
        "secrets": list(job.secrets),
        "assets": list(job.assets),
        "outputs": list(job.outputs),
        "workloads": list(job.workloads),
        "lifecycles": {one.name: _lifecycle(one) for one in job.workloads.values()},
        "finally": [workload.name for workload in job.cleanups],
    }


def _lifecycle(workload: Workload) -> dict[str, Any]:
    """The lifecycle as the playbook writes it."""
    if workload.lifecycle is None:
        return {"policy": "run_once"}
    return {"policy": workload.lifecycle.policy, **workload.lifecycle.settings()}


def _parser(job: Job) -> Parser:
    parser = Parser(
        prog=os.path.basename(sys.argv[0]),
        description=f"Run the automation job {job.name}, compiled by gxo.",
        epilog=_epilog(job),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add(
        "-e",
        "--var",
        action="append",
        default=[],
        type=_pair,
        metavar="K=V",
        help="give an input or a var; lists and maps as JSON",
    )
    add(
        "--vars-file",
        action="append",
        default=[],
        metavar="FILE",
        help="give inputs and vars from a JSON file; the later file wins, --var over all",
    )
    add(
        "--secrets",
        default="env",
        metavar="PROVIDER",
        help="where secrets come from: env (default), dir:PATH or exec:COMMAND",
    )
    _add_dry_run(parser)
    _add_reports(parser)
    _add_journal(parser)
    add("--workspace", metavar="DIR", help="work in this directory, and leave it in place")
    add(
        "--outputs",
        metavar="DIR",
        help="copy the outputs there instead of to the current directory",
    )
    add("--workers", type=_count, metavar="N", help="workloads that may run at once")
    add("--timeout", type=_seconds, metavar="D", help="end the job after this time, such as 1h30m")
    add("--strict", action="store_true", help="a `when` that cannot be evaluated is a failure")
    add("--log-level", choices=LEVELS, default="info", help="default: info")
    add("--log-format", choices=("text", "json"), default="text", help="default: text")
    add("--traceback", action="store_true", help="show Python's traceback of failures as well")
    add(
        "--describe",
        action="store_true",
        help="print what the job takes and does as JSON, and exit",
    )
    add("--version", action="store_true", help="print name and version, and exit")
    return parser


def _add_reports(parser: Parser) -> None:
    add = parser.add_argument
    add("--report", metavar="FILE", help="write the execution report as JSON; - is standard output")
    add("--report-html", metavar="FILE", help="write the report as one HTML page for people")
    add("--events", metavar="FILE", help="write events as JSON lines to a file or to fd:N")
    add("--metrics", metavar="FILE", help="write metrics for Prometheus when the job has ended")
    add(
        "--metrics-listen",
        type=_address,
        metavar="[HOST:]PORT",
        help="serve metrics over HTTP while the job runs; on 127.0.0.1 unless a host is given",
    )


def _add_dry_run(parser: Parser) -> None:
    add = parser.add_argument
    text = "say what would be done, and change nothing"
    add("--dry-run", "--check", action="store_true", help=text)
    add("--diff", action="store_true", help="show how files change, or would change")
    text = "with --dry-run, exit 3 when something would change"
    add("--detailed-exitcode", action="store_true", help=text)


def _add_journal(parser: Parser) -> None:
    add = parser.add_argument
    add(
        "--journal",
        metavar="DIR",
        help="record in this directory what has ended, so that --resume can go on from there",
    )
    add("--resume", metavar="DIR", help="go on with the job whose journal is in this directory")
    add(
        "--rerun",
        action="append",
        default=[],
        metavar="NAME",
        help="with --resume: run this workload again, whatever it has done already",
    )


def _epilog(job: Job) -> str:
    """The inputs, one a line."""
    lines = ["inputs:"] if job.inputs else []
    for name, declared in job.inputs.items():
        if declared.secret:
            needed = "secret: from a vars file or the secret provider"
        else:
            needed = "required" if declared.default is REQUIRED else f"default {declared.default!r}"
        lines.append(f"  {name} ({declared.type}, {needed})  {declared.description}".rstrip())
    return "\n".join(lines)


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form name=value")
    return name, value


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of at least 1")
    return int(text)


def _seconds(text: str) -> float:
    nanoseconds = parse_duration(text)
    if nanoseconds is None or nanoseconds <= 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a duration such as 1h30m or 90s")
    return nanoseconds / NANOSECONDS


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not port.isdecimal() or int(port) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port such as 9100, or host:port")
    return host.removeprefix("[").removesuffix("]") or "127.0.0.1", int(port)


def _check(settings: Settings) -> None:
    """What can be known to go wrong before the job runs."""
    parse_provider(settings.secrets, os.environ)
    if settings.detailed_exitcode and not settings.dry_run:
        raise UsageError(
            "--detailed-exitcode tells whether something would change: only a dry run knows",
            hint="add --dry-run",
        )
    _check_targets(settings)
    _check_journal(settings)
    if settings.workspace is not None and not os.path.isdir(settings.workspace):
        raise UsageError(f"the workspace {settings.workspace} is no directory")


def _check_journal(settings: Settings) -> None:
    """UsageError for options that exclude each other."""
    if settings.journal is not None and settings.resume is not None:
        raise UsageError(
            "--journal and --resume exclude each other",
            hint="--resume goes on with the journal that it names, and in it",
        )
    if settings.rerun and settings.resume is None:
        raise UsageError("--rerun needs --resume: without it, everything runs")
    option = "--journal" if settings.journal else "--resume" if settings.resume else None
    if option is not None and settings.workspace is not None:
        raise UsageError(f"{option} and --workspace exclude each other: a journal has its own")
    if option is not None and settings.dry_run:
        raise UsageError(f"{option} and --dry-run exclude each other: there is nothing to record")


def _read_files(paths: list[str]) -> dict[str, tuple[Any, str]]:
    given: dict[str, tuple[Any, str]] = {}
    for path in paths:
        try:
            with open(path, encoding="utf-8") as file:
                values = json.load(file)
        except OSError as error:
            raise UsageError(f"cannot read {path}: {error.strerror}") from error
        except (ValueError, RecursionError) as error:
            raise UsageError(f"{path} is not valid JSON: {error}") from error
        if not isinstance(values, dict):
            raise UsageError(f"{path} must hold a JSON object with a value for each name")
        given.update((name, (value, path)) for name, value in values.items())
    return given


def _check_targets(settings: Settings) -> None:
    """What the job writes can be written, each to a place of its own."""
    targets = {
        "report": settings.report,
        "report-html": settings.report_html,
        "metrics": settings.metrics,
        "events": settings.events,
    }
    given: dict[str, str] = {}
    for option, target in targets.items():
        if target is None:
            continue
        from gxo.runtime.reporting.files import check_target, place  # only when asked for

        if option != "events":  # which are opened before the job runs
            check_target(target, "the metrics" if option == "metrics" else "the report")
        where = place(target)
        if where in given:
            raise UsageError(f"--{given[where]} and --{option} cannot both go to {target}")
        given[where] = option
