"""What the result of a template function holds of its arguments.

    upper, printf, toJson, b64enc...   everything that they are given, as one piece
    dict, index, default, first...     the parts that they are given, each on its own
    sha256sum, len, eq...              nothing: a digest, a number or a bool gives nothing away
    genPrivateKey, decryptAES...       a secret that they make

A text that `shellquote` made stays one word of a shell only where nothing cuts or wraps it.
"""

import re
from collections.abc import Callable, Sequence

from gxo.compiler.diagnostics import Note
from gxo.compiler.flow.marks import (
    CLEAN,
    Flow,
    Key,
    Kind,
    combined,
    join,
    joined,
    mixed,
    named_secret,
)
from gxo.compiler.template import ast, functions
from gxo.compiler.types import BOOL, FLOAT, INT, Shape, Type

Args = Sequence[Flow]
Literals = Sequence[Key | None]
"""The value of each argument that is a literal text or whole number."""

_NOTHING = frozenset(
    ("sha1sum", "sha256sum", "typeOf", "kindOf", "seq", "now", "uuidv4", "unixEpoch")
) | {"htmlDate", "htmlDateInZone", "duration", "durationRound", "ago", "randAlphaNum", "encryptAES"}
"""Results in which nothing of the arguments can be read."""
_PLAIN = frozenset(("b64enc", "b32enc", "urlquery", "adler32sum"))
"""Results of letters, digits and signs that mean nothing to a shell or in SQL."""
_OF_SECRETS = (Kind.SECRET, Kind.SECRET_PART)
_HIDING = {"bcrypt": 0, "htpasswd": 1}
"""From which argument on no secret can be read in the result."""
_FIRST_ONLY = frozenset(("date", "dateInZone", "date_in_zone"))
"""The result is made by the first argument's pattern."""
_KEEPS_QUOTES = frozenset(
    ("print", "println", "printf", "cat", "join", "toString", "trim", "upper", "lower", "indent")
) | {"nindent", "toStrings", "sortAlpha"}
"""They put texts together, or change nothing that a quoted word's meaning hangs on."""
_QUOTING = re.compile(r"""['"\\`#]|<<""")
_WHOLE_VERBS = re.compile(r"(?:[^%]|%[svdt%])*")


def call(node: ast.Call, args: Args) -> Flow:
    """What the call's result holds."""
    signature = functions.find(node.function)
    if signature is None or signature.result in (INT, FLOAT, BOOL) or node.function in _NOTHING:
        return CLEAN
    if signature.secret:
        return _made(node, signature.result, args)
    if (hidden := _HIDING.get(node.function)) is not None:
        return mixed([*args[:hidden], mixed(args[hidden:]).without(*_OF_SECRETS)])
    literals = [_literal(argument) for argument in node.args]
    if (structured := _STRUCTURED.get(node.function.removeprefix("must").lower())) and args:
        return structured(args, literals)
    if node.function == "shellquote":
        return mixed(args).without(Kind.OUTSIDE_BARE, Kind.GIVEN_BARE)
    if node.function in _PLAIN:
        return combined(args).without(*(kind for kind in Kind if kind not in _OF_SECRETS))
    if node.function in _FIRST_ONLY:
        return mixed(args[:1])
    result = mixed(args) if len(args) == 1 else combined(args)
    keeps = node.function in _KEEPS_QUOTES and _adds_no_quotes(node.function, literals)
    return result if keeps else bare(result, _lost(node))


def _made(node: ast.Call, result: Type, args: Args) -> Flow:
    """A secret that is made of the arguments, or a map with fields that are."""
    secret = named_secret(Note(node.span, f"`{node.function}` makes a secret"))
    text = mixed([secret, mixed(args).without(*_OF_SECRETS)])
    if isinstance(result, Shape):
        return Flow({}, dict.fromkeys(result.secret, text), mixed(args).without(*_OF_SECRETS))
    return text


def _lost(node: ast.Call) -> Note:
    return Note(node.span, f"`{node.function}` does not keep what `shellquote` made of it")


def bare(flow: Flow, note: Note) -> Flow:
    """The flow of a text in which quoted words may not be whole any more."""
    marks = dict(flow.marks)
    for kind, of_text in ((Kind.OUTSIDE, Kind.OUTSIDE_BARE), (Kind.GIVEN, Kind.GIVEN_BARE)):
        if kind in marks and of_text not in marks:
            marks[of_text] = (*marks[kind], note)
    return Flow(marks)


