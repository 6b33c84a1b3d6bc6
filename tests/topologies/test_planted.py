"""The comparison can fail: a mistake planted in an optimized program, or in what runs it, is found."""

import re
from collections.abc import Callable, Iterator
from functools import cache
from random import Random
from typing import Any

import pytest

from gxo.runtime.context import Context
from gxo.runtime.kernel.state import deep_copy
from gxo.runtime.streams.pipes import Pipe
from gxo.runtime.streams.ports import Records
from gxo.runtime.streams.source import Source
from gxo.runtime.streams.spill import SpillingRecords
from gxo.stdlib.data._formats.yaml import _Builder as Builder
from tests.both_levels import Program
from tests.topologies.compare import differences, problems, unsound, wrong
from tests.topologies.generate import Topology, generate
from tests.topologies.model import expect
from tests.topologies.real import Observed, programs, run
from tests.topologies.shrink import shrunk

TRIES = 300
"""Topologies of which one must show the mistake."""

IN_PROGRAMS = {
    "another comparison": (r"expr\.gt\(", "expr.ge("),
    "another number": (r'expr\.times\(record\["n"\], 2\)', 'expr.times(record["n"], 3)'),
    "fields that do not stay": (r", keep=True", ""),
    "a field that stays": (r'drop=\["more"\]', 'drop=["less"]'),
    "another limit": (r"count=[238]\b", "count=1"),
    "another order of groups": (r'group_by_fields=\["by", "k"\]', 'group_by_fields=["k", "by"]'),
    "another operation": (r'"op": "min"', '"op": "max"'),
    "another join": (r'join_type="(left|right|outer)"', 'join_type="inner"'),
    "no condition": (r", when=lambda ctx: ctx.inputs\[.no.\]", ""),
    "no skipping of bad records": (r', on_record_error="skip"', ""),
    "skipping of bad records": (
        r', records=\["(\w+)"\]\)',
        r', records=["\1"], on_record_error="skip")',
    ),
    "no skipping without input": (r", skip_on_no_input=True", ""),
    "an error that is not ignored": (r", ignore_errors=True", ""),
    "a time that is up": (r"timeout=3600\.0", "timeout=0.5"),
    "fewer attempts": (r"attempts=3", "attempts=1"),
    "another file": (r'path="out/', 'path="in/'),
    "another format": (r'format_="json"', 'format_="jsonl"'),
    "a stream that is read twice": (r'records=\["(\w+)", "\w+"\]', r'records=["\1"]'),
    "records that are not copied": (r"copies_of\(records\)", "records"),
}

IN_LOOPS = {
    "a record that becomes a part of itself": (
        r"(?m)record = \{\*\*record, (.*\brecord\W*)\}$",
        r"record.update({\1})",
        "was",
    ),
    "a whole record that is another one": (
        r"(\"was\": )record\b",
        r"\1{**record, 'n': 0}",
        "{{ . }}",
    ),
    "one list for two fields": (
        r"\"p\": (\[record\[\"k\"\]\]), \"q\": \1",
        r'"p": (one := \1), "q": one',
        "list .k",
    ),
    "a shared value that is another one": (
        r':= expr\.times\(record\["n"\], 2\)',
        ':= expr.times(record["n"], 3)',
        "* 2",
    ),
    "another size of a record": (r"len\(record\) > 4", "len(record) > 3", "len . }} > 4"),
}
"""Mistakes in loops that several workloads became; and a part of the playbooks that can have them."""


@cache
def ordinary(seed: int) -> tuple[Topology, Program, Observed]:
    """A topology, and its run without a mistake."""
    topology, program, _ = compiled(seed)
    return topology, program, run(program, topology.inputs)


@cache
def compiled(seed: int) -> tuple[Topology, Program, Program]:
    """A topology, without optimization and with it."""
    topology = generate(Random(seed))
    return topology, *programs(topology)


def seeds(part: str) -> Iterator[int]:
    """Those of the topologies that have this in their playbooks; without it they are cheap, and more
    are looked at.
    """
    for seed in range(4 * TRIES if part else TRIES):
        if part in repr(generate(Random(seed)).document):
            yield seed


def found(topology: Topology, plain: Observed, other: Observed) -> Iterator[str]:
    """What the comparison says of a run with a mistake."""
    expected = expect(topology)
    yield from wrong(topology, other, expected)
    yield from differences(plain, other, expected)


@pytest.mark.parametrize("mistake", IN_PROGRAMS)
def test_a_mistake_in_a_program_is_found(mistake: str) -> None:
    before, after = IN_PROGRAMS[mistake]
    for seed in range(TRIES):
        topology, program, plain = ordinary(seed)
        changed = Program(re.sub(before, after, program.text), program.source_map)
        if changed != program and any(found(topology, plain, run(changed, topology.inputs))):
            return
    raise AssertionError("nobody has noticed")


