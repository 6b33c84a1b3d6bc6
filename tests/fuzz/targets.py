"""What must hold for any bytes: the fuzzer and the ordinary tests feed the same two functions.

    playbook(b"name: ...")     the YAML loader, and everything of `gxo validate` after it
    template(b"{{ .a | b }}")  the template parser, then resolve, check and print

Findings are the answer to bad input; an exception, or a finding outside the text, is a defect of gxo.
"""

import functools
import json
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import yaml

from gxo.compiler.codegen.emit import emit
from gxo.compiler.diagnostics import Diagnostic, Diagnostics
from gxo.compiler.frontend.assets import find_assets
from gxo.compiler.frontend.load import load_playbook
from gxo.compiler.frontend.yaml import compose
from gxo.compiler.ir.build import build
from gxo.compiler.ir.pprint import print_plan
from gxo.compiler.ir.verify import verify
from gxo.compiler.modules.index import Library, standard_roots
from gxo.compiler.passes import PASSES
from gxo.compiler.rendering import render_github, render_json, render_text
from gxo.compiler.source import SourceText, plain
from gxo.compiler.template import ast
from gxo.compiler.template.check import check
from gxo.compiler.template.parse import parse, parse_condition, single_action
from gxo.compiler.template.pprint import dump
from gxo.compiler.template.pprint import expression as printed
from gxo.compiler.template.resolve import references, resolve
from gxo.compiler.template.to_python import Want, expression, function
from tests.template.cases import scope

FILE = "p.gxo.yaml"


def playbook(data: bytes) -> None:
    """Whatever `gxo validate` makes of the bytes, it is findings in their text, or a valid plan."""
    diags = Diagnostics()
    text = data.decode("utf-8", "replace")
    loaded = load_playbook(data, FILE, diags)
    assert loaded is not None or diags.has_errors
    plan = None
    if loaded is not None:
        find_assets(loaded, _empty_folder(), diags)
        plan = build(loaded, _library(), diags)
        for one in PASSES:
            if not (one.optimizes and diags.has_errors):
                plan = one.run(plan, diags)
    _check_findings(diags.sorted(), text)
    if plan is not None and not diags.has_errors:
        verify(plan, "the last pass")
        print_plan(plan)
        compile(emit(plan, "0", text, pretty=False).text, "<generated>", "exec")


def yaml_text(data: bytes) -> None:
    """PyYAML's own scanner, which is there where libyaml is not, is survived too."""
    text = data.decode("utf-8", "ignore").removeprefix("\ufeff")
    diags = Diagnostics()
    try:
        tree = compose(text, FILE, diags, yaml.SafeLoader)
    except yaml.reader.ReaderError:
        return  # a character that `decode` refuses
    assert tree is not None or diags.has_errors
    _check_findings(diags.sorted(), text)


def template(data: bytes) -> None:
    """Any text is refused inside itself, or becomes Python; what it prints as parses to itself."""
    source = plain(data.decode("utf-8", "replace"), FILE)
    for read in (parse, parse_condition):
        for record in (False, True):
            _compile(source, read, record)
    whole = parse(source, Diagnostics())
    action = None if whole is None else single_action(whole)
    if action is not None:
        again = parse(plain(f"{{{{ {printed(action)} }}}}", FILE), Diagnostics())
        assert again is not None and dump(again) == f"action {printed(action)}\n"


Reader = Callable[[SourceText, Diagnostics], ast.Template | ast.Expr | None]


def _compile(source: SourceText, read: Reader, record: bool) -> None:
    diags = Diagnostics()
    tree = read(source, diags)
    if tree is not None:
        dump(tree)
        tree = resolve(tree, scope(record), diags)
        check(tree, diags)
        references(tree)
    assert tree is not None or diags.has_errors
    _check_findings(diags.sorted(), source.value)
    if tree is not None and not diags.has_errors:
        want = Want("text" if read is parse else "condition")
        inline = expression(tree, want)
        lines = [inline.code] if inline else function(tree, "made", want).lines
        compile("\n".join(lines), "<generated>", "exec")


def _check_findings(found: Sequence[Diagnostic], text: str) -> None:
    """Every finding and note is inside the text, and every form of output can show it."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for item in found:
        for span in (item.span, *(note.span for note in item.notes)):
            assert 1 <= span.line <= span.end_line <= len(lines), item
            assert (span.line, span.column) <= (span.end_line, span.end_column), item
    assert render_text(found, {FILE: text}, colour=True).count("\n") >= len(found)
    assert len(json.loads(render_json(found))) == len(found)
    assert render_github(found).count("\n") == len(found)


@functools.cache
def _library() -> Library:
    """The modules' declarations, read once for all inputs."""
    return Library(standard_roots(), Diagnostics())


@functools.cache
def _folder() -> "tempfile.TemporaryDirectory[str]":
    return tempfile.TemporaryDirectory()


def _empty_folder() -> Path:
    """Where the playbook would lie: it has no assets."""
    return Path(_folder().name)