def wraps(text: str) -> bool:
    """Whether a literal text beside a quoted word may change what its quotes mean."""
    return _QUOTING.search(text) is not None


def _adds_no_quotes(name: str, literals: Literals) -> bool:
    if any(isinstance(text, str) and wraps(text) for text in literals):
        return False
    if name != "printf":
        return True
    form = literals[0] if literals else None
    return isinstance(form, str) and _WHOLE_VERBS.fullmatch(form) is not None


def _literal(argument: ast.Expr) -> Key | None:
    if isinstance(argument, ast.Literal) and isinstance(argument.value, str | int):
        return argument.value
    return None


# Functions that take values apart or put them together -------------------------------------------


def _dict(args: Args, literals: Literals) -> Flow:
    """`dict key value key value...`; a last key alone has the value ""."""
    fields: dict[Key, Flow] = {}
    rest = names = CLEAN
    for key, name in enumerate(literals):
        if key % 2:
            continue
        value = args[key + 1] if key + 1 < len(args) else CLEAN
        if name is None:
            names, rest = mixed([names, args[key]]), join(rest, value)
        else:
            fields[name] = value
    return Flow(names.marks, fields, rest)


def _list(args: Args, _: Literals) -> Flow:
    return Flow({}, dict(enumerate(args)))


def _index(args: Args, literals: Literals) -> Flow:
    found = args[0]
    for name in literals[1:]:
        found = found.elements() if name is None else found.at(name)
    return found


def _dig(args: Args, literals: Literals) -> Flow:
    """`dig "a" "b" default map`."""
    if len(args) < 3:
        return mixed(args)
    return join(_index([args[-1]], [None, *literals[:-2]]), args[-2])


def _either(args: Args, _: Literals) -> Flow:
    return joined(args)


def _element(args: Args, _: Literals) -> Flow:
    return args[-1].elements()


def _elements(args: Args, _: Literals) -> Flow:
    """A list of the elements of the first argument, and of the others as they are."""
    return Flow(args[0].marks, {}, joined([args[0].elements(), *args[1:]]))


def _concat(args: Args, _: Literals) -> Flow:
    return Flow({}, {}, joined([argument.elements() for argument in args]))


def _set(args: Args, literals: Literals) -> Flow:
    """`set map key value`."""
    if len(args) < 3:
        return mixed(args)
    return join(args[0], _dict(args[1:3], literals[1:3]))


def _pick(args: Args, literals: Literals) -> Flow:
    if None in literals[1:]:
        return args[0]
    return Flow({}, {name: args[0].at(name) for name in literals[1:] if name is not None})


def _omit(args: Args, literals: Literals) -> Flow:
    kept = args[0]
    gone = {name: CLEAN for name in literals[1:] if name is not None}
    return Flow(kept.marks, {**kept.fields, **gone}, kept.rest, kept.notes)


def _pluck(args: Args, literals: Literals) -> Flow:
    name = literals[0]
    found = [one.elements() if name is None else one.at(name) for one in args[1:]]
    return Flow({}, {}, joined(found))


def _keys(args: Args, _: Literals) -> Flow:
    return Flow({}, {}, joined([argument.keys() for argument in args]))


_STRUCTURED: dict[str, Callable[[Args, Literals], Flow]] = {
    "dict": _dict,
    "list": _list,
    "tuple": _list,
    "index": _index,
    "get": _index,
    "dig": _dig,
    "default": _either,
    "coalesce": _either,
    "ternary": lambda args, _: joined(args[:2]),
    "merge": _either,
    "mergeoverwrite": _either,
    "deepcopy": _either,
    "first": _element,
    "last": _element,
    "values": _elements,
    "rest": _elements,
    "initial": _elements,
    "reverse": _elements,
    "uniq": _elements,
    "compact": _elements,
    "without": lambda args, literals: _elements(args[:1], literals),
    "append": _elements,
    "push": _elements,
    "prepend": _elements,
    "concat": _concat,
    "set": _set,
    "unset": lambda args, _: args[0],
    "pick": _pick,
    "omit": _omit,
    "pluck": _pluck,
    "keys": _keys,
}
