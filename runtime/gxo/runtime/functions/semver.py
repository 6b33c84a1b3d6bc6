"""Sprig's `semver` and `semverCompare`, with the rules of Masterminds/semver 3.

A constraint is a list of comparisons joined by spaces or commas (and) and `||` (or):

    >=1.2 <3.0.0 || ^4.1      ~1.2.3      1.x      1.2 - 2.0
"""

from collections.abc import Callable
from typing import Any, ClassVar

from gxo.runtime.errors import ExpressionError
from gxo.runtime.expr import Native, describe
from gxo.runtime.functions import function
from gxo.runtime.regex import compile_pattern

_TAIL = r"(-([0-9A-Za-z\-]+(\.[0-9A-Za-z\-]+)*))?(\+([0-9A-Za-z\-]+(\.[0-9A-Za-z\-]+)*))?"
_VERSION = rf"^v?([0-9]+)(\.[0-9]+)?(\.[0-9]+)?{_TAIL}$"
_LOOSE = rf"v?([0-9|x|X|\*]+)(\.[0-9|x|X|\*]+)?(\.[0-9|x|X|\*]+)?{_TAIL}"
_OPERATORS = r"=||!=|>|<|>=|=>|<=|=<|~|~>|\^"
_CONSTRAINT = rf"^\s*({_OPERATORS})\s*({_LOOSE})\s*$"
_CONSTRAINTS = (
    rf"^(\s*({_OPERATORS})\s*({_LOOSE})\s*)((?:\s+|,\s*)({_OPERATORS})\s*({_LOOSE})\s*)*$"
)
_ONE_OF_THEM = rf"({_OPERATORS})\s*({_LOOSE})"
_RANGE = rf"\s*({_LOOSE})\s+-\s+({_LOOSE})\s*"
_LARGEST = (1 << 64) - 1


class Version(Native):
    """A semantic version. `prerelease` and `metadata` are "" when absent."""

    __slots__ = ("metadata", "numbers", "original", "prerelease")
    GO_TYPE = "*semver.Version"
    METHODS: ClassVar[dict[str, Callable[..., Any]]] = {}

    def __init__(
        self, numbers: tuple[int, int, int], prerelease: str, metadata: str, original: str = ""
    ) -> None:
        self.numbers = numbers
        self.prerelease = prerelease
        self.metadata = metadata
        self.original = original

    def __str__(self) -> str:
        text = ".".join(map(str, self.numbers))
        text += f"-{self.prerelease}" if self.prerelease else ""
        return text + (f"+{self.metadata}" if self.metadata else "")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Version) and (str(self), self.original) == (
            str(other),
            other.original,
        )

    def __hash__(self) -> int:
        return hash(str(self))

    def compare(self, other: "Version") -> int:
        """Return -1, 0 or 1 as this version is before, equal to or after the other."""
        if self.numbers != other.numbers:
            return 1 if self.numbers > other.numbers else -1
        return _compare_prereleases(self.prerelease, other.prerelease)


@function("semver")
def semver(text: str) -> Version:
    """Return a version, to ask for its parts: `(semver "1.2.3-rc1").Prerelease`."""
    return parse_version(text)


@function("semverCompare")
def semver_compare(constraint: str, version: str) -> bool:
    """Return whether a version meets a constraint such as `>=1.2 <2 || ^3.1`."""
    alternatives = _parse_constraints(constraint)
    parsed = parse_version(version)
    return any(all(part.met_by(parsed) for part in parts) for parts in alternatives)


def parse_version(text: str) -> Version:
    """Return the version that a text such as `v1.2`, `1.2.3-rc.1+b2` names."""
    spans = compile_pattern(_VERSION).search(text)
    groups = _texts(text, spans)
    numbers = [int(groups[number].lstrip(".") or "0") for number in (1, 2, 3)] if spans else []
    version = None
    if spans and max(numbers) <= _LARGEST:
        version = Version((numbers[0], numbers[1], numbers[2]), groups[5], groups[8], text)
        if any(_leads_with_zero(part) for part in version.prerelease.split(".")):
            version = None
    if version is None:
        raise ExpressionError(f"{describe(text)} is no semantic version")
    return version


def _leads_with_zero(part: str) -> bool:
    return part.isdecimal() and len(part) > 1 and part.startswith("0")


def _texts(text: str, spans: tuple[int, ...] | None) -> list[str]:
    """Return the texts of a match and its groups, "" for a group that took no part."""
    pairs = zip(spans[::2], spans[1::2], strict=True) if spans else ()
    return [text[start:end] if start >= 0 else "" for start, end in pairs]


def _compare_prereleases(left: str, right: str) -> int:
    if left == right:
        return 0
    if not left or not right:
        return -1 if left else 1
    ours, others = left.split("."), right.split(".")
    for our, other in zip(ours, others):  # noqa: B905 - the longer one wins below
        if our != other:
            return _compare_identifiers(our, other)
    return (len(ours) > len(others)) - (len(ours) < len(others))


def _compare_identifiers(left: str, right: str) -> int:
    """Return how two different parts of a prerelease compare: numbers come before words."""
    numbers = left.isdecimal(), right.isdecimal()
    if numbers == (True, True):
        return 1 if int(left) > int(right) else -1
    if numbers == (False, False):
        return 1 if left > right else -1
    return -1 if numbers[0] else 1


