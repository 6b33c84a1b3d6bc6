"""The files that examples of the table stand in and beside."""

from pathlib import Path

from gxo.compiler.codes import Example, complete

PLAYBOOKS = {
    "greet": "- name: greet\n  process: {module: exec, params: {command: uname}}\n",
    "fetch": "- name: fetch\n"
    '  process: {module: http:request, params: {url: "https://example.com"}}\n',
    "release": "inputs:\n  version: {type: string}\n",
}


def write_playbooks(folder: Path) -> None:
    """Write playbooks that are fine, as commands name them and tests include them."""
    for name, text in PLAYBOOKS.items():
        path = folder / f"{name}.gxo.yaml"
        path.write_text(complete(Example("yaml", text)), encoding="utf-8")


def write_example(example: Example, stem: str, folder: Path) -> Path:
    """Write an example that is a playbook, or a part of one, to a file of its own."""
    ending = ".test.gxo.yaml" if example.kind == "yaml test" else ".gxo.yaml"
    path = folder / f"{stem}{ending}"
    path.write_text(complete(example), encoding="utf-8")
    return path
