"""Files that a parser could choke on, and what is read of them. Also for `make proof`, at full size."""

import gzip
import io
import zipfile
from pathlib import Path
from typing import Any

from tests.stdlib.data.oracle import SPECS
from tests.stdlib.harness import Outcome, bench, module_spec, run

ONE_LINE = {
    "json": (b'["', b"x"),
    "jsonl": (b'{"a": "', b"x"),
    "yaml": (b"a: ", b"x"),
    "csv": (b"a\n", b"x"),
    "tsv": (b"a\n", b"x"),
    "xml": (b"<a><r>", b"x"),
    "text_lines": (b"", b"x"),
    "regex": (b"", b"x"),
    "logfmt": (b'a="', b"x"),
    "grok": (b"", b"x"),
}
"""How a file of each format begins that is one line without an end, and how it goes on."""

OPTIONS: dict[str, dict[str, Any]] = {
    "regex": {"pattern": "(?P<a>(x+x+)+)$"},
    "grok": {"pattern": "%{WORD:a}"},
}


def write_one_line(path: Path, kind: str, size: int) -> None:
    """A file of this many bytes in which nothing ends."""
    head, fill = ONE_LINE[kind]
    piece = fill * 2**20
    with path.open("wb") as file:
        file.write(head)
        for _ in range(size // len(piece)):
            file.write(piece)


def parse(
    folder: Path, kind: str, name: str, options: dict[str, Any] | None = None, **keys: Any
) -> Outcome:
    """Call data:parse on a file of a folder; its own error is in the outcome."""
    if "data:parse" not in SPECS:
        SPECS["data:parse"] = module_spec("data:parse")
    params = {"format": kind, "path": name, "format_options": options or OPTIONS.get(kind, {})}

    async def call() -> Outcome:
        async with bench(folder) as workbench:
            return await workbench.call(SPECS["data:parse"], params, **keys)

    return run(call())


def alias_bomb(levels: int) -> bytes:
    """Each level stands for ten of the one before."""
    lines = ["a0: &a0 [lol, lol]"]
    lines += [
        f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]" for level in range(1, levels)
    ]
    return "\n".join(lines).encode()


def entity_bomb(levels: int) -> bytes:
    """Each entity stands for ten of the one before."""
    entities = ['<!ENTITY e0 "lol">']
    entities += [f'<!ENTITY e{level} "{f"&e{level - 1};" * 10}">' for level in range(1, levels)]
    return f"<!DOCTYPE a [{''.join(entities)}]><a><r>&e{levels - 1};</r></a>".encode()


_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_KINDS = {
    "worksheets/sheet1.xml": "worksheet",
    "sharedStrings.xml": "sharedStrings",
    "styles.xml": "styles",
}


def workbook_parts(sheet: str = "", **others: str) -> dict[str, str]:
    """The parts of a workbook with one sheet. others: its shared `texts`, and `styles`."""
    related = "".join(
        f'<Relationship Id="r{number}" Type="{_OFFICE}/{kind}" Target="{target}"/>'
        for number, (target, kind) in enumerate(_KINDS.items(), 1)
    )
    main = f'<Relationship Id="r1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/>'
    return {
        "_rels/.rels": f"<Relationships>{main}</Relationships>",
        "xl/_rels/workbook.xml.rels": f"<Relationships>{related}</Relationships>",
        "xl/workbook.xml": (
            f'<workbook xmlns:r="{_OFFICE}"><sheets><sheet name="a" r:id="r1"/></sheets></workbook>'
        ),
        "xl/worksheets/sheet1.xml": f"<worksheet><sheetData>{sheet}</sheetData></worksheet>",
        "xl/sharedStrings.xml": f"<sst>{others.get('texts', '')}</sst>",
        "xl/styles.xml": f"<styleSheet>{others.get('styles', '')}</styleSheet>",
    }


def packed(parts: dict[str, str]) -> bytes:
    """The parts in a zip file, as small as they get."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    return file.getvalue()


def zip_bomb(unpacked: int, name: str = "xl/sharedStrings.xml") -> bytes:
    """A workbook of which one part is so many spaces."""
    file = io.BytesIO()
    parts = workbook_parts()
    parts.pop(name, None)
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for other, text in parts.items():
            archive.writestr(other, text)
        with archive.open(name, "w", force_zip64=True) as part:
            for _ in range(unpacked // 2**20):
                part.write(b" " * 2**20)
    return file.getvalue()


def cut_gzip(data: bytes) -> bytes:
    """Gzip that ends in the middle."""
    packed = gzip.compress(data)
    return packed[: len(packed) // 2]