@pytest.mark.parametrize("mistake", IN_LOOPS)
def test_a_mistake_in_a_loop_is_found(mistake: str) -> None:
    before, after, part = IN_LOOPS[mistake]
    for seed in seeds(part):
        topology, plain, program = compiled(seed)
        changed = Program(re.sub(before, after, program.text), program.source_map)
        if changed == program or program.text == plain.text:
            continue
        try:
            observed = run(changed, topology.inputs)
        except ValueError as error:  # a report of a record that holds itself ends the job
            assert "Circular reference" in str(error)
            return
        if any(found(topology, ordinary(seed)[2], observed)):
            return
    raise AssertionError("nobody has noticed")


def test_a_mistake_in_the_source_map_is_found() -> None:
    for seed in range(TRIES):
        topology, program, plain = ordinary(seed)
        changed = Program(program.text, re.sub(r", 1, (\d+),", r", 2, \1,", program.source_map))
        if any(differences(plain, run(changed, topology.inputs), expect(topology))):
            return
    raise AssertionError("nobody has noticed")


def loses_a_record(patch: pytest.MonkeyPatch) -> None:
    take = Pipe.take
    patch.setattr(Pipe, "take", lambda self: take(self)[:-1])


def turns_a_batch_around(patch: pytest.MonkeyPatch) -> None:
    take = Pipe.take
    patch.setattr(Pipe, "take", lambda self: take(self)[::-1])


def hides_a_failure(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Source, "fail", lambda self, error: self.finish())


def ends_with_the_first_reader(patch: pytest.MonkeyPatch) -> None:
    left = Source.left

    def ends(self: Source, pipe: Pipe) -> None:
        left(self, pipe)
        if pipe.state == "closed" and not self.finished:
            self.finish()

    patch.setattr(Source, "left", ends)
    patch.setattr(Source, "put", lambda self, batch: self.finished or put(self, batch))
    put = Source.put


def counts_from_another_number(patch: pytest.MonkeyPatch) -> None:
    failed: Callable[..., Any] = Context.record_failed
    patch.setattr(
        Context,
        "record_failed",
        lambda self, record, error, number=1: failed(self, record, error, (number or 0) + 1),
    )


def copies_batches_whole(patch: pytest.MonkeyPatch) -> None:
    def take(self: Records) -> list[dict[str, Any]]:
        batch = self._pull()
        self.records_in += len(batch)
        return deep_copy(batch) if self.copied else batch

    patch.setattr(Records, "_take", take)


def makes_one_record_of_what_is_one_in_yaml(patch: pytest.MonkeyPatch) -> None:
    put: Callable[..., bool] = Builder._put

    def puts(self: Builder, value: Any, *rest: Any) -> bool:
        is_record = put(self, value, *rest)
        if is_record and self.value == value:
            self.value = value
        return is_record

    patch.setattr(Builder, "_put", puts)


def forgets_who_may_be_skipped(patch: pytest.MonkeyPatch) -> None:
    connect: Callable[..., Pipe] = Source.connect
    patch.setattr(Source, "connect", lambda self, consumer, **_: connect(self, consumer))


def counts_no_loss(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Source, "dropped", 0)


def keeps_records_nowhere_else(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(SpillingRecords, "changed", Records.changed)


IN_RUNTIME = [
    (loses_a_record, ""),
    (turns_a_batch_around, ""),
    (hides_a_failure, ""),
    (ends_with_the_first_reader, ""),
    (counts_from_another_number, ""),
    (copies_batches_whole, ""),
    (makes_one_record_of_what_is_one_in_yaml, "yaml"),
    (forgets_who_may_be_skipped, "secret"),
    (counts_no_loss, "drop_"),
    (keeps_records_nowhere_else, "flow:by_turns"),
]


@pytest.mark.parametrize(("plant", "part"), IN_RUNTIME, ids=[one.__name__ for one, _ in IN_RUNTIME])
def test_a_mistake_in_the_runtime_is_found(
    plant: Callable[[pytest.MonkeyPatch], None], part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for seed in seeds(part):
        topology, _, observed = ordinary(seed)
        for program in dict.fromkeys(compiled(seed)[1:]):
            with monkeypatch.context() as patch:
                plant(patch)
                if any(found(topology, observed, run(program, topology.inputs))):
                    return
    raise AssertionError("nobody has noticed")


def test_no_run_is_sound_that_succeeds_on_half_a_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    hides_a_failure(monkeypatch)
    runs = (generate(Random(seed)) for seed in range(TRIES))
    assert any(
        any(unsound(topology, run(programs(topology)[0], topology.inputs))) for topology in runs
    )


def test_what_goes_wrong_is_made_small(monkeypatch: pytest.MonkeyPatch) -> None:
    loses_a_record(monkeypatch)
    topology = next(
        topology for seed in range(TRIES) if problems(topology := generate(Random(seed)))
    )
    assert len(shrunk(topology, problems).workloads) <= 2
