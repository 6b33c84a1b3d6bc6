"""Case files: `[case NAME]`, an input, and what is expected of it in `[out]` or another section.

    [case reads_a_register]
    workloads: ...
    [out]
    plan p
      ...

A runner gets the cases, and with `--update-golden` writes what it really got back in their place.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path

_HEADER = re.compile(r"^\[case (\S+)\]$")
_SECTION = re.compile(r"^\[(\w+)\]$")


@dataclass
class Case:
    """One case; `sections` keeps what stands under `[out]`, `[err]` and the like, in order."""

    path: Path
    name: str
    line: int
    input: str = ""
    sections: dict[str, str] = field(default_factory=dict)

    @property
    def id(self) -> str:
        return f"{self.path.stem}/{self.name}"


def read_cases(path: Path) -> list[Case]:
    """The cases of one file, in order. Text before the first case is a comment."""
    cases: list[Case] = []
    section = ""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if header := _HEADER.match(line):
            cases.append(Case(path, header[1], number))
            section = ""
        elif cases and (found := _SECTION.match(line)):
            section = found[1]
            cases[-1].sections[section] = ""
        elif cases and section:
            cases[-1].sections[section] += line + "\n"
        elif cases:
            cases[-1].input += line + "\n"
    for case in cases:
        case.sections = {name: text.strip("\n") + "\n" for name, text in case.sections.items()}
    return cases


def find_cases(folder: Path) -> list[Case]:
    """All cases of the `.test` files in the folder."""
    return [case for path in sorted(folder.glob("*.test")) for case in read_cases(path)]


def update(case: Case, sections: dict[str, str]) -> None:
    """Write the sections into the case's file, in place of those that stand there."""
    comment = case.path.read_text(encoding="utf-8").partition("[case ")[0]
    cases = read_cases(case.path)
    parts = [comment]
    for one in cases:
        if one.name == case.name:
            one.sections = sections
        parts.append(f"[case {one.name}]\n{one.input.strip()}".rstrip("\n") + "\n")
        parts += [f"[{name}]\n{text.strip()}\n" for name, text in one.sections.items()]
        parts.append("\n")
    case.path.write_text("".join(parts).rstrip("\n") + "\n", encoding="utf-8")
