"""What a line for the shell names that no test may use: paths to outside of the workspace.

    /usr/bin/env x       the absolute path /usr/bin/env
    x=$(cat '/etc/x')    the absolute path /etc/x: in substitutions, quotes, assignments as well
    ls > /dev/null       nothing: a device
    ~/bin/x, ../../x     a home directory; a path that climbs out
    command -p ls        the system's own PATH

It reads what stands in the text. What a variable holds is only known to the shell: `$x/env` passes
here, and is left to the kernel (confine.py) and to a PATH that has nothing in it.
"""

import os
import re
from collections.abc import Callable, Iterator

VALUE, GLOB, HOME = "\0", "\1", "\2"
"""In a word: what the shell puts in for a variable or a command, unquoted characters of a pattern,
and an unquoted tilde."""

DEVICES = re.compile(r"/dev/(null|zero|full|tty|random|urandom|std(in|out|err)|fd(/\d+)?)")

TOP_LEVEL = re.compile(
    "Applications|Library|System|Users|Volumes|bin|boot|dev|etc|export|home|lib(32|64|x32)?|media"
    "|mnt|nix|opt|private|proc|root|run|sbin|snap|srv|sys|tmp|usr|var"
)
"""Names below the root by which a path is known for one, and `/foo/` of a pattern is not. What is
there on the host counts as well."""

_ENDS = " \t\n;|&()<>"
_START = re.compile(r"(?<![^\s;|&()<>=:,'\"`{}!@])(?<!:(?=//))/[^\s;|&()<>'\"`:,]*")
_HOME = re.compile(rf"(^|^\w+=|:){HOME}[\w-]*(?=/|:|$)")
_DEFAULT = re.compile(r"\w+:?[-=+?]")

Exists = Callable[[str], bool]


def outside(
    text: str, *, depth: int = 0, workspace: str | None = None, exists: Exists = os.path.lexists
) -> Iterator[str]:
    """What of the text leads out of the workspace, as a message goes on after "it names".

    depth: how many folders below the workspace's the shell starts. workspace: its path. exists:
    whether something is there on this host; what compiles a playbook knows nothing of that.
    """
    try:
        words = _Reader(text).all()
    except RecursionError:
        yield "what is nested too deeply to be looked through"
        return
    before = ""
    for word in words:
        if before in ("cd", "pushd"):
            depth += sum(part not in ("", ".", "..") for part in word.split("/"))
            if word.strip("/.") == "" and word.startswith("/"):
                yield "the root folder"
        if before == "command" and re.match(r"-\w*p", word):
            yield "the system's own PATH (`command -p`)"
        if _HOME.search(word):
            yield f"a home directory ({_shown(word)})"
        yield from _absolute(word, workspace, exists)
        if _climbs(word, depth):
            yield f"{_shown(word)}, which leads out of the workspace"
        before = word


def _absolute(word: str, workspace: str | None, exists: Exists) -> Iterator[str]:
    for match in _START.finditer(word):
        path = os.path.normpath("/" + match.group().lstrip("/"))
        first = path.split("/")[1]
        is_inside = workspace is not None and (path + "/").startswith(workspace + "/")
        if first in ("", GLOB) or is_inside or DEVICES.fullmatch(path):
            continue  # `/*` is a pattern of `case`
        if VALUE in first or GLOB in first or TOP_LEVEL.fullmatch(first) or exists(f"/{first}"):
            yield f"the absolute path {_shown(path)}"


def _climbs(word: str, depth: int) -> bool:
    """Whether a relative path is above the workspace, for a shell that is so deep in it."""
    path = word.rpartition("=")[2]
    if path.startswith("/") or ".." not in path.split("/"):
        return False
    for part in path.split("/"):
        if VALUE in part:
            return False
        depth += {"": 0, ".": 0, "..": -1}.get(part, 1)
        if depth < 0:
            return True
    return False


def _shown(word: str) -> str:
    return word.replace(VALUE, "$...").replace(GLOB, "*").replace(HOME, "~")


class _Reader:
    """Cuts a text into words as a shell does, those of substitutions too. It refuses nothing: what
    is no shell text after all is cut somehow.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._words: list[str] = []

    def all(self) -> list[str]:
        """Every word, without its quotes."""
        while self._at < len(self._text):
            self._read_until("")
        return self._words

    def _next(self) -> str:
        one = self._text[self._at : self._at + 1]
        self._at += 1
        return one

    def _read_until(self, end: str) -> None:
        """Read words up to an unquoted `end`, or to the end of the text."""
        word = ""
        begun = False
        while one := self._next():
            if one == end or one in _ENDS or (one == "#" and not begun):
                if begun:
                    self._words.append(word)
                word, begun = "", False
                if one == end:
                    return
                if one == "(":
                    self._read_until(")")
                elif one == "#":
                    self._at = (self._text + "\n").find("\n", self._at)
            else:
                word += self._piece(one)
                begun = True
        if begun:
            self._words.append(word)

    def _piece(self, one: str) -> str:
        """What a character, and what belongs to it, adds to a word."""
        if one == "\\":
            return self._next().replace("\n", "")
        if one == "'":
            return self._quoted_until("'")
        if one == '"':
            return self._in_double_quotes()
        if one in "*?[":
            return GLOB
        return HOME if one == "~" else self._value(one)

    def _in_double_quotes(self) -> str:
        word = ""
        while (one := self._next()) and one != '"':
            if one == "\\" and self._text[self._at : self._at + 1] in '$`"\\\n':
                word += self._next().replace("\n", "")
            else:
                word += self._value(one)
        return word

    def _value(self, one: str) -> str:
        """What stands for a variable or a command, whose own words are read as well."""
        if one == "`":
            self._words += _Reader(self._quoted_until("`").replace("\\`", "`")).all()
            return VALUE
        if one != "$":
            return one
        rest = self._text[self._at :]
        if rest.startswith("("):
            self._at += 1
            self._read_until(")")
            return VALUE
        if rest.startswith("{"):
            self._words += _Reader(_DEFAULT.sub("", self._quoted_until("}")[1:], count=1)).all()
            return VALUE
        name = re.match(r"\w+|[@*#?$!-]", rest)
        if name is None:
            return "" if rest.startswith("'") else one  # `$'...'` of bash
        self._at += name.end()
        return VALUE

    def _quoted_until(self, end: str) -> str:
        start = self._at
        found = self._text.find(end, start)
        stop = len(self._text) if found < 0 else found
        self._at = stop + 1
        return self._text[start:stop]
