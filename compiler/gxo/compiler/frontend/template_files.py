"""Put the template files that a playbook names in the place of their names.

    before:  {module: template:render, params: {asset: motd.txt, vars: {host: web}}}
    after:   {module: template:render, params: {template: "Welcome to {{ .host }}\\n", vars: ...}}

The text keeps its place in its own file, so what is wrong in it is shown there. A file is found as
an asset is: below the playbook's folder, and through no link.
"""

import stat
from dataclasses import dataclass
from pathlib import Path

from gxo.compiler.diagnostics import Diagnostics
from gxo.compiler.frontend.assets import NOT_FOUND, NOT_REGULAR, status_below
from gxo.compiler.frontend.playbook import Name, Playbook, TemplateFile, WorkloadDecl
from gxo.compiler.frontend.rules import check_path
from gxo.compiler.frontend.yaml import Entry, Mapping, Scalar
from gxo.compiler.frozen import replace
from gxo.compiler.source import plain, unwritten

MODULE, NAMED, GIVEN = "template:render", "asset", "template"
UNREADABLE, AT_RUN_TIME = "GXO0531", "GXO0530"
MAX_BYTES = 4 << 20
RULE = "a template file is below the playbook's folder"


def with_template_files(playbook: Playbook, folder: Path, diagnostics: Diagnostics) -> Playbook:
    """The playbook with its template files' texts; `templates` has those that were found."""
    if not any(_renders(one) for one in (*playbook.workloads, *playbook.cleanup)):
        return playbook
    reader = _Reader(Path(playbook.file).parent, folder, diagnostics, {})
    return replace(
        playbook,
        workloads=tuple(map(reader.workload, playbook.workloads)),
        cleanup=tuple(map(reader.workload, playbook.cleanup)),
        templates=tuple(reader.found[name] for name in sorted(reader.found)),
    )


def _renders(workload: WorkloadDecl) -> bool:
    return workload.module.text == MODULE or any(
        map(_renders, (*workload.on_failure, *workload.steps))
    )


@dataclass(slots=True)
class _Reader:
    """shown: the playbook's folder as messages call it. found: the files, by name."""

    shown: Path
    folder: Path
    diagnostics: Diagnostics
    found: dict[str, TemplateFile]

    def workload(self, decl: WorkloadDecl) -> WorkloadDecl:
        if not _renders(decl):
            return decl
        params = decl.params
        if params is not None and decl.module.text == MODULE:
            params = self._params(params)
        return replace(
            decl,
            params=params,
            on_failure=tuple(map(self.workload, decl.on_failure)),
            steps=tuple(map(self.workload, decl.steps)),
        )

    def _params(self, params: Mapping) -> Mapping:
        """A map with both parameters stays as it is: that is told of later."""
        if any(entry.key.text.value == GIVEN for entry in params.entries):
            return params
        return replace(params, entries=tuple(map(self._entry, params.entries)))

    def _entry(self, entry: Entry) -> Entry:
        node = entry.value
        if entry.key.text.value != NAMED or not isinstance(node, Scalar):
            return entry
        if not isinstance(node.value, str):
            return entry  # of a wrong type, which is told of later
        file = self._file(Name(node.value, node.span))
        if file is None:
            return entry
        key = replace(entry.key, value=GIVEN, text=unwritten(GIVEN, entry.key.span))
        text = plain(file.text, file.path)
        return Entry(key, Scalar(file.text, text.span, text, plain=False, verbatim=True))

    def _file(self, name: Name) -> TemplateFile | None:
        if "{{" in name.text or "${" in name.text:
            message = "the template would only be known when the job runs"
            hint = "name the file as it is called; what differs from run to run belongs in `vars`"
            self.diagnostics.error(AT_RUN_TIME, name.span, message, hint)
            return None
        before = len(self.diagnostics.items)
        check_path(name, RULE, self.diagnostics)
        if len(self.diagnostics.items) > before:
            return None
        return self.found.get(name.text) or self._read(name)

    def _read(self, name: Name) -> TemplateFile | None:
        try:
            status = status_below(self.folder, name.text)
        except (OSError, ValueError):
            message = f"no file below the playbook's folder is named {name.text!r}"
            self.diagnostics.error(NOT_FOUND, name.span, message)
            return None
        if status is None or not stat.S_ISREG(status.st_mode):
            what = "is reached through a link" if status is None else "is not a regular file"
            message = f"the template file {name.text!r} {what}"
            self.diagnostics.error(NOT_REGULAR, name.span, message)
            return None
        path = self.folder / name.text
        try:
            data = path.read_bytes() if status.st_size <= MAX_BYTES else None
            text = None if data is None else data.decode()
        except (OSError, UnicodeDecodeError) as error:
            what = "is no UTF-8 text" if isinstance(error, ValueError) else "cannot be read"
            self.diagnostics.error(UNREADABLE, name.span, f"the template file {name.text!r} {what}")
            return None
        if text is None:
            message = f"the template file {name.text!r} has more than {MAX_BYTES >> 20} MiB"
            self.diagnostics.error(UNREADABLE, name.span, message)
            return None
        file = TemplateFile(name.text, str(self.shown / name.text), text)
        self.found[name.text] = file
        return file
