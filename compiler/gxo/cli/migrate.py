"""`gxo migrate`: a playbook in the deprecated v0.1 form to the same playbook in the current one."""

import argparse
import sys

from gxo.cli.exits import INVALID, OK, USAGE
from gxo.cli.output import show
from gxo.cli.replace import BACKUP_ENDING, ReplaceError, replace_file
from gxo.compiler.driver import Compilation
from gxo.compiler.frontend.decode import decode
from gxo.compiler.frontend.load import FileError, read_file
from gxo.compiler.frontend.migrate import is_deprecated
from gxo.compiler.frontend.reader import read
from gxo.compiler.frontend.upgrade import UpgradeError, upgrade
from gxo.compiler.frontend.yaml import Mapping, compose

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class InvalidError(Exception):
    """A playbook with errors; `compilation` has them."""

    def __init__(self, compilation: Compilation) -> None:
        super().__init__(compilation.file)
        self.compilation = compilation


def main(arguments: list[str]) -> int:
    given = _parser().parse_args(arguments)
    try:
        before = read_file(given.file)
        after = migrated(before, given.file)
        if not given.in_place:
            sys.stdout.flush()
            sys.stdout.buffer.write(after)
        elif after != before:
            backup = replace_file(given.file, before, after)
            print(f"{given.file}: migrated; the old form is in {backup}")
        else:
            print(f"{given.file}: nothing to migrate")
    except InvalidError as error:
        show([error.compilation], "text")
        return INVALID
    except UpgradeError as error:
        print(f"gxo: cannot migrate {given.file!r}: {error}", file=sys.stderr)
        return INVALID
    except (FileError, ReplaceError) as error:
        print(f"gxo: {error}", file=sys.stderr)
        return USAGE
    return OK


def migrated(data: bytes, file: str) -> bytes:
    """A playbook's bytes in the current form: the same bytes if that is their form already.

    Raises InvalidError and UpgradeError.
    """
    compilation = Compilation(file, text=data.decode("utf-8", errors="replace"))
    diags = compilation.diagnostics
    text = decode(data, file, diags)
    tree = None if text is None else compose(text, file, diags)
    if isinstance(tree, Mapping) and not is_deprecated(tree) and not diags.has_errors:
        return data
    if text is not None and tree is not None:
        read(tree, file, text, diags)
    diags.items[:] = [item for item in diags.items if item.level == "error"]
    if text is None or not isinstance(tree, Mapping) or diags.has_errors:
        raise InvalidError(compilation)
    mark = _BYTE_ORDER_MARK if data.startswith(_BYTE_ORDER_MARK) else b""
    return mark + upgrade(text, tree, file).encode()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="gxo migrate",
        description="Print a playbook of the deprecated v0.1 form in the current form, "
        "comments and order kept.",
    )
    parser.add_argument("-f", "--file", required=True, metavar="FILE", help="the playbook")
    parser.add_argument(
        "--in-place",
        action="store_true",
        help=f"rewrite the file, and keep the old form in FILE{BACKUP_ENDING}",
    )
    return parser
