"""The values that a caller gives, checked before anything runs (language, section 1).

Not imported by a job that has no inputs and is started without options.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from gxo.runtime.errors import UsageError
from gxo.runtime.job import REQUIRED, Input, Job
from gxo.runtime.settings import Settings

NAMES = {bool: "bool", int: "int", float: "float", str: "string", list: "list", dict: "map"}
"""What the playbook calls the types of JSON."""

Given = Mapping[str, tuple[Any, str]]
"""Values from files: by name, with the file."""


def resolve(job: Job, settings: Settings, files: Given, texts: Iterable[tuple[str, str]]) -> None:
    """Fill the settings' inputs and vars: defaults, then values of files, then `--var` texts.

    A secret input gets None when the provider is to be asked. UsageError for the first mistake.
    """
    for name, (value, file) in files.items():
        _take(job, settings, name, value, f"in {file}")
    for name, text in texts:
        if name in job.inputs and job.inputs[name].secret:
            raise UsageError(
                f"input '{name}' is secret and cannot be given by --var",
                hint="put it into a file for --vars-file, or let the secret provider give it",
            )
        _take(job, settings, name, _parsed(job, name, text), "given by --var")
    for name, declared in job.inputs.items():
        if declared.secret:
            settings.secret_inputs[name] = settings.inputs.get(name)
        elif name not in settings.inputs:
            if declared.default is REQUIRED:
                raise UsageError(
                    f"input '{name}' ({declared.type}) is required",
                    hint=f"give it by --var {name}=..." + _described(declared),
                )
            settings.inputs[name] = declared.default


def _take(job: Job, settings: Settings, name: str, value: Any, where: str) -> None:
    if name in job.inputs:
        settings.inputs[name] = _checked(name, job.inputs[name], value, where)
    elif name in job.vars:
        settings.vars[name] = _alike(name, job.vars[name], value, where)
    else:
        raise UsageError(f"'{name}' is no input or var of {job.name}{_similar(job, name)}")


def _parsed(job: Job, name: str, text: str) -> Any:
    """The value that a text stands for: by the input's type, or that of the var's own value."""
    if name in job.inputs:
        kind = job.inputs[name].type
    else:
        kind = NAMES.get(type(job.vars.get(name)), "string")
    try:
        return PARSERS[kind](text)
    except ValueError:
        raise UsageError(f"'{name}' given by --var needs {_article(kind)}, not {text!r}") from None


def _checked(name: str, declared: Input, value: Any, where: str) -> Any:
    """The value in the declared type; an int is also a float."""
    kind = NAMES.get(type(value), "null")
    if declared.type == "float" and kind == "int":
        value, kind = float(value), "float"
    if kind != declared.type:
        raise UsageError(f"input '{name}' {where} must be {_article(declared.type)}, not {kind}")
    if declared.enum is not None and value not in declared.enum:
        allowed = ", ".join(str(choice) for choice in declared.enum)
        raise UsageError(f"input '{name}' {where} must be one of {allowed}")
    if declared.secret and not value:
        raise UsageError(f"input '{name}' {where} is secret, and must not be empty")
    check_pattern(name, declared, value, where)
    return value


def check_pattern(name: str, declared: Input, value: str, where: str) -> None:
    """UsageError, which does not show the value, when a text does not match the pattern."""
    if declared.pattern is not None:
        from gxo.runtime.regex import matches_whole  # start-up: only with patterns

        if not matches_whole(declared.pattern, value):
            message = f"input '{name}' {where} does not match the pattern {declared.pattern}"
            raise UsageError(message)


_WORDS = {kind: f"a {kind}" for kind in NAMES.values()} | {"int": "an int", "null": "null"}


def _alike(name: str, declared: Any, value: Any, where: str) -> Any:
    """The value in place of what the playbook declares: templates were checked against that."""
    if callable(declared):
        if not isinstance(value, str):
            raise UsageError(f"var '{name}' {where} must be a string: the playbook computes it")
        return value
    if isinstance(declared, float) and type(value) is int:
        return float(value)
    if difference := _difference(declared, value):
        message = f"var '{name}' {where} is not like the value in the playbook: {difference}"
        raise UsageError(message, hint="lists keep the kind of their elements, maps their keys")
    return value


def _difference(declared: Any, value: Any, path: str = "it") -> str:
    """How the value differs in kind from what is declared; empty when it does not."""
    if declared is None or (isinstance(declared, float) and type(value) is int):
        return ""
    kind, wanted = NAMES.get(type(value), "null"), NAMES[type(declared)]
    if kind != wanted:
        return f"{path} is {_WORDS[kind]}, not {_WORDS[wanted]}"
    if isinstance(declared, dict):
        for key, one in declared.items():
            inner = f"{path}.{key}".removeprefix("it.")
            if key not in value:
                return f"{inner} is missing"
            if found := _difference(one, value[key], inner):
                return found
    elif isinstance(declared, list) and declared:
        for index, element in enumerate(value):
            inner = f"{path}[{index}]".removeprefix("it")
            differences = [_difference(one, element, inner) for one in declared]
            if all(differences):
                return differences[0]
    return ""


def _whole(text: str) -> int:
    if not re.fullmatch(r"[+-]?[0-9]+", text):
        raise ValueError
    return int(text)


def _number(text: str) -> float:
    if not re.fullmatch(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?", text):
        raise ValueError
    return float(text)


def _truth(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError
    return text == "true"


def _json(kind: type) -> Callable[[str], Any]:
    def parse(text: str) -> Any:
        try:
            value = json.loads(text)
        except RecursionError:
            raise ValueError from None  # nested too deeply to be read
        if not isinstance(value, kind):
            raise ValueError
        return value

    return parse


PARSERS: dict[str, Callable[[str], Any]] = {
    "string": str,
    "int": _whole,
    "float": _number,
    "bool": _truth,
    "list": _json(list),
    "map": _json(dict),
}


def _article(kind: str) -> str:
    words = {"int": "an int", "list": "a list (as JSON)", "map": "a map (as JSON)"}
    return words.get(kind, f"a {kind}")


def _described(declared: Input) -> str:
    return f": {declared.description}" if declared.description else ""


def _similar(job: Job, name: str) -> str:
    from difflib import get_close_matches

    names = [*job.inputs, *job.vars]
    close = get_close_matches(name, names, 1)
    if close:
        return f"; did you mean '{close[0]}'?"
    return f"; it has {', '.join(names)}" if names else "; it has none"
