"""What a call touches, by what its module declares and by the parameters that it is given.

effects=[connects("host", at="ssh://{host}:{port}"), reads("known_hosts_path", unless=[...])]
params: {host: web-1}     hosts: web-1    ports: web-1:22    reads: ~/.ssh/known_hosts
"""

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain

from gxo.compiler.effects import Effect, EffectKind
from gxo.compiler.ir.addresses import Place, normal_host, place, places
from gxo.compiler.ir.nodes import Argument, Computed, Constant, Value, Workload
from gxo.compiler.ir.texts import Given, Part, Text, is_fixed, is_known, joined, split
from gxo.compiler.modules import spec
from gxo.compiler.template.ast import Template
from gxo.compiler.types import BOOL

_KINDS: Mapping[spec.EffectKind, EffectKind] = {
    "reads": "reads",
    "writes": "writes",
    "listens": "listens",
    "runs_remotely": "remote_commands",
    "queries": "sql",
    "stores": "buckets",
    "transfers": "remote_paths",
}
_SHELL = "shell"
"""The parameter that says whether a shell runs the command."""
_NAMED = re.compile(r"\{([\w.]+)(?:=([^}]*))?\}")
_USER_INSIDE = re.compile(r"://[\w.~%!*+,:=-]*@")
"""Who logs in, in an address inside of a command. Nothing in it can be for the shell."""


def touched_by(call: Workload, name: str, given: Given) -> Iterator[Effect]:
    """Yield what the call touches; `name` is the workload's, of a step with the step's after it."""
    if call.module is None:
        return
    module = call.module.name
    for variable in variables(call):
        yield Effect("environment", variable, workload=name, module=module)
    for each in given.instances(call.loop):
        one = _Call(call, call.module, each)
        for found in chain.from_iterable(map(one.touched, call.module.effects)):
            kind, what, dynamic, detail, expression = found
            yield Effect(kind, what, dynamic, detail, expression, name, module)


def variables(call: Workload) -> Iterator[str]:
    """The variables that the call's module reads by itself, as its parameters have it."""
    if call.module is not None:
        one = _Call(call, call.module, Given({}))
        for text in call.module.environment:
            variable, _, condition = text.partition("; ")
            if not condition or one.possibly(condition):
                yield variable


def touching(call: Workload) -> Iterator[tuple[spec.EffectKind, Value]]:
    """What the call touches, each with the value that says so."""
    if call.module is not None:
        one = _Call(call, call.module, Given({}))
        for effect in filter(one.applies, call.module.effects):
            yield from ((effect.kind, value) for value in one.values(effect.param))


_Touched = tuple[EffectKind, str, bool, str, str]


