"""The option `--module-path DIR`: where a user's own modules are, besides `modules/`."""

import argparse
import os


def add_module_path_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--module-path",
        action="append",
        default=[],
        type=_folder,
        metavar="DIR",
        help="a folder of your own modules, besides `modules/` beside the playbook; "
        "can be given several times",
    )


def _folder(text: str) -> str:
    if not os.path.isdir(text):
        raise argparse.ArgumentTypeError(f"there is no folder {text}")
    return text
