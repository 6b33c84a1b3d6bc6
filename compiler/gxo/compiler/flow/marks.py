"""What a value may hold: a secret, something from outside, and the way it took to get there.

    {{ dict "user" .name "pass" (secret "DB") }}
    Flow(fields={"user": the input's marks, "pass": {SECRET: (Note "`DB` is named here")}})

A `Flow` is an upper bound: what has no mark is safe, what has one may be. Joining two flows keeps
the first trail of each kind, since one way is enough to explain a finding.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto

from gxo.compiler.diagnostics import Note


class Kind(Enum):
    """`SECRET_PART`: a secret that is only a part of the text. `*_BARE`: the text of such a value
    that `shellquote` has not made one word of."""

    SECRET = auto()
    SECRET_PART = auto()
    OUTSIDE = auto()
    OUTSIDE_BARE = auto()
    GIVEN = auto()
    GIVEN_BARE = auto()

    __hash__ = object.__hash__  # each is there once: Enum's own asks for its name


Trail = tuple[Note, ...]
Marks = Mapping[Kind, Trail]
Key = str | int

NO_MARKS: Marks = {}
LONGEST_TRAIL = 12
"""Steps that are told; of a longer way, the middle is left out."""
_DEPTH = 3
"""How deep two maps are joined field by field; below, each field counts as the whole."""


def outside(note: Note) -> Marks:
    return {Kind.OUTSIDE: (note,), Kind.OUTSIDE_BARE: (note,)}


def given(note: Note) -> Marks:
    """The marks of what the playbook or its caller says."""
    return {Kind.GIVEN: (note,), Kind.GIVEN_BARE: (note,)}


@dataclass(frozen=True, slots=True)
class Flow:
    """What a value may hold.

    marks: of the value itself and all in it. fields: of a map by name, of a list by position.
    rest: of any other field or element. notes: the last steps of what is in `fields` and `rest`,
    which are not yet in their trails. inside: what is in those, computed once for all flows that
    differ only in their way. whole: everything together.
    """

    marks: Marks = field(default_factory=dict)
    fields: "Mapping[Key, Flow]" = field(default_factory=dict)
    rest: "Flow | None" = None
    notes: Trail = ()
    inside: Marks | None = None
    whole: Marks = field(init=False)

    def __post_init__(self) -> None:
        if self.rest is None and not self.fields:
            object.__setattr__(self, "whole", self.marks)
            return
        inside = self.inside
        if inside is None:
            inside = _first_trails(self._parts())
            object.__setattr__(self, "inside", inside)
        whole = {kind: _longer(trail, self.notes) for kind, trail in inside.items()}
        object.__setattr__(self, "whole", {**whole, **self.marks})

    def _parts(self) -> "Iterable[Flow]":
        return self.fields.values() if self.rest is None else (*self.fields.values(), self.rest)

    def through(self, *notes: Note) -> "Flow":
        """The same value after further steps of its way."""
        if not self.whole or not notes:
            return self
        marks = {kind: _longer(trail, notes) for kind, trail in self.marks.items()}
        return Flow(marks, self.fields, self.rest, _longer(self.notes, notes), self.inside)

    def at(self, name: Key) -> "Flow":
        """The field or element of that name."""
        found = self.fields.get(name, self.rest)
        part = CLEAN if found is None else found.through(*self.notes)
        return join(Flow(self.marks), part) if self.marks else part

    def elements(self) -> "Flow":
        """Any element of a list, any value of a map."""
        return joined([Flow(self.marks), *(part.through(*self.notes) for part in self._parts())])

    def keys(self) -> "Flow":
        """The names of a map's fields: those that the playbook says hold nothing."""
        return Flow(self.marks)

    @property
    def is_list(self) -> bool:
        """Whether the playbook itself says that it is a list."""
        return any(isinstance(name, int) for name in self.fields)

    def without(self, *kinds: Kind) -> "Flow":
        """All that the value holds but these kinds, as one piece."""
        return Flow({kind: trail for kind, trail in self.whole.items() if kind not in kinds})


def _first_trails(flows: Iterable[Flow]) -> dict[Kind, Trail]:
    """Of each kind in any of the flows, the first trail."""
    marks: dict[Kind, Trail] = {}
    for flow in flows:
        for kind, trail in flow.whole.items():
            marks.setdefault(kind, trail)
    return marks


CLEAN = Flow()


def named_secret(note: Note) -> Flow:
    """What a secret holds: it is given, and nobody's but the job's."""
    return Flow({Kind.SECRET: (note,), **given(note)})


def _longer(trail: Trail, notes: Trail) -> Trail:
    last = trail[-1:]
    fresh = tuple([note for note in notes if note not in last])
    whole = trail + fresh
    half = LONGEST_TRAIL // 2
    return whole if len(whole) <= LONGEST_TRAIL else whole[:half] + whole[-half:]


def join(one: Flow, other: Flow, depth: int = _DEPTH) -> Flow:
    """What a value holds that may be either."""
    if one is other or not other.whole:
        return one
    if not one.whole:
        return other
    if not depth:
        return mixed([one, other])
    names = dict.fromkeys((*one.fields, *other.fields))
    rests = [flow.rest.through(*flow.notes) for flow in (one, other) if flow.rest is not None]
    return Flow(
        {**other.marks, **one.marks},
        {name: join(_own(one, name), _own(other, name), depth - 1) for name in names},
        join(rests[0], rests[1], depth - 1) if len(rests) == 2 else next(iter(rests), None),
    )


def _own(flow: Flow, name: Key) -> Flow:
    """As `Flow.at`, without the marks of the whole, which the join keeps."""
    found = flow.fields.get(name, flow.rest)
    return CLEAN if found is None else found.through(*flow.notes)


def joined(flows: Iterable[Flow]) -> Flow:
    """What a value holds that may be any of these."""
    result = CLEAN
    for flow in flows:
        result = join(result, flow)
    return result


def mixed(flows: Iterable[Flow]) -> Flow:
    """What a text holds that is made of all of these."""
    return Flow(_first_trails(flows))


def combined(flows: Iterable[Flow]) -> Flow:
    """As `mixed`, of a text in which a secret does not stand alone."""
    marks = dict(mixed(flows).marks)
    if Kind.SECRET in marks:
        marks.setdefault(Kind.SECRET_PART, marks[Kind.SECRET])
    return Flow(marks)
