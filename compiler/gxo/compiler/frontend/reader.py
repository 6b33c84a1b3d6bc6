"""The tree of a playbook to its typed model.

The schema goes first and says which values have the wrong form; they are left out here, with their
defaults in their place, so that one mistake does not hide the next one. What a schema cannot say is
in `rules.py`.
"""

import os
from collections.abc import Iterator
from typing import Literal

from gxo.compiler.diagnostics import Diagnostics, Span
from gxo.compiler.frontend import rules, schema, testing
from gxo.compiler.frontend.durations import parse_duration
from gxo.compiler.frontend.migrate import migrate
from gxo.compiler.frontend.playbook import (
    AllowedPath,
    Backoff,
    ChannelPolicy,
    EventDriven,
    InputDecl,
    Lifecycle,
    LoopControl,
    Name,
    Playbook,
    RetryDecl,
    RunOnce,
    Scheduled,
    StatePolicy,
    Supervise,
    TestDecl,
    VarDecl,
    WorkloadDecl,
)
from gxo.compiler.frontend.schedules import check_cron, check_timezone
from gxo.compiler.frontend.yaml import Mapping, Node, Scalar, Sequence

CURRENT_VERSION = "v1.0.0"
DEFAULT_DELAY = 1.0
DEFAULT_CONCURRENCY = 64
PIPELINE = "stream:pipeline"
"""The module whose parameter is a part of the language: steps, as the workloads of a playbook."""
_RECORD_POLICIES: dict[str, Literal["fail", "skip"]] = {"fail": "fail", "skip": "skip"}


def read(tree: Node, file: str, text: str, diags: Diagnostics) -> Playbook | None:
    """The playbook of a tree, as far as it can be read; None when it is none at all."""
    if not isinstance(tree, Mapping):
        kind = "a list" if isinstance(tree, Sequence) else "a single value"
        hint = "begin with keys: name, schemaVersion, workloads"
        diags.error("GXO0205", tree.span, f"a playbook is a map, not {kind}", hint)
        return None
    is_test = testing.is_test(file)
    is_deprecated = tree.key("tasks") is not None
    tree = migrate(tree, file, diags)
    if is_test:
        tree = testing.completed(tree, stem(file), CURRENT_VERSION, diags)
    tree, wrong = schema.check(tree, diags)
    if not is_deprecated:  # the v0.1 form knew no version, and has a warning of its own
        _check_version(tree, diags)
    if not is_test:
        testing.check_no_keys(tree, diags)
    playbook = _Reader(file, wrong, diags).playbook(tree, text)
    rules.check(playbook, diags)
    _drop_explained_warnings(diags)
    return playbook


def _drop_explained_warnings(diags: Diagnostics) -> None:
    """`ignore_errors: yes` is one mistake: the error about its type says what the warning says."""
    errors = {item.span for item in diags.items if item.level == "error"}
    diags.items[:] = [
        item for item in diags.items if item.code != "GXO0118" or item.span not in errors
    ]


def _check_version(tree: Mapping, diags: Diagnostics) -> None:
    if tree.key("schemaVersion") is None:
        message = f"the playbook has no schemaVersion; it is read as {CURRENT_VERSION}"
        hint = f"write schemaVersion: {CURRENT_VERSION}"
        diags.warning("GXO0214", _first_place(tree), message, hint)


def stem(file: str) -> str:
    """The name of a playbook that has none: its file's, without folder and ending."""
    name = os.path.basename(file)
    for ending in (".gxo.yaml", ".gxo.yml", ".yaml", ".yml"):
        if name.endswith(ending) and name != ending:
            return name.removesuffix(ending)
    return name


