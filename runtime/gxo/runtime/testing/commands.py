"""Which program a command is in a test: a mock's, an allowed one of this host, or none.

    curl -s x            the script that stands for curl (test:mock_command)
    gzip file            the host's, as `allow: {commands: [gzip]}` says so
    rsync a b            refused: neither mocked nor allowed
    /usr/bin/gzip file   as gzip: a program is known by its name
    ./build.sh           a file of the workspace, such as an asset, is the playbook's own: it runs

Whatever variables the playbook sets, PATH is a folder that holds these programs and nothing else.
"""

import os
import re
import shlex
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from errno import ENOENT
from typing import TYPE_CHECKING, Any

from gxo.runtime.errors import ParameterError, SecurityError
from gxo.runtime.testing.programs import check_executable
from gxo.runtime.testing.shelltext import outside
from gxo.runtime.workspace.workspace import Workspace

if TYPE_CHECKING:
    import subprocess

    from gxo.runtime.host.watcher import CommandWatcher
    from gxo.runtime.kernel.run import Run
    from gxo.runtime.testing.confine import Confinement
    from gxo.runtime.testing.network import Refuse

SHELL = "/bin/sh"
LONGEST_TEXT = 131_072
"""Bytes of one argument that a command can get: a longer line for the shell is never run."""
_NOT_FOUND = re.compile(
    rb"^(?:/bin/sh: |[^\s:]+: (?=(?:line )?\d+: ))(?:(?:line )?\d+: )?(?:[^\s:]+: )?"
    rb"([\w.+-]+): (?:command )?not found$",
    re.MULTILINE,
)
"""What shells say of a command that is not there: `/bin/sh: 1: df: not found` (dash), `/bin/sh: df:
not found` (BusyBox), `./build.sh: line 7: df: command not found` (bash)."""