class _Constraint:
    """One comparison. `given` counts the numbers that are no wildcard."""

    __slots__ = ("given", "operator", "version")

    def __init__(self, operator: str, version: Version, given: int) -> None:
        self.operator = operator
        self.version = version
        self.given = given

    def met_by(self, version: Version) -> bool:
        if self.operator == "!=":
            return self.differs_from(version)
        if version.prerelease and not self.version.prerelease:
            return False
        order = version.compare(self.version)
        if self.operator == "<":
            return order < 0
        if self.operator in (">=", "=>"):
            return order >= 0
        if self.operator == ">":
            return order > 0 if self.exact() else self.is_above(version)
        if self.operator in ("<=", "=<"):
            return order <= 0 if self.exact() else self.is_at_most(version)
        if self.operator == "^":
            return order >= 0 and self.caret(version)
        if self.operator in ("", "=") and self.exact():
            return order == 0
        return order >= 0 and self.tilde(version)

    def exact(self) -> bool:
        return self.given == 3

    def differs_from(self, version: Version) -> bool:
        if self.exact():
            return version.compare(self.version) != 0
        if version.prerelease and not self.version.prerelease:
            return False
        mine, others = self.version.numbers, version.numbers
        if mine[0] != others[0]:
            return True
        if self.given == 1:
            return False
        if mine[1] != others[1]:
            return True
        if self.given == 2:
            return _compare_prereleases(version.prerelease, self.version.prerelease) != 0
        return mine[2] != others[2] or version.compare(self.version) != 0

    def is_above(self, version: Version) -> bool:
        """Return `>` with wildcards: 11 is not above 11.x, 12 is."""
        mine, others = self.version.numbers, version.numbers
        if mine[0] != others[0] or self.given == 1:
            return others[0] > mine[0]
        return others[1] > mine[1] if self.given == 2 else version.compare(self.version) > 0

    def is_at_most(self, version: Version) -> bool:
        """Return `<=` with wildcards: 11.4 is at most 11.x."""
        mine, others = self.version.numbers, version.numbers
        above = mine[0] == others[0] and others[1] > mine[1] and self.given != 1
        return others[0] <= mine[0] and not above

    def tilde(self, version: Version) -> bool:
        mine, others = self.version.numbers, version.numbers
        if mine == (0, 0, 0) and self.given in (0, 3):
            return True
        return mine[0] == others[0] and (mine[1] == others[1] or self.given == 1)

    def caret(self, version: Version) -> bool:
        mine, others = self.version.numbers, version.numbers
        if mine[0] > 0 or self.given == 1:
            return others[0] == mine[0]
        if others[0] > 0:
            return False
        if mine[1] > 0 or self.given == 2:
            return others[1] == mine[1]
        return others[1] == 0 and others[2] == mine[2]


def _parse_constraints(text: str) -> list[list[_Constraint]]:
    spelled = _without_ranges(text)
    alternatives = []
    for part in spelled.split("||"):
        if compile_pattern(_CONSTRAINTS).search(part) is None:
            raise ExpressionError(f"{describe(text)} is no version constraint")
        found = compile_pattern(_ONE_OF_THEM).matches(part)
        alternatives.append([_parse_constraint(part[spans[0] : spans[1]]) for spans in found])
    return alternatives


def _without_ranges(text: str) -> str:
    """Write `1.2 - 2.0` as `>= 1.2, <= 2.0`."""
    result = text
    for spans in compile_pattern(_RANGE).matches(text):
        groups = _texts(text, spans)
        result = result.replace(groups[0], f">= {groups[1]}, <= {groups[11]}", 1)
    return result


def _parse_constraint(text: str) -> _Constraint:
    groups = _texts(text, compile_pattern(_CONSTRAINT).search(text))
    if not groups:
        raise ExpressionError(f"{describe(text)} is no version constraint")
    operator, version, tail = groups[1], groups[2], groups[6]
    numbers = [group.removeprefix(".") for group in groups[3:6]]
    given = 0
    while given < 3 and numbers[given] not in ("", "x", "X", "*"):
        given += 1
    if given < 3:
        version = ".".join([*numbers[:given], *["0"] * (3 - given)]) + tail
    return _Constraint(operator, parse_version(version), given)


def _require(value: object) -> Version:
    if isinstance(value, Version):
        return value
    raise ExpressionError(f"a version compares with a version, not {describe(value)}")


def _increased(version: Version, at: int) -> Version:
    numbers = list(version.numbers)
    if at < 2 or not version.prerelease:
        numbers[at] += 1
    numbers[at + 1 :] = [0] * (2 - at)
    result = Version((numbers[0], numbers[1], numbers[2]), "", "")
    result.original = ("v" if version.original.startswith("v") else "") + str(result)
    return result


Version.METHODS.update(
    {
        "Major": lambda version: version.numbers[0],
        "Minor": lambda version: version.numbers[1],
        "Patch": lambda version: version.numbers[2],
        "Prerelease": lambda version: version.prerelease,
        "Metadata": lambda version: version.metadata,
        "Original": lambda version: version.original,
        "String": str,
        "Compare": lambda version, other: version.compare(_require(other)),
        "LessThan": lambda version, other: version.compare(_require(other)) < 0,
        "GreaterThan": lambda version, other: version.compare(_require(other)) > 0,
        "Equal": lambda version, other: version.compare(_require(other)) == 0,
        "IncMajor": lambda version: _increased(version, 0),
        "IncMinor": lambda version: _increased(version, 1),
        "IncPatch": lambda version: _increased(version, 2),
    }
)
