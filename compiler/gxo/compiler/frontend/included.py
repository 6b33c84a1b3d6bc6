"""The file that a test playbook's `include` names: found, and not read yet (language, section 10).

include: ../deploy.gxo.yaml    in tests/deploy.test.gxo.yaml    ->    deploy.gxo.yaml, its bytes
"""

import os

from gxo.compiler.diagnostics import Diagnostics
from gxo.compiler.frontend.load import FileError, read_file
from gxo.compiler.frontend.playbook import Name
from gxo.compiler.frontend.testing import is_test

CANNOT_INCLUDE = "GXO0551"


def read_included(include: Name, test: str, diagnostics: Diagnostics) -> tuple[str, bytes] | None:
    """The path and the bytes of the playbook that the file `test` includes; None with an error."""
    path = os.path.normpath(os.path.join(os.path.dirname(test), include.text))
    problem, hint = "", None
    if "{{" in include.text:
        problem, hint = "a template cannot stand here", "write the path itself"
    elif include.text.startswith(("/", "~")):
        problem = "the path is not one from the folder of the test"
        hint = "write it relative, such as ../deploy.gxo.yaml"
    elif os.path.realpath(path) == os.path.realpath(test):
        problem, hint = "a test cannot include itself", "name the playbook that it tests"
    elif is_test(path):
        problem, hint = "it is a test playbook itself", "name the playbook that it tests"
    if not problem:
        try:
            return path, read_file(path)
        except FileError as error:
            problem = str(error)
    diagnostics.error(CANNOT_INCLUDE, include.span, problem, hint)
    return None
