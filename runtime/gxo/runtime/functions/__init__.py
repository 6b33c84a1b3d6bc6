"""The template functions: Go's own and Sprig's, one family a file.

A playbook's `{{ .name | trimSuffix ".yaml" }}` compiles to `strings.trim_suffix(".yaml", name)`.
The compiler never imports these files: it reads the declarations from their syntax tree, and an
artifact contains only the families that it uses.

How a function is declared::

    @function("trimAll", "trimall")                  # its names in templates
    def trim_all(cutset: str, text: str) -> str:     # Go's argument order: the piped value is last

- The file is the family, imported as a whole: `from gxo.runtime.functions import strings`.
- Arguments are positional. Their annotations are the template's types: `str`, `int`, `float`,
  `bool`, `list[T]`, `dict[str, T]`, and `Any` (whatever the function makes of it).
  `dict[str, Any] | None` and `list[Any] | None` may be nil, for the function to check.
  `*values: Any` is variadic; `first: Any, *others: Any` wants at least one.
- An argument's type is checked on each call, as Go does: `int` takes no bool and no float, `float`
  takes an int, only `Any` takes nil. Where all are `Any` a call costs what a plain call costs.
- The result's annotation is its type (`list[str]` and `list[int]` too); a `TypedDict` of the file
  is a map with these fields; another class of ours (`Time`, `Version`) is a native value, whose
  fields are methods.
- `-> Secret`, and a field of `Secret`: a text that the job redacts from what leaves the process, as
  it does with the secrets it was given.
- `pure=False`: two calls may differ (the clock, random numbers); never folded, shared or moved.
- `needs=["cryptography"]`: distributions that it cannot work without; they are linked into the
  artifacts that call it. Imported when it runs, never when compiling, so it is not folded either.
- `mutates=True`: it changes its first argument, as Go's `set` does, and returns it. No other
  function changes an argument; what it returns may share elements with its arguments.

The functions that belong to the language's core (`eq`, `index`, `len`...) are declared in the same
way in `gxo.runtime.expr`.
"""

from collections.abc import Callable, Sequence
from types import UnionType
from typing import Any, TypeVar, cast

from gxo.runtime.errors import ExpressionError

CheckedList = Any
"""A list to the compiler; the function itself sees whether it is one, so no call pays twice."""
CheckedMap = Any
"""In the same way: a map."""
CheckedSized = Any
"""In the same way: a text, a list or a map."""

F = TypeVar("F", bound=Callable[..., Any])

_WORDS = {
    str: "a text",
    int: "an int",
    float: "a number",
    bool: "a bool",
    list: "a list",
    dict: "a map",
}
_TAKES_ARGUMENT_LIST = 0x04


def function(
    *names: str,
    pure: bool = True,  # noqa: ARG001 - for the compiler to read
    mutates: bool = False,  # noqa: ARG001 - likewise
    needs: Sequence[str] = (),
) -> Callable[[F], F]:
    """Declare a template function under its `names`, and check the types of its arguments."""

    def declare(run: F) -> F:
        kinds, rest = _kinds(run)
        checked: Callable[..., Any] = run
        if rest is not Any or any(kind is not Any for kind in kinds):
            checked = _checked(run, names[0], kinds, rest)
        return cast(F, _with_packages(checked, names[0], needs) if needs else checked)

    return declare


def _with_packages(run: Callable[..., Any], name: str, needs: Sequence[str]) -> Callable[..., Any]:
    """Return `run`, which says what to install where a distribution of its own is missing."""

    def able(*arguments: Any) -> Any:
        try:
            return run(*arguments)
        except ModuleNotFoundError as error:
            package = (error.name or "").partition(".")[0]
            if package not in needs:
                raise
            raise ExpressionError(
                f"{name} needs the Python package {package}, which is not installed:"
                f" `pip install {package}`"
            ) from None

    return able


def _kinds(run: Callable[..., Any]) -> tuple[tuple[Any, ...], Any]:
    """Return the types of the positional arguments, and of the variadic ones (`Any` without)."""
    code = run.__code__
    kinds = [_kind(run.__annotations__[name]) for name in code.co_varnames[: code.co_argcount]]
    if not code.co_flags & _TAKES_ARGUMENT_LIST:
        return tuple(kinds), Any
    return tuple(kinds), _kind(run.__annotations__[code.co_varnames[code.co_argcount]])


def _kind(annotation: Any) -> Any:
    if isinstance(annotation, UnionType):
        return Any
    return getattr(annotation, "__origin__", annotation)


def _checked(
    run: Callable[..., Any], name: str, kinds: tuple[Any, ...], rest: Any
) -> Callable[..., Any]:
    """Return `run` behind a check of its arguments' types.

    A check of its own for each usual number of arguments: a loop over them costs three such checks.
    """
    code = run.__code__
    if code.co_flags & _TAKES_ARGUMENT_LIST or not 1 <= len(kinds) <= 3:
        return _checked_each(run, name, kinds, rest)
    return (_checked_one, _checked_two, _checked_three)[len(kinds) - 1](run, name, *kinds)


def _checked_one(run: Callable[..., Any], name: str, kind: Any) -> Callable[..., Any]:
    def checked(argument: Any) -> Any:
        if type(argument) is not kind:
            _require(name, kind, argument)
        return run(argument)

    return checked


def _checked_two(run: Callable[..., Any], name: str, first: Any, second: Any) -> Callable[..., Any]:
    def checked(one: Any, two: Any) -> Any:
        if type(one) is not first and first is not Any:
            _require(name, first, one)
        if type(two) is not second and second is not Any:
            _require(name, second, two)
        return run(one, two)

    return checked


def _checked_three(
    run: Callable[..., Any], name: str, first: Any, second: Any, third: Any
) -> Callable[..., Any]:
    def checked(one: Any, two: Any, three: Any) -> Any:
        if type(one) is not first and first is not Any:
            _require(name, first, one)
        if type(two) is not second and second is not Any:
            _require(name, second, two)
        if type(three) is not third and third is not Any:
            _require(name, third, three)
        return run(one, two, three)

    return checked


def _checked_each(
    run: Callable[..., Any], name: str, kinds: tuple[Any, ...], rest: Any
) -> Callable[..., Any]:
    count = len(kinds)
    typed = [(at, kind) for at, kind in enumerate(kinds) if kind is not Any]

    def checked(*arguments: Any) -> Any:
        for at, kind in typed:
            if type(arguments[at]) is not kind:
                _require(name, kind, arguments[at])
        if rest is not Any and len(arguments) > count:
            for argument in arguments[count:]:
                _require(name, rest, argument)
        return run(*arguments)

    return checked


def _require(name: str, kind: Any, argument: object) -> None:
    """Raise unless the argument is of the kind, or of one that stands for it."""
    if isinstance(argument, bool):
        fits = kind is bool
    else:
        fits = isinstance(argument, (float, int) if kind is float else kind)
    if not fits:
        from gxo.runtime.expr import describe  # expr is built on this file

        raise ExpressionError(f"{name} wants {_WORDS[kind]}, not {describe(argument)}")
