"""What `replace` makes anew, and what it gives back as it was."""

from dataclasses import dataclass

from gxo.compiler.frozen import replace


@dataclass(frozen=True, slots=True)
class _Node:
    name: str
    parts: tuple[object, ...] = ()


_PART, _EQUAL = _Node("part"), _Node("part")
_NODE = _Node("node", (_PART, ("key", _PART)))


def test_the_same_values_give_the_same_node() -> None:
    assert replace(_NODE, name="node") is _NODE
    assert replace(_NODE, parts=(_PART, ("key", _PART))) is _NODE
    assert replace(_NODE, name="node", parts=_NODE.parts) is _NODE


def test_equal_values_are_others() -> None:
    # Nodes compare without their spans, so an equal one may stand elsewhere.
    for parts in ((_EQUAL, ("key", _PART)), (_PART, ("key", _EQUAL))):
        made = replace(_NODE, parts=parts)
        assert made is not _NODE
        assert made.parts is parts


def test_a_changed_value_is_taken() -> None:
    for parts in ((), (_PART,), (_PART, ("other", _PART)), (_PART, _PART)):
        assert replace(_NODE, parts=parts) == _Node("node", parts)
    assert replace(_NODE, name="other") == _Node("other", _NODE.parts)
