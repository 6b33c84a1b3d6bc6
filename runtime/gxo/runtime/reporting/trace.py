"""Say what an error means in the playbook's words, and where in the playbook it is.

    KeyError: 'body'   in gxo_job.py, line 12, at ctx.state["users"]["body"]
    the map has no key "body" (active-users.gxo.yaml:9:16: .users.body)

The source map leads from the failing expression of the generated code, found by line and column, to
the playbook. Not imported by a job in which nothing fails.
"""

import ast
import linecache
import re
import traceback
from collections.abc import Container, Iterator
from types import CodeType, TracebackType
from typing import TYPE_CHECKING, Any

from gxo.runtime.errors import GxoError

if TYPE_CHECKING:
    from gxo.runtime.kernel.run import Run

Place = tuple[int, int, int, int]
"""Line (from 1), column in bytes (from 0), end line, end column."""

LONGEST_EXPRESSION = 80

OF_USERS = "modules/"
"""Where an artifact has the files of a user's own modules."""

WORDS = {
    "NoneType": "nil",
    "str": "text",
    "dict": "map",
    "Answer": "map",
    "Failure": "map",
    "Node": "map",
}

_SENTENCES = (
    (r"'(\w+)' object is not subscriptable", "{0} has no field {field}"),
    (r"'(\w+)' object has no attribute '(\w+)'", '{0} has no field "{1}"'),
    (r"(list) indices must be integers or slices, not \w+", "{0} has no field {field}"),
    (r"(str)ing indices must be integers.*", "{0} has no field {field}"),
    (
        r"unsupported operand type\(s\) for (\S+): '(\w+)' and '(\w+)'",
        "`{0}` does not work on {1} and {2}",
    ),
    (
        r"'(\S+)' not supported between instances of '(\w+)' and '(\w+)'",
        "`{0}` cannot compare {1} with {2}",
    ),
    (r"'(\w+)' object is not iterable", "{0} is not a list"),
    (r"object of type '(\w+)' has no len\(\)", "{0} has no length"),
)


_OF_EXPRESSIONS = tuple(
    f"gxo.runtime.{name}"
    for name in (
        *("convert", "expr", "functions", "golang", "kernel.state", "pipelines.rows", "pki"),
        *("regex", "testing.modules"),
    )
)
"""Modules that generated expressions call, by how their names begin."""


class Failing:
    """The generated expression that an exception comes from.

    direct: it failed itself, or in a helper of expressions, rather than in a module it called.
    """

    __slots__ = ("code", "direct", "lines", "place")

    def __init__(self, step: TracebackType, *, direct: bool) -> None:
        frame = step.tb_frame
        self.code = frame.f_code
        self.direct = direct
        self.place = _position(self.code, step.tb_lasti)
        self.lines = linecache.getlines(self.code.co_filename, frame.f_globals)

    def text(self) -> str:
        """Its Python source; empty when that is not at hand."""
        if self.place is None:
            return ""
        line, column, end_line, end_column = self.place
        lines = [text.encode() for text in self.lines[line - 1 : end_line]]
        if not lines:
            return ""
        lines[-1] = lines[-1][:end_column]
        lines[0] = lines[0][column:]
        return b"".join(lines).decode()


def explain(run: "Run", error: BaseException) -> str:
    """One sentence, redacted, with the place in the playbook when it is known."""
    error = _innermost(error)
    failing = _failing(run, error)
    text = _message(error, failing)
    if not isinstance(error, GxoError) and (own := place_of_users(error, run.job.files)):
        text = f"{text} ({own})"
    elif failing is not None and (entry := _entry(run, failing)) is not None:
        expression = entry[6]
        where = "{}:{}:{}".format(*_place_in_playbook(run, entry))
        if failing.direct and expression:
            where += f": {_shortened(expression)}"
        if where not in text:
            text = f"{text} ({where})"
    cleaned: str = run.redact(text)
    return cleaned


def place_of(run: "Run", error: BaseException) -> tuple[str, int, int] | None:
    """File, line and column of the playbook's expression that it comes from, when that is known."""
    failing = _failing(run, _innermost(error))
    entry = None if failing is None else _entry(run, failing)
    return None if entry is None else _place_in_playbook(run, entry)


def _place_in_playbook(run: "Run", entry: list[Any]) -> tuple[str, int, int]:
    line, column = entry[4:6]
    file = entry[8] if len(entry) > 8 else source_map(run)["file"]  # of a template file its own
    return file, line, column


def place_of_users(error: BaseException, generated: Container[str] = ()) -> str | None:
    """Where in a user's own modules it comes from; None if it comes from elsewhere.

    A playbook's expression that such a module evaluates is in the generated code, and none of it.
    """
    if isinstance(error, SyntaxError) and (error.filename or "").startswith(OF_USERS):
        return f"{error.filename}:{error.lineno}"
    place = None
    for frame, line in traceback.walk_tb(error.__traceback__):
        file = f"{frame.f_globals.get('__name__', '').replace('.', '/')}.py"
        if frame.f_code.co_filename in generated:
            place = None
        elif file.startswith(OF_USERS):
            place = f"{file}:{line}"
    return place


def expression_around(run: "Run", error: BaseException, code: CodeType) -> str | None:
    """The playbook's text of the whole expression that the function `code` was made of.

    That of a lambda is around it; one with a name is where the decorator names it.
    """
    step = error.__traceback__
    while step is not None and step.tb_frame.f_code is not code:
        step = step.tb_next
    if step is None:
        return None
    failing = Failing(step, direct=True)
    if code.co_name == "<lambda>":
        entries = list(_entries(run, failing))
    else:
        entries = [one for one in _entries_of_file(run, failing) if _names(one, failing)]
    if not entries:
        return None
    outermost = min(entries, key=lambda entry: (entry[0], entry[1], -entry[2], -entry[3]))
    text: str = outermost[6]
    return text