@dataclass(frozen=True, slots=True)
class _Call:
    call: Workload
    module: spec.ModuleSpec
    given: Given

    def touched(self, effect: spec.Effect) -> Iterator[_Touched]:
        if not self.applies(effect):
            return
        if effect.kind == "connects" and effect.at:
            found = self._at(effect.at)
            expression = self._expression(effect.param)
            yield from (_placed(one, expression) for one in found)
            return
        for value in self.values(effect.param):
            for text in self.given.texts(value):
                expression = "" if is_fixed(text) else _source(value)
                match effect.kind:
                    case "connects":
                        yield from (_placed(one, expression) for one in places(text))
                    case "runs":
                        yield self._command(text, effect.args, _shown(expression))
                    case "looks_up":
                        name = (Part(normal_host(joined(text)), is_known(text)),)
                        yield _written("lookups", name, "", _shown(expression))
                    case _:
                        kind = _KINDS[effect.kind]
                        detail = self._line(text, effect.args) if effect.args else ""
                        yield _written(kind, text, detail, _shown(expression))

    def applies(self, effect: spec.Effect) -> bool:
        """Whether the call can have the effect."""
        return all(map(self.possibly, effect.only)) and not any(map(self.certainly, effect.unless))

    # Conditions: `agent` is given; `network == 'unix'`

    def certainly(self, condition: str) -> bool:
        """Whether the condition holds in every run."""
        name, _, wanted = condition.partition(" == ")
        if not wanted:
            return any(_is_on(one) for one in self.call.arguments if one.name == name)
        found = [text for value in self.values(name) for text in self.given.texts(value)]
        return bool(found) and all(is_known(one) and _is(one, wanted) for one in found)

    def possibly(self, condition: str) -> bool:
        """Whether the condition can hold."""
        name, _, wanted = condition.partition(" == ")
        found = [text for value in self.values(name) for text in self.given.texts(value)]
        if not wanted:
            return any(joined(one) not in ("False", "None") for one in found)
        return any(not is_known(one) or _is(one, wanted) for one in found)

    # Values

    def values(self, path: str) -> Iterator[Value]:
        """What is given for the parameter, or a key of it; else its default."""
        name, *keys = path.split(".")
        values = [one.value for one in self.call.arguments if one.name == name]
        param = self.module.param(name)
        if values:
            yield from self.given.held(values[0], keys)
        elif param is not None and not keys and isinstance(param.default, str | int):
            yield Constant(param.default, self.call.span)

    def _expression(self, path: str) -> str:
        value = next(self.values(path), None)
        return "" if value is None or is_fixed(self.given.text(value)) else _source(value)

    # Addresses, and command lines

    def _at(self, pattern: str) -> Iterator[Place]:
        """What a connection to the address touches, whose parts are parameters of their own."""
        found = spec.AT.fullmatch(pattern)
        assert found is not None
        scheme, host = self._filled(found["scheme"]), self._filled(found["host"])
        if scheme is None or host is None:
            return
        for text in _hops(host):
            port = self._filled(found["port"]) if found["port"] else None
            yield from place(joined(scheme), text, port)

    def _filled(self, pattern: str) -> Text | None:
        """The pattern with the parameters in it; None where one that has no default is missing."""
        pieces: list[Part] = []
        place = 0
        for named in _NAMED.finditer(pattern):
            value = next(self.values(named[1]), None)
            if value is None and named[2] is None:
                return None
            pieces.append(Part(pattern[place : named.start()]))
            pieces += (Part(named[2]),) if value is None else self.given.text(value)
            place = named.end()
        return (*pieces, Part(pattern[place:]))

    def _command(self, command: Text, args: str, expression: str) -> _Touched:
        """A program with its arguments, or a line for the shell."""
        if self.possibly(_SHELL):
            line = self._line((Part("/bin/sh -c "), *command), args, quoted=False)
            return _written("commands", (Part(line, is_known(command)),), "", expression)
        program = (Part(_quoted(command)),) if is_known(command) else command
        return _written("commands", program, self._line(command, args), expression)

    def _line(self, command: Text, args: str, quoted: bool = True) -> str:
        """The command with the arguments that the parameter `args` has."""
        values = [text for value in self.values(args) for text in self.given.texts(value)]
        first = _quoted(command) if quoted and is_known(command) else joined(command)
        return _USER_INSIDE.sub("://", " ".join((first, *map(_quoted, values))))


def _hops(host: Text) -> Iterator[Text]:
    """`ops@bastion,gate` is two hosts; who logs in there is nobody's business."""
    if is_known(host):
        for text in joined(host).split(","):
            yield (Part(text.strip().rpartition("@")[2]),)
    else:
        yield host


def _placed(one: Place, expression: str) -> _Touched:
    """A place; of what a template names, how: as an address, without what lets in."""
    shown = next(iter(places(tuple(split(expression)))), None) if expression else None
    by_default = shown.what if shown and not one.dynamic else ""
    return one.kind, one.what, one.dynamic, one.detail, by_default


def _written(kind: EffectKind, text: Text, detail: str, expression: str) -> _Touched:
    dynamic = not is_known(text)
    what = _USER_INSIDE.sub("://", joined(text))
    return kind, what, dynamic, "" if detail == what else detail, "" if dynamic else expression


def _quoted(text: Text) -> str:
    return shlex.quote(joined(text))


def _shown(expression: str) -> str:
    return _USER_INSIDE.sub("://", expression)


def _source(value: Value) -> str:
    """The text of a template; nothing of what is none."""
    match value:
        case Computed(Template(source=source)):
            return source.value
    return ""


def _is(text: Text, wanted: str) -> bool:
    return joined(text) == wanted.strip("'")


def _is_on(argument: Argument) -> bool:
    """Whether it is given, whatever the run makes of it: a switch that is computed may be off."""
    if isinstance(argument.value, Constant):
        return argument.value.value not in (False, None)
    return argument.type != BOOL
