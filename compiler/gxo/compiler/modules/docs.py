"""A module's documentation, made from its declaration: text, Markdown, data, and `docs/modules/`.

before:  ModuleSpec("control:sleep", params=(duration: Duration,), ...)
after:   "## control:sleep\\n\\nWait for some time.\\n\\n| parameter | type | default | |..."
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from textwrap import fill

from gxo.compiler.modules.index import Library
from gxo.compiler.modules.spec import ModuleSpec, ParamSpec
from gxo.compiler.types import NIL, OneOf, Shape, Special, Type, describe

_WIDTH = 96
_UNITS = (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10))


def as_text(spec: ModuleSpec) -> str:
    """The page of `gxo modules NAME`, for a terminal."""
    doc = spec.doc
    parts = [f"{spec.name}\n\n{doc.summary}"]
    if doc.text:
        parts.append(doc.text)
    if spec.params:
        parts.append("Parameters:\n" + "\n".join(_param_text(param) for param in spec.params))
    parts += [f"{title}:\n{_wrapped(text, 2)}" for title, text in _facts(spec)]
    if doc.example:
        parts.append("Example:\n" + _indented(doc.example))
    return "\n\n".join(parts) + "\n"


def _param_text(param: ParamSpec) -> str:
    head = f"  {param.name}: {describe(param.type)}, {_requirement(param)}"
    return f"{head}\n{_wrapped(param.doc, 6)}"


def _wrapped(text: str, indent: int) -> str:
    margin = " " * indent
    return fill(text, _WIDTH, initial_indent=margin, subsequent_indent=margin)


def as_markdown(spec: ModuleSpec) -> str:
    """A module's section of its namespace's page."""
    doc = spec.doc
    parts = [f"## {spec.name}\n\n{doc.summary}"]
    if doc.text:
        parts.append(doc.text)
    if spec.params:
        rows = "\n".join(_param_row(param) for param in spec.params)
        parts.append(f"| parameter | type | | |\n|---|---|---|---|\n{rows}")
    parts += [f"**{title}**: {text}" for title, text in _facts(spec)]
    if doc.example:
        parts.append(f"```yaml\n{_list_item(doc.example)}\n```")
    return "\n\n".join(parts) + "\n"


def _param_row(param: ParamSpec) -> str:
    cells = (f"`{param.name}`", describe(param.type), _requirement(param), param.doc)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def as_data(spec: ModuleSpec) -> dict[str, object]:
    """The same as a JSON value, for tools."""
    return {
        "name": spec.name,
        "summary": spec.doc.summary,
        "description": spec.doc.text,
        "parameters": [
            {
                "name": param.name,
                "type": describe(param.type),
                "required": param.required,
                "default": param.default,
                "description": param.doc,
            }
            for param in spec.params
        ],
        "free_parameters": describe(spec.values) if spec.values else None,
        "returns": _fields(spec),
        "returns_text": spec.doc.returns,
        "errors": spec.doc.raises,
        "stream_input": spec.records or spec.inputs,
        "stream_output": spec.out,
        "lifecycles": list(spec.lifecycles),
        "changes": spec.changes,
        "idempotent": spec.idempotent,
        "effects": [
            {
                "kind": effect.kind,
                "parameter": effect.param,
                "unless": list(effect.unless),
                "only": list(effect.only),
            }
            for effect in spec.effects
        ],
        "distributions": [*(need.name for need in spec.needs), *spec.native],
        "example": spec.doc.example,
    }


def _fields(spec: ModuleSpec) -> list[dict[str, object]]:
    if not isinstance(spec.summary, Shape):
        return []
    optional, secret = spec.summary.optional, spec.summary.secret
    return [
        {
            "name": name,
            "type": describe(kind),
            "optional": name in optional,
            "secret": name in secret,
        }
        for name, kind in spec.summary.fields
    ]


def _requirement(param: ParamSpec) -> str:
    if param.required:
        return "required"
    if param.default in (None, (), {}):
        return "optional"
    return f"default {_default(param.default, param.type)}"


def _default(value: object, kind: Type) -> str:
    """A default as a playbook would write it."""
    kinds = kind.options if isinstance(kind, OneOf) else (kind,)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float) and Special("Duration") in kinds:
        return f"{value:g}s"
    if isinstance(value, int) and Special("Size") in kinds:
        for unit, size in _UNITS:
            if value and value % size == 0:
                return f"{value // size}{unit}"
    if isinstance(value, tuple):
        return "[" + ", ".join(_default(item, NIL) for item in value) + "]"
    return str(value)


def _facts(spec: ModuleSpec) -> Iterator[tuple[str, str]]:
    """What there is to say besides the parameters: title and one sentence."""
    if spec.values:
        yield "Free parameters", f"any names, each {describe(spec.values)}"
    if isinstance(spec.summary, Shape):
        names = [name for name, _ in spec.summary.fields if name != "dry_run"]
        yield "Summary", spec.doc.returns or ", ".join(f"`{name}`" for name in names) or "nothing"
    elif spec.doc.returns:
        yield "Summary", spec.doc.returns
    if spec.records or spec.inputs:
        yield "Stream input", _port(spec.reads_when, "records" in spec.optional_ports)
    if spec.out:
        yield "Stream output", _port(spec.emits_when, False)
    if _joins(spec):
        yield "In a pipeline", "joins events together: later steps see only what it sends"
    if spec.background:
        yield "In the background", "once it is ready, until nothing else is left to run"
    if spec.pauses:
        yield "Where it runs", "under `gxo daemon` only"
    if spec.handle:
        yield "When resumed", f"runs again for who still needs its `{spec.handle}`"
    if spec.doc.raises:
        yield "Errors", spec.doc.raises
    if spec.lifecycles != ("run_once",):
        in_tests = spec.background and "run_once" not in spec.lifecycles
        yield (
            "Lifecycles",
            ", ".join(f"`{name}`" for name in spec.lifecycles)
            + ("; in a test playbook `run_once`" if in_tests else ""),
        )
    if spec.changes == "by_call":
        yield "Changes", "depends on the call; a dry run says what it would do"
    elif spec.changes:
        yield "Changes", "something outside the job; a dry run does not call it"
    if spec.needs or spec.native:
        yield (
            "Distributions",
            ", ".join((*map(str, spec.needs), *(f"{name} (native)" for name in spec.native))),
        )


def _joins(spec: ModuleSpec) -> bool:
    """Whether it joins events as a step of a pipeline, which a pipeline itself cannot be."""
    reads = (spec.records or spec.inputs) and spec.reads_when is None and not spec.per_record
    return reads and not any(param.type == Special("Steps") for param in spec.params)


def _port(switch: str | None, optional: bool) -> str:
    if switch:
        return f"with `{switch}`"
    return "possible" if optional else "yes"


def _indented(text: str) -> str:
    return "\n".join(f"  {line}".rstrip() for line in text.splitlines())


def _list_item(text: str) -> str:
    return "- " + _indented(text)[2:]


def by_namespace(specs: Iterable[ModuleSpec]) -> dict[str, list[ModuleSpec]]:
    """The modules, in their order, by their namespaces."""
    found: dict[str, list[ModuleSpec]] = {}
    for spec in specs:
        found.setdefault(spec.namespace, []).append(spec)
    return found


def page(specs: Sequence[ModuleSpec]) -> str:
    """The page of modules that are of one namespace, as Markdown."""
    return f"# {specs[0].namespace}\n\n" + "\n".join(map(as_markdown, specs))


def pages(library: Library) -> dict[str, str]:
    """File name to content of `docs/modules/`: one page a namespace, and their list."""
    namespaces = by_namespace(library.all())
    found = {f"{namespace}.md": page(specs) for namespace, specs in namespaces.items()}
    rows = "\n".join(
        f"| [{spec.name}]({spec.namespace}.md) | {spec.doc.summary.replace('|', chr(92) + '|')} |"
        for specs in namespaces.values()
        for spec in specs
    )
    head = "# Modules\n\nMade from the modules' declarations; change those, not these pages.\n\n"
    return {"README.md": f"{head}| module | |\n|---|---|\n{rows}\n", **found}


def write_docs(folder: str, library: Library) -> None:
    """Make `docs/modules/` say what the declarations say; pages of nothing are removed."""
    os.makedirs(folder, exist_ok=True)
    wanted = pages(library)
    for name, text in wanted.items():
        with open(os.path.join(folder, name), "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
    for name in set(_present(folder)) - wanted.keys():
        os.remove(os.path.join(folder, name))


def stale_docs(folder: str, library: Library) -> list[str]:
    """Names of pages that are missing, too many, or say something else than the declarations."""
    wanted = pages(library)
    present = _present(folder)
    return sorted(name for name in wanted.keys() | present if wanted.get(name) != present.get(name))


def _present(folder: str) -> dict[str, str]:
    if not os.path.isdir(folder):
        return {}
    found = {}
    for name in os.listdir(folder):
        if name.endswith(".md"):
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                found[name] = file.read()
    return found