class _Reader:
    """Reads maps of the tree; `wrong` are the spans of values that are reported already."""

    def __init__(self, file: str, wrong: frozenset[Span], diags: Diagnostics) -> None:
        self.file = file
        self.wrong = wrong
        self.diags = diags

    def playbook(self, tree: Mapping, text: str) -> Playbook:
        return Playbook(
            name=self._playbook_name(tree),
            file=self.file,
            span=tree.span,
            inputs=tuple(self._inputs(tree)),
            vars=tuple(
                VarDecl(_name(entry.key), entry.value) for entry in self._map(tree, "vars").entries
            ),
            assets=self._names(tree, "assets"),
            outputs=self._names(tree, "outputs"),
            workloads=tuple(self._workloads(tree, "workloads")),
            cleanup=tuple(self._workloads(tree, "finally")),
            state_policy=self._state_policy(tree),
            channel_policy=self._channel_policy(tree),
            skip_on_no_input=self._skip_on_no_input(tree),
            allow_paths=self._allow_paths(tree),
            text=text,
            test=_test(self, tree) if testing.is_test(self.file) else None,
        )

    def _playbook_name(self, tree: Mapping) -> str:
        if tree.key("name") is not None:
            return self._text(tree, "name") or stem(self.file)
        name = stem(self.file)
        place = _first_place(tree)
        message = f'the playbook has no name; it is called "{name}", as its file'
        self.diags.warning("GXO0213", place, message, f"write name: {name}")
        return name

    def _inputs(self, tree: Mapping) -> Iterator[InputDecl]:
        for entry in self._map(tree, "inputs").entries:
            if isinstance(entry.value, Mapping):
                yield self._input(_name(entry.key), entry.value)

    def _input(self, name: Name, tree: Mapping) -> InputDecl:
        return InputDecl(
            name=name,
            type="string" if tree.key("type") is None else self._text(tree, "type") or "",
            default=tree.get("default"),
            enum=self._items(tree, "enum"),
            pattern=self._text(tree, "pattern"),
            description=self._text(tree, "description") or "",
            secret=self._bool(tree, "secret") or False,
        )

    def _workloads(self, tree: Mapping, key: str) -> Iterator[WorkloadDecl]:
        for index, item in enumerate(self._items(tree, key)):
            if isinstance(item, Mapping):
                yield self._workload(item, f"{key}[{index}]")

    def _workload(self, tree: Mapping, unnamed: str) -> WorkloadDecl:
        """`unnamed` is what a workload without a name is called while the rest of it is checked."""
        process = self._map(tree, "process")
        params = self._get(process, "params")
        when = self._get(tree, "when")
        return WorkloadDecl(
            name=self._name(tree, "name") or Name(unnamed, tree.span),
            lifecycle=self._lifecycle(tree),
            module=self._name(process, "module") or Name("", tree.span),
            params=params if isinstance(params, Mapping) else None,
            span=tree.span,
            register=self._name(tree, "register"),
            stream_inputs=self._names(tree, "stream_inputs"),
            needs=self._names(tree, "needs"),
            when=when if isinstance(when, Scalar) else None,
            loop=self._get(tree, "loop"),
            loop_control=self._loop_control(tree),
            retry=self._retry(tree),
            timeout=self._timeout(tree),
            ignore_errors=self._bool(tree, "ignore_errors") or False,
            on_record_error=_RECORD_POLICIES.get(self._text(tree, "on_record_error") or ""),
            on_failure=tuple(self._workloads(tree, "on_failure")),
            state_policy=self._state_policy(tree),
            channel_policy=self._channel_policy(tree),
            skip_on_no_input=self._skip_on_no_input(tree),
            allow_paths=self._allow_paths(tree),
            steps=tuple(self._steps(process)),
        )

    def _steps(self, process: Mapping) -> Iterator[WorkloadDecl]:
        if self._text(process, "module") != PIPELINE:
            return
        for index, tree in enumerate(self._items(self._map(process, "params"), "steps")):
            if isinstance(tree, Mapping):
                params, when = self._get(tree, "with"), self._get(tree, "when")
                yield WorkloadDecl(
                    name=self._name(tree, "id") or Name(f"steps[{index}]", tree.span),
                    module=self._name(tree, "uses") or Name("", tree.span),
                    params=params if isinstance(params, Mapping) else None,
                    span=tree.span,
                    needs=self._names(tree, "needs"),
                    when=when if isinstance(when, Scalar) else None,
                )

    def _lifecycle(self, tree: Mapping) -> Lifecycle | None:
        keys = self._map(tree, "lifecycle")
        policy = self._name(keys, "policy")
        if policy is None:
            return None
        match policy.text:
            case "supervise":
                return Supervise(policy, self._restart(keys), self._backoff(keys))
            case "event_driven":
                concurrency = int(self._number(keys, "concurrency", DEFAULT_CONCURRENCY))
                return EventDriven(policy, self._name(keys, "source"), concurrency)
            case "scheduled":
                return self._scheduled(policy, keys)
        return RunOnce(policy)

    def _restart(self, keys: Mapping) -> str:
        key, alias = keys.key("restart"), keys.key("restart_policy")
        if key and alias:
            message = "restart_policy is another word for restart; both are here"
            self.diags.error("GXO0207", alias.span, message, "keep restart")
        return self._text(keys, "restart" if key else "restart_policy") or "always"

    def _backoff(self, keys: Mapping) -> Backoff:
        tree, default = self._map(keys, "backoff"), Backoff()
        initial, longest = self._duration(tree, "initial"), self._duration(tree, "max")
        reset_after = self._duration(tree, "reset_after")
        backoff = Backoff(
            initial=default.initial if initial is None else initial,
            factor=self._number(tree, "factor", default.factor),
            max=default.max if longest is None else longest,
            reset_after=default.reset_after if reset_after is None else reset_after,
        )
        if backoff.max < backoff.initial:
            node = tree.get("initial" if longest is None else "max")
            assert node is not None
            other = "max is 60s" if longest is None else "initial is 1s"
            hint = None if tree.key("max") and tree.key("initial") else f"{other} when not given"
            self.diags.error("GXO0212", node.span, "max is shorter than initial", hint)
        return backoff

    def _scheduled(self, policy: Name, keys: Mapping) -> Scheduled:
        cron, timezone = self._get(keys, "cron"), self._get(keys, "timezone")
        if isinstance(cron, Scalar):
            check_cron(cron.text, self.diags)
        if isinstance(timezone, Scalar):
            check_timezone(timezone.text, self.diags)
        return Scheduled(
            policy,
            cron=" ".join((self._text(keys, "cron") or "").split()),
            timezone=self._text(keys, "timezone") or "UTC",
            overlap=self._text(keys, "overlap") or "skip",
        )

    def _loop_control(self, tree: Mapping) -> LoopControl | None:
        control = self._get(tree, "loop_control")
        if not isinstance(control, Mapping):
            return None
        if tree.key("loop") is None:
            key = tree.key("loop_control")
            assert key is not None
            self.diags.warning(
                "GXO0215", key.span, "loop_control does nothing without a loop", "add a loop"
            )
        return LoopControl(
            loop_var=self._name(control, "loop_var"),
            index_var=self._name(control, "index_var"),
            parallel=int(self._number(control, "parallel", 1)),
        )

    def _retry(self, tree: Mapping) -> RetryDecl | None:
        retry = self._get(tree, "retry")
        if not isinstance(retry, Mapping):
            return None
        delay = self._duration(retry, "delay")
        max_delay = self._duration(retry, "max_delay")
        delay = DEFAULT_DELAY if delay is None else delay
        on_error = self._bool(retry, "on_error")
        if max_delay is not None and max_delay < delay:
            node = retry.get("max_delay")
            assert node is not None
            hint = None if retry.key("delay") else "delay is 1s when it is not given"
            self.diags.error("GXO0212", node.span, "max_delay is shorter than delay", hint)
        return RetryDecl(
            attempts=int(self._number(retry, "attempts", 1)),
            delay=delay,
            max_delay=max_delay,
            backoff_factor=self._number(retry, "backoff_factor", 1.0),
            jitter=self._number(retry, "jitter", 0.0),
            on_error=True if on_error is None else on_error,
        )

    def _timeout(self, tree: Mapping) -> float | None:
        timeout = self._duration(tree, "timeout")
        if timeout == 0:
            node = tree.get("timeout")
            assert node is not None
            self.diags.error("GXO0208", node.span, "a timeout must be longer than nothing")
        return timeout

    def _state_policy(self, tree: Mapping) -> StatePolicy | None:
        policy = self._get(tree, "state_policy")
        if not isinstance(policy, Mapping):
            return None
        return StatePolicy(self._text(policy, "access_mode") or "deep_copy")

    def _channel_policy(self, tree: Mapping) -> ChannelPolicy | None:
        policy, key = self._get(tree, "channel_policy"), tree.key("channel_policy")
        if not isinstance(policy, Mapping) or key is None:
            return None
        size = self._get(policy, "buffer_size")
        return ChannelPolicy(
            span=key.span,
            buffer_size=None if size is None else int(self._number(policy, "buffer_size", 0)),
            overflow=self._text(policy, "overflow_strategy"),
        )

    def _skip_on_no_input(self, tree: Mapping) -> bool | None:
        key, alias = tree.key("workload_policy"), tree.key("task_policy")
        if key and alias:
            message = "task_policy is another word for workload_policy; both are here"
            self.diags.error("GXO0207", alias.span, message, "keep workload_policy")
        policy = self._map(tree, "workload_policy" if key else "task_policy")
        return self._bool(policy, "skip_on_no_input")

    def _allow_paths(self, tree: Mapping) -> tuple[AllowedPath, ...] | None:
        context = self._map(tree, "security_context")
        if not isinstance(context.get("allow_paths"), Sequence):
            return None
        items = (item for item in self._items(context, "allow_paths") if isinstance(item, Mapping))
        found = ((self._name(item, "path"), self._text(item, "access")) for item in items)
        return tuple(AllowedPath(path, access) for path, access in found if path and access)

    # Values, None where they are absent or wrong

    def _get(self, tree: Mapping, key: str) -> Node | None:
        node = tree.get(key)
        return None if node is None or node.span in self.wrong else node

    def _map(self, tree: Mapping, key: str) -> Mapping:
        node = tree.get(key)
        return node if isinstance(node, Mapping) else Mapping((), tree.span)

    def _items(self, tree: Mapping, key: str) -> tuple[Node, ...]:
        node = tree.get(key)
        return node.items if isinstance(node, Sequence) else ()

    def _name(self, tree: Mapping, key: str) -> Name | None:
        node = self._get(tree, key)
        return _name(node) if isinstance(node, Scalar) else None

    def _names(self, tree: Mapping, key: str) -> tuple[Name, ...]:
        """The names in a list; one that stands there twice is reported."""
        names: dict[str, Name] = {}
        for node in self._items(tree, key):
            if not isinstance(node, Scalar) or node.span in self.wrong:
                continue
            name = _name(node)
            if name.text in names:
                self.diags.error("GXO0209", name.span, f'"{name.text}" is listed twice in {key}')
            names.setdefault(name.text, name)
        return tuple(names.values())

    def _text(self, tree: Mapping, key: str) -> str | None:
        node = self._get(tree, key)
        return node.text.value if isinstance(node, Scalar) else None

    def _bool(self, tree: Mapping, key: str) -> bool | None:
        node = self._get(tree, key)
        return node.value if isinstance(node, Scalar) and isinstance(node.value, bool) else None

    def _number(self, tree: Mapping, key: str, default: float) -> float:
        node = self._get(tree, key)
        if isinstance(node, Scalar) and isinstance(node.value, int | float):
            return node.value
        return default

    def _duration(self, tree: Mapping, key: str) -> float | None:
        node = self._get(tree, key)
        if not isinstance(node, Scalar):
            return None
        try:
            seconds = parse_duration(node.text.value)
        except ValueError:
            self.diags.error("GXO0208", node.span, f'"{key}" is longer than a duration can be')
            return None
        if seconds < 0:
            self.diags.error("GXO0208", node.span, f'"{key}" cannot be negative')
            return None
        return seconds


def _test(reader: _Reader, tree: Mapping) -> TestDecl:
    allow = reader._map(tree, "allow")
    return TestDecl(
        secrets=tuple(
            (_name(entry.key), entry.value.text.value)
            for entry in reader._map(tree, "secrets").entries
            if isinstance(entry.value, Scalar)
        ),
        network=reader._names(allow, "network"),
        commands=reader._names(allow, "commands"),
        expect_failed=reader._text(tree, "expect") == "Failed",
        expect=expect.span if (expect := tree.key("expect")) else None,
        include=reader._name(tree, "include"),
    )


def _name(node: Scalar) -> Name:
    return Name(node.text.value, node.span)


def _first_place(tree: Mapping) -> Span:
    """The first key of a map, as the place of something that is missing in it."""
    return tree.entries[0].key.span if tree.entries else tree.span