def _names(entry: list[Any], failing: Failing) -> bool:
    """Whether all that stands at the entry is the name of the function."""
    line, column, end_line, end_column = entry[:4]
    shown = failing.lines[line - 1 : line]
    if line != end_line or not shown:
        return False
    return shown[0].encode()[column:end_column] == failing.code.co_name.encode()


def full_traceback(run: "Run", error: BaseException) -> str:
    """Python's own account, for `--traceback`, redacted."""
    cleaned: str = run.redact("".join(traceback.format_exception(error)))
    return cleaned


def let_go(error: BaseException) -> None:
    """Empty the frames that an error has come through, once it has been told.

    Frames and errors hold on to each other, and to all that a module had in hand.
    """
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        one = waiting.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        for frame, _line in traceback.walk_tb(one.__traceback__):
            try:
                frame.clear()
            except RuntimeError:  # it still runs
                continue
        waiting += [one.__cause__, one.__context__]
        if isinstance(one, BaseExceptionGroup):
            waiting += one.exceptions


def _innermost(error: BaseException) -> BaseException:
    """The first of a group of errors: a module's task group wraps what really happened."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _failing(run: "Run", error: BaseException) -> Failing | None:
    """The innermost step of the traceback that is in the generated code."""
    step = error.__traceback__
    found = None
    direct = True
    while step is not None:
        name = step.tb_frame.f_globals.get("__name__", "")
        if step.tb_frame.f_code.co_filename in run.job.files:
            found, direct = step, True
        elif not name.startswith(_OF_EXPRESSIONS):
            direct = False
        step = step.tb_next
    return None if found is None else Failing(found, direct=direct)


def _message(error: BaseException, failing: Failing | None) -> str:
    if isinstance(error, GxoError):
        return _text(error.message)
    if isinstance(error, (SystemExit, KeyboardInterrupt)):
        return f"the module tried to end the job ({type(error).__name__})"
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    if isinstance(error, MemoryError):
        return "there is not enough memory for it"
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename}" if error.filename else f"{error.strerror}"
    if failing is not None and failing.direct:
        return _sentence(error, failing)
    text = _text(error)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _text(said: object) -> str:
    """The text of what a module says, which may be no text, or fail when it is asked for."""
    try:
        return str(said)
    except Exception:
        return ""


def _sentence(error: BaseException, failing: Failing) -> str:
    """What Python says about an expression, in the playbook's words."""
    if isinstance(error, KeyError) and error.args:
        return f"the map has no key {_quoted(error.args[0])}"
    if isinstance(error, IndexError):
        return f"the list has no element {_subscript(failing)}".rstrip()
    for pattern, sentence in _SENTENCES:
        if match := re.fullmatch(pattern, str(error)):
            words = [WORDS.get(word, word) for word in match.groups()]
            return sentence.format(*words, field=_subscript(failing)).rstrip()
    return str(error) or type(error).__name__


def _subscript(failing: Failing) -> str:
    """The key of the subscript that failed, quoted; empty when it is computed."""
    try:
        tree = ast.parse(failing.text().strip(), mode="eval").body
    except (SyntaxError, ValueError):
        return ""
    if isinstance(tree, ast.Subscript) and isinstance(tree.slice, ast.Constant):
        return _quoted(tree.slice.value)
    return ""


def _quoted(key: object) -> str:
    return f'"{key}"' if isinstance(key, str) else str(key)


def _position(code: CodeType, instruction: int) -> Place | None:
    """Where the instruction's expression stands in its file."""
    for index, (line, end_line, column, end_column) in enumerate(code.co_positions()):
        if index == instruction // 2:
            if line is None or end_line is None or column is None or end_column is None:
                return None
            return line, column, end_line, end_column
    return None


def source_map(run: "Run") -> dict[str, Any]:
    """The artifact's source map, read once; without one there are no places."""
    if run.source_map is None:
        import json

        try:
            content = run.bundle.read("_gxo/sourcemap.json") if run.bundle is not None else b"{}"
        except FileNotFoundError:
            content = b"{}"
        run.source_map = json.loads(content)
    return run.source_map


def _entry(run: "Run", failing: Failing) -> list[Any] | None:
    """The smallest entry of the source map that contains the expression."""
    found = None
    for entry in _entries(run, failing):
        starts, ends = (entry[0], entry[1]), (entry[2], entry[3])
        if found is None or (starts >= (found[0], found[1]) and ends <= (found[2], found[3])):
            found = entry
    return found


def _entries(run: "Run", failing: Failing) -> Iterator[list[Any]]:
    """The entries of the source map that contain the expression."""
    if failing.place is None:
        return
    line, column, end_line, end_column = failing.place
    for entry in _entries_of_file(run, failing):
        starts, ends = (entry[0], entry[1]), (entry[2], entry[3])
        if starts <= (line, column) and (end_line, end_column) <= ends:
            yield entry


def _entries_of_file(run: "Run", failing: Failing) -> list[list[Any]]:
    """All entries of the file that the expression is in, which may be a part of the program."""
    found = source_map(run)
    for path, entries in found.get("parts", {}).items():
        if failing.code.co_filename.endswith(path):
            part: list[list[Any]] = entries
            return part
    own: list[list[Any]] = found.get("entries", [])
    return own


def _shortened(expression: str) -> str:
    text = " ".join(expression.split())
    return text if len(text) <= LONGEST_EXPRESSION else text[: LONGEST_EXPRESSION - 3] + "..."
