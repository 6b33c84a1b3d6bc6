"""Patterns of a policy: text in which `*` is any text, and nothing else is special.

    commands   git          the program, with any arguments
               git fetch *  the whole line
    hosts      *.example.com
    ports      *:443
    reads      conf/*       files of one folder; conf/** those below it as well

Each runs in linear time, as what is matched can be a long text that somebody else wrote.
"""

import posixpath

from gxo.compiler.effects import Capability

_PATHS = ("reads", "writes", "outputs")
_ANY_CASE = ("hosts", "ports", "lookups")


def matches(pattern: str, one: Capability) -> bool:
    """Whether the pattern covers what is touched.

    Of a command a pattern with a space is about the whole line, another one about the program.
    """
    if one.kind in _PATHS:
        return _path_matches(pattern.split("/"), _normal(one.what).split("/"))
    if one.kind == "commands" and " " in pattern and one.detail:
        return text_matches(pattern, one.detail)
    return text_matches(pattern.lower() if one.kind in _ANY_CASE else pattern, one.what)


def text_matches(pattern: str, text: str) -> bool:
    """Whether the whole text is what the pattern says."""
    head, *others = pattern.split("*")
    if not others:
        return text == pattern
    if not text.startswith(head):
        return False
    place = len(head)
    *middle, tail = others
    for part in middle:
        found = text.find(part, place)
        if found < 0:
            return False
        place = found + len(part)
    return len(text) - place >= len(tail) and text.endswith(tail)


def _normal(path: str) -> str:
    """The path without `.` and with each `..` that can be taken away taken away."""
    return posixpath.normpath(path).replace("//", "/")


def _path_matches(pattern: list[str], path: list[str]) -> bool:
    """`**` is any number of folders; no star is a `..`, which leads elsewhere."""
    places = {0}
    for part in pattern:
        if part == "**":
            first = min(places, default=len(path) + 1)
            places = {*range(first, len(path) + 1)} if ".." not in path[first:] else places
        else:
            places = {
                place + 1
                for place in places
                if place < len(path)
                and text_matches(part, path[place])
                and (path[place] != ".." or part == "..")
            }
    return len(path) in places