class Commands:
    """What one test may run: a part of its session."""

    def __init__(
        self, allowed: Iterable[str], workspace: Callable[[], str], refuse: "Refuse"
    ) -> None:
        """workspace: gives the folder whose files may be run."""
        self._allowed = tuple(allowed)
        self._workspace = workspace
        self._refuse = refuse
        self._mocks: dict[str, str] = {}
        self._programs: dict[str, str] = {}
        self._run: Run | None = None
        self._folder: Workspace | None = None
        self._confinement: Confinement | None = None
        self._is_starting = False

    def begin(self, run: "Run") -> None:
        """The test's own run starts."""
        self._run = run

    def end(self) -> None:
        """Remove the folder of programs. Blocks."""
        if self._confinement is not None:
            self._confinement.close()
            self._confinement = None
        folder, self._folder = self._folder, None
        if folder is not None:
            folder.remove()

    def mock(self, name: str, script: bytes, workload: str) -> None:
        """Let a script stand for a command from now on. Blocks.

        ParameterError when another workload has mocked it before.
        """
        if self._mocks.setdefault(name, workload) != workload:
            raise ParameterError(f"'{self._mocks[name]}' is a mock of {name} already")
        _write_script(os.path.join(self.folder("bin"), name), script)

    def folder(self, name: str) -> str:
        """A folder of the test's own, beside its workspace: made when it is first asked for."""
        if self._folder is None:
            assert self._run is not None, "the session has begun"
            self._folder = Workspace.create(self._run.environment)
            programs = os.path.join(self._folder.path, "bin")
            os.mkdir(programs)
            self._lay_out_allowed(self._run, programs)
        path = os.path.join(self._folder.path, name)
        os.makedirs(path, exist_ok=True)
        return path

    def prepared(
        self, argv: Sequence[str], cwd: str, environment: Mapping[str, str]
    ) -> tuple[list[str], dict[str, str]]:
        """The words and the variables that a command is started with instead.

        SecurityError for one that the test may not run. OSError as for any that cannot be started.
        """
        program, *arguments = argv
        if program == SHELL and arguments[:1] == ["-c"] and len(arguments) > 1:
            self._check_text(arguments[1], cwd)
        else:
            program = self._program(program, cwd)
        variables = {**environment, "PATH": self.folder("bin")}
        return [*self._confined().words, program, *arguments], variables

    def start(
        self, watcher: "CommandWatcher", words: Sequence[str], **options: Any
    ) -> "subprocess.Popen[bytes]":
        """Start a command that has been prepared, as the watcher does."""
        confined = self._confined()
        self._is_starting = True
        try:
            watcher.begin()  # for it is no command of the test
            return confined.start(lambda: watcher.start(words, **options))
        finally:
            self._is_starting = False

    def check_found(self, stderr: bytes) -> None:
        """SecurityError when a shell has missed a command that the test has not named.

        The line may go on without it, `df | tail -n 1`, and then nobody would learn of it.
        """
        for name in map(os.fsdecode, _NOT_FOUND.findall(stderr)):
            if name not in self._mocks and name not in self._allowed:
                raise self._refused(name, "it is neither mocked nor allowed")

    def check_started(self, program: object) -> None:
        """SecurityError for a program that a module starts by itself, past the runtime."""
        if not self._is_starting:
            raise self._refuse(
                f"the test may not start {program!r} from Python, where no mock can stand for it",
                "put a test:mock_module in the place of the module that does",
            )

    def _confined(self) -> "Confinement":
        """What holds commands to the test; the first one pays for it."""
        if self._confinement is None:
            from gxo.runtime.testing.confine import Confinement  # start-up: only with commands

            assert self._run is not None, "the session has begun"
            workspace = os.path.realpath(self._workspace())
            path = self._run.environment.get("PATH", "")
            own = (self.folder("bin"), workspace)
            self._is_starting = True
            try:
                self._confinement = Confinement(path, own, self._programs.values())
            finally:
                self._is_starting = False
            if notice := self._confinement.notice:
                self._run.log.write("warning", notice)
        return self._confinement

    def _check_text(self, text: str, cwd: str) -> None:
        if len(text) > LONGEST_TEXT:
            return
        workspace, folder = map(os.path.realpath, (self._workspace(), cwd))
        depth = len(os.path.relpath(folder, workspace).split("/")) if folder != workspace else 0
        for what in outside(text, depth=depth, workspace=workspace):
            raise self._refuse(
                f"the line for the shell names {what}: a test runs what is mocked or allowed,"
                " and files of its workspace",
                "name a command without a folder; let the path of a file come from a var, which"
                " the test can set",
            )

    def _program(self, program: str, cwd: str) -> str:
        """What is run for the first word: a name on the PATH, or a file of the workspace."""
        if "/" in program:
            path = os.path.join(cwd, program)
            real = os.path.realpath(path)
            if real.startswith(f"{os.path.realpath(self._workspace())}/"):
                check_executable(path)
                return program
            if not os.path.isabs(program):
                raise self._refused(program, f"it is outside of the workspace: {real}")
        name = os.path.basename(program)
        if name not in self._mocks and name not in self._allowed:
            raise self._refused(program, "it is neither mocked nor allowed")
        if not os.path.lexists(os.path.join(self.folder("bin"), name)):
            raise FileNotFoundError(ENOENT, os.strerror(ENOENT), name)
        return name

    def _refused(self, program: str, reason: str) -> SecurityError:
        from difflib import get_close_matches  # start-up: only after a failure

        name = os.path.basename(program)
        hint = f"let a test:mock_command stand for it, or allow it: `allow: {{commands: [{name}]}}`"
        if close := get_close_matches(name, [*self._mocks, *self._allowed], 1):
            hint = f"did you mean {close[0]}? Else {hint}"
        return self._refuse(f"the test may not run {program!r}: {reason}", hint)

    def _lay_out_allowed(self, run: "Run", folder: str) -> None:
        """Let the allowed commands be found; one that this host does not have is missing as ever.

        Scripts and no links: a program may look for what belongs to it where it was called.
        """
        for command in self._allowed:
            found = shutil.which(command, path=run.environment.get("PATH", os.defpath))
            if found is not None:
                program = self._programs[command] = os.path.abspath(found)
                script = f'#!{SHELL}\nexec {shlex.quote(program)} "$@"\n'
                _write_script(os.path.join(folder, command), os.fsencode(script))


def _write_script(path: str, script: bytes) -> None:
    with open(f"{path}.new", "xb") as file:  # no command is ever run by half of it
        os.fchmod(file.fileno(), 0o755)
        file.write(script)
    os.replace(f"{path}.new", path)
