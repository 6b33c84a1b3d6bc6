"""The words a module's declaration is written in.

The compiler reads them from the syntax tree of `gxo.stdlib` (and of a user's `modules/`), so at run
time they are as cheap as can be: type aliases, and a decorator that remembers the module's name,
and asks, of a module that changes something, whether this is a dry run.
"""

# The decorator's other arguments are for the compiler alone:
# ruff: noqa: ARG001

from collections.abc import Callable
from functools import wraps
from typing import Any, Literal, TypeVar, cast

T = TypeVar("T")
R = TypeVar("R")
F = TypeVar("F", bound=Callable[..., Any])

Record = dict[str, Any]

Duration = float
"""Seconds. A playbook writes a Go duration (`1h30m`, `250ms`)."""

Size = int
"""Bytes. A playbook writes a number, or a number with KB, MB, GB, KiB, MiB, GiB."""

WorkspacePath = str
"""A path that is resolved inside the workspace and cannot leave it."""

FileMode = str
"""Permission bits in octal, as text: "0644"."""

Secret = str
"""A text that is redacted wherever it could leave the process."""

StreamName = str
"""The name of a workload that is listed in `stream_inputs`."""

FieldName = str
"""The name of a field of the records that are read; beside a `StreamName`, of that stream's."""

ColumnName = str
"""The name of a table's column; in a list of them each stands once."""

Condition = bool
"""The result of a condition (language, section 4)."""

Command = str
"""A program. Where the module has a parameter `shell`, a line for the shell when that says so."""

Argument = str
"""A word of a command line, passed as it is; other users of the host can see it."""

ShellText = str
"""A line that a shell runs."""

SqlText = str
"""A statement of SQL."""

Url = str
"""An address. Servers and proxies write it into their logs."""

UrlValue = Any
"""A value that becomes a part of an address' query."""

Message = str
"""A text for a log, or for the error of a failure."""

Label = str
"""A name under which something is known to others: of a container, a tag, a channel."""

Each = Callable[[Record], T]
"""A parameter that is evaluated for each record."""

On = Callable[[R], T]
"""A parameter that the module evaluates with a value of its own as dot."""

Effect = tuple[str, str]


Conditions = list[str] | None
"""Parameters that are given (`agent`), or their values (`network == 'unix'`)."""


def reads(parameter: str, *, unless: Conditions = None, only: Conditions = None) -> Effect:
    """The module reads files below the path that `parameter` names.

    A key of a parameter is meant by `client.key`; of each map, where it is a list of maps.
    By default that is the parameter's own default; nothing is read where one of `unless` holds, or
    one of `only` does not.
    """
    return ("reads", parameter)


def writes(parameter: str, *, unless: Conditions = None, only: Conditions = None) -> Effect:
    """The module writes files below the path that `parameter` names."""
    return ("writes", parameter)


def runs(parameter: str, *, args: str | None = None) -> Effect:
    """The module runs the command that `parameter` names, with arguments from `args`."""
    return ("runs", parameter)


def runs_remotely(parameter: str, *, args: str | None = None) -> Effect:
    """The module has another host run the command, or the script, that `parameter` names."""
    return ("runs_remotely", parameter)


def connects(
    parameter: str, *, at: str = "", unless: Conditions = None, only: Conditions = None
) -> Effect:
    """The module connects to the host, or to the service, that `parameter` names.

    at: the address, where `parameter` has only a part of it: `ssh://{host}:{port}`; a parameter in
    it can have a default, as `{region=us-east-1}`.
    """
    return ("connects", parameter)


def listens(parameter: str, *, unless: Conditions = None, only: Conditions = None) -> Effect:
    """The module takes connections at the address that `parameter` names."""
    return ("listens", parameter)


def looks_up(parameter: str) -> Effect:
    """The module asks a name server for the name that `parameter` is."""
    return ("looks_up", parameter)


def queries(parameter: str) -> Effect:
    """The module has a database execute the SQL that `parameter` is."""
    return ("queries", parameter)


def stores(parameter: str) -> Effect:
    """The module uses the bucket that `parameter` names."""
    return ("stores", parameter)


def transfers(parameter: str) -> Effect:
    """The module reads or writes the path that `parameter` names on another host."""
    return ("transfers", parameter)


