"""The text that a parameter has when the job is started as it is, as far as the plan tells.

    vars: {api: https://api.example.com}, loop: [orders, users]
    before:  url: "{{ .api }}/{{ .item }}?at={{ now }}"
    after:   ("https://api.example.com/orders?at=", known), ("{{ now }}", not known)
             ("https://api.example.com/users?at=", known), ("{{ now }}", not known)

Whoever starts the job can give a var or an input another value; that of a var whose name says that
it is secret is not looked at.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from gxo.compiler.ir.evaluated import UnknownError, evaluated
from gxo.compiler.ir.nodes import Computed, Constant, Copy, Fields, ForEach, Items, Plan, Value
from gxo.compiler.ir.nodes import Loop as LoopNode
from gxo.compiler.ir.pprint import print_value
from gxo.compiler.template import ast
from gxo.compiler.template.walk import expressions
from gxo.runtime.secrets.keys import is_secret_key

LONGEST = 1_000
"""Characters of a var's text that is put in the place of its name."""
MOST_ITEMS = 1_000
"""Items of a loop that are looked at one by one."""
MOST_KEPT = 100
"""Items of a list that many loops may go over, of which is kept what was found."""

ACTION = re.compile(r"""\{\{(?:"(?:\\.|[^"\\])*"|`[^`]*`|'(?:\\.|[^'\\])*'|.)*?\}\}""", re.DOTALL)

_Key = tuple[str, str]


class Part(NamedTuple):
    """A piece of a text; one that is not known is the expression that computes it.

    fixed: nobody who starts the job can give another one.
    """

    text: str
    known: bool = True
    fixed: bool = True


Text = tuple[Part, ...]


def is_known(text: Text) -> bool:
    return all(part.known for part in text)


def is_fixed(text: Text) -> bool:
    return all(part.fixed for part in text)


def joined(text: Text) -> str:
    return "".join(part.text for part in text)