def module(
    name: str,
    *,
    changes: bool | Literal["by_call"] = False,
    effects: list[Effect] | None = None,
    environment: list[str] | None = None,
    lifecycles: list[str] | None = None,
    idempotent: bool = False,
    needs: list[str] | None = None,
    native: list[str] | None = None,
    one_of: list[str] | None = None,
    at_most_one: list[list[str]] | None = None,
    requires: dict[str, list[str]] | None = None,
    options: list[Any] | None = None,
    emits_when: str | None = None,
    reads_when: str | None = None,
    retry_after_records: bool = False,
    per_record: bool = False,
    background: bool = False,
    pauses: bool = False,
    handle: str | None = None,
    returns: dict[str, list[str]] | None = None,
    sends: list[str] | None = None,
    keeps: str | None = None,
    drops: str | None = None,
    head: str | None = None,
    inline: bool | str = False,
    tail: str | None = None,
    summary: str | None = None,
    fresh: bool = False,
) -> Callable[[F], F]:
    """Declare a coroutine function as the module `name` (`namespace:verb`, or a bare `exec`).

    changes: whether it changes something outside the process. In a dry run one that does is not
    called; with `by_call` it is, and asks `ctx.dry_run`.
    effects: what it touches, for the manifest. environment: variables that it reads by itself, for
    the manifest as well; behind `; agent` only where that parameter is given. lifecycles: default
    `["run_once"]`.
    idempotent: a second call changes nothing. retry_after_records: may retry after `records_out`.
    needs: third-party distributions linked with it; behind `; format == 'xlsx'` only where the
    parameter can have that value, behind `; url == 'ftp:*'` only where it can begin so. native:
    those only linked with `--native`.
    one_of: parameters of which exactly one is given. at_most_one: lists of parameters, or of keys
    of one (`auth.basic`), of which no two go together. requires: for a parameter or a key, those
    that it needs beside it. options: a parameter that is a map, another
    one that chooses, and for each of its values the keys of the map that apply.
    emits_when, reads_when: the parameter that switches the output or input port on.
    per_record: each record that it sends comes of the one that it read last, and is sent before it
    reads again, so a `stream:pipeline` knows which event it belongs to; others join events.
    background: it calls `ctx.ready(summary)` when it is in service, and runs on until it is
    cancelled because the job has no more use for it.
    pauses: it waits for somebody outside, however long that takes, so that only `gxo daemon` can
    run it, and no block and no pipeline.
    handle: the field of its summary that names something in the job's keeping (a connection, a
    session), which is gone when the process is. A resumed job calls such a module again, unasked
    though it may not be idempotent, if somebody who is still to run reads its result, or what
    others have made of it. A part of the text is random, so that what is left of an earlier process
    is never taken for something of this one.

    What holds what, so that the compiler can follow secrets and values from outside:

    returns: for a field of the summary, what it holds: the first of these that the playbook gives.
    A parameter (`path`), a key of one (`format_options.template`), `records` for a list of the
    records read, `record values` for what is in them under any name; `[]` for nothing. Texts of
    which this is not said come from outside. sends: the same for each record sent; of a list
    parameter its elements. keeps: a parameter that, when true, leaves the fields of the record read
    in the record sent; drops: one that names fields to leave out, with which all others stay.

    What of it can be a part of a loop that several workloads share (gxo.runtime.streams.fused), as
    the name of what the module's file has for it. Each takes the context and the parameters:

    head: an async generator of the batches that are sent; it takes the input port besides.
    tail: a class that takes batches by `add`, and returns the summary from `finish`; its `close`,
    if there is one, is called in every ending, and `unknown` when a dry run knows no more records.
    It takes `out` besides, if the module does.
    inline: True for what the compiler writes into the loop; or a class that has, for batches,
    `take` and `is_full`, or `split`. fresh: each record of the head is new, and nobody else's, so
    that the loop may change it. summary: a function that makes an inline module's summary of
    how many records came in, could not be processed, and went on; by default, `records` went on.
    """

    def declare(function: F) -> F:
        function.__gxo_module__ = name  # type: ignore[attr-defined]
        return function if changes is False else _asking(function, name, changes == "by_call")

    return declare


def _asking(function: F, name: str, by_call: bool) -> F:
    """The module's function, which in a dry run only finds out what it would do."""

    @wraps(function)
    def call(ctx: Any, *ports: Any, **parameters: Any) -> Any:
        if not ctx.dry_run:
            return function(ctx, *ports, **parameters)
        from gxo.runtime.dryrun.calls import foresee  # only in a dry run

        return foresee(name, function, by_call, ctx, ports, parameters)

    return cast("F", call)