@dataclass(frozen=True, slots=True)
class Given:
    """What names stand for: vars, inputs with a default, and the variables of a loop.

    fixed: those of `values` that nobody can give another value. known, printed, each: what was
    found before, of names, of actions and of loops, as the same ones stand in many places.
    """

    values: Mapping[_Key, Value]
    fixed: frozenset[_Key] = frozenset()
    known: dict[_Key, Text] = field(default_factory=dict)
    printed: dict[tuple[str, tuple[_Key, ...]], Text] = field(default_factory=dict)
    each: dict[tuple[str, int], "list[Given]"] = field(default_factory=dict)

    def texts(self, value: Value) -> Iterator[Text]:
        """Yield the text of the value, of a list that of each item."""
        match value:
            case Items(values):
                for item in values:
                    yield from self.texts(item)
            case Copy(inner) | ForEach(inner):
                yield from self.texts(inner)
            case _:
                whole = self._whole(value)
                if isinstance(whole, Items):
                    yield from map(_open, self.texts(whole))
                else:
                    yield self.text(value)

    def text(self, value: Value) -> Text:
        """The text of the value as one."""
        match value:
            case Constant(constant):
                return (Part(str(constant)),)
            case Computed(ast.Template() as template):
                return tuple(self._parts(template))
            case Copy(inner) | ForEach(inner):
                return self.text(inner)
        return (Part(print_value(value), known=False),)

    def held(self, value: Value, keys: Sequence[str]) -> Iterator[Value]:
        """What is under the keys, in each element of a list; all of what only the run knows."""
        value = self._whole(value)
        match value:
            case Items(values) if keys:
                for item in values:
                    yield from self.held(item, keys)
            case Fields(entries) if keys:
                for name, item in entries:
                    if name == keys[0]:
                        yield from self.held(item, keys[1:])
            case Constant(None):
                pass
            case _:
                yield value

    def instances(self, loop: LoopNode | None) -> "Iterator[Given]":
        """Yield what is given in each instance of the loop; once where its items are not known."""
        items = self._whole(loop.items) if loop else None
        if loop is None or not isinstance(items, Items) or len(items.values) > MOST_ITEMS:
            yield self
            return
        key = ("loop", loop.variable)
        fixed = self.fixed if isinstance(loop.items, Computed) else self.fixed | {key}
        made = (Given({**self.values, key: item}, fixed) for item in items.values)
        if not isinstance(loop.items, Computed) or len(items.values) > MOST_KEPT:
            yield from made
            return
        place = (loop.variable, id(items))  # a var's list, which is there as long as this
        if place not in self.each:
            self.each[place] = list(made)
        yield from self.each[place]

    def _whole(self, value: Value) -> Value:
        """The list or map that a template consists of the name of."""
        if isinstance(value, Computed) and isinstance(value.template, ast.Template):
            match value.template.nodes:
                case (ast.Action(pipe),):
                    found = self._named(pipe)
                    return found if isinstance(found, Items | Fields) else value
        return value

    def _parts(self, template: ast.Template) -> Iterator[Part]:
        """The template's pieces: what it prints as it is, and what stands in each action."""
        actions = ACTION.findall(template.source.value)
        plain = all(isinstance(node, ast.Text | ast.Action) for node in template.nodes)
        count = sum(isinstance(node, ast.Action) for node in template.nodes)
        if not plain or (count and count != len(actions)):
            yield from split(template.source.value)
            return
        remaining = iter(actions)
        for node in template.nodes:
            if isinstance(node, ast.Text):
                yield Part(node.value)
            elif isinstance(node, ast.Action):
                written = next(remaining)
                yield from self._printed(node, template, written) or (Part(written, known=False),)

    def _printed(self, action: ast.Action, template: ast.Template, written: str) -> Text:
        """What the action prints; nothing where that is not known, or nothing."""
        names = tuple(_key(one) for one in expressions(action.pipe) if isinstance(one, ast.Root))
        key = (written, names)
        if key not in self.printed:
            fixed = self.fixed.issuperset(names)
            self.printed[key] = self._evaluated(action, template, fixed)
        return self.printed[key]

    def _evaluated(self, action: ast.Action, template: ast.Template, fixed: bool) -> Text:
        text = evaluated(action, template, self._value)
        if text is None and isinstance(action.pipe, ast.Root):  # perhaps a part of it is known
            parts = self._text_of(action.pipe)
            return tuple(part._replace(fixed=part.fixed and fixed) for part in parts)
        return (Part(text, fixed=fixed),) if text and len(text) <= LONGEST else ()

    def _text_of(self, root: ast.Root) -> Text:
        """The text of a name that is a template; nothing of one that is none, or too long."""
        key = _key(root)
        if key not in self.known:
            value = self.values.get(key)
            text = self.text(value) if isinstance(value, Computed) else ()
            self.known[key] = text if len(joined(text)) <= LONGEST else ()
        return self.known[key]

    def _value(self, root: ast.Root) -> Any:
        """The value of a name, as templates see it."""
        value = self.values.get(_key(root))
        if isinstance(value, Computed):
            text = self._text_of(root)
            if text and is_known(text):
                return joined(text)
        elif value is not None:
            return self._python(value)
        raise UnknownError

    def _python(self, value: Value) -> Any:
        match value:
            case Constant(constant):
                return constant
            case Items(values):
                return [self._python(item) for item in values]
            case Fields(entries):
                return {
                    name: self._python(item) for name, item in entries if not is_secret_key(name)
                }
        raise UnknownError

    def _named(self, expression: ast.Expr) -> Value | None:
        """The value of a name, or of a field of it."""
        match expression:
            case ast.Shared(value=inner):
                return self._named(inner)
            case ast.Field(base, names):
                return _field(self._named(base), names)
            case ast.Root():
                return self.values.get(_key(expression))
        return None


def given_by(plan: Plan) -> Given:
    """What is known before the job starts, if nobody gives it anything."""
    values: dict[_Key, Value] = {}
    for var in plan.vars:
        if not is_secret_key(var.name):
            values["var", var.name] = var.value
    for one in plan.inputs:
        if one.default is not None and not is_secret_key(one.name):
            values["input", one.name] = one.default
    return Given(values)


def _open(text: Text) -> Text:
    """The text as one that may become another."""
    return tuple(part._replace(fixed=False) for part in text)


def _key(root: ast.Root) -> _Key:
    return root.kind, root.name


def _field(value: Value | None, names: Sequence[str | int]) -> Value | None:
    for name in names:
        match value:
            case Fields(entries) if isinstance(name, str) and not is_secret_key(name):
                value = next((item for key, item in entries if key == name), None)
            case Items(values) if isinstance(name, int) and -1 < name < len(values):
                value = values[name]
            case _:
                return None
    return value


def split(source: str) -> Iterator[Part]:
    """The text between actions, and these."""
    place = 0
    for found in ACTION.finditer(source):
        if found.start() > place:
            yield Part(source[place : found.start()])
        yield Part(found[0], known=False)
        place = found.end()
    if place < len(source):
        yield Part(source[place:])
