"""Runs to make pages of, and a strict reader of pages."""

import re
from html.parser import HTMLParser
from typing import Any

from gxo.runtime.kernel.run import Run
from gxo.runtime.reporting.html.attempts import Attempts
from gxo.runtime.reporting.html.page import as_html
from tests.runtime.kernel.harness import Stage, build, play, play_case

CASE: dict[str, Any] = {
    "secrets": ["TOKEN"],
    "environment": {"TOKEN": "s3cr3t-value"},
    "workloads": {
        "login": {"do": ["sleep 1"]},
        "fetch": {"after": ["login"], "out": True, "do": ["sleep 1", "send 1200"]},
        "parse": {"records": ["fetch"], "do": ["pass_on"], "out": True},
        "table": {"records": ["parse"], "do": ["read"]},
        "flaky": {"do": ["sleep 1", "fail_until 3"], "retry": {"attempts": 5, "delay": 1}},
        "hosts": {
            "after": ["login"],
            "loop": [1, 2, 3, 4],
            "parallel": 2,
            "do": ["sleep_item"],
        },
        "told": {"secrets": ["TOKEN"], "do": ["secret TOKEN"]},
        "off": {"when": "False"},
        "ping": {"do": ["fail no answer to s3cr3t-value"], "ignore_errors": True},
        "pong": {"after": ["ping"]},
        "publish": {
            "after": ["hosts", "flaky"],
            "do": ["fail no <b>luck</b>"],
            "on_failure": {"roll-back": {"do": ["sleep 1"]}, "tell": {}},
        },
        "slow": {"after": ["flaky"], "do": ["sleep 1000"]},
        "backup": {"on_failure": {"restore": {}}},
    },
    "finally": {"clean": {"do": ["sleep 1"]}},
}


def run_of(case: dict[str, Any]) -> Run:
    return play_case(case).run


def page_of(case: dict[str, Any]) -> str:
    """The page of a run of the case, with the attempts that were made in it."""
    kept: list[Attempts] = []

    def watch(run: Run) -> None:
        kept.append(Attempts(run))
        run.bus = kept[0]

    stage = Stage()
    run = play(
        build(case, stage), stage, environment=case.get("environment", {}), meanwhile=watch
    ).run
    return as_html(run, kept[0])


class Element:
    """One element: its attributes, and the texts and elements in it."""

    def __init__(self, name: str, attributes: dict[str, str | None]) -> None:
        self.name = name
        self.attributes = attributes
        self.parts: list[str | Element] = []

    @property
    def children(self) -> "list[Element]":
        return [part for part in self.parts if isinstance(part, Element)]

    def __getitem__(self, name: str) -> str:
        return self.attributes[name] or ""

    @property
    def classes(self) -> set[str]:
        return set((self.attributes.get("class") or "").split())

    @property
    def text(self) -> str:
        """All text in it but what is not shown: styles and tooltips."""
        return "".join(
            part if isinstance(part, str) else f"\n{part.text}\n"
            for part in self.parts
            if isinstance(part, str) or part.name not in ("style", "title")
        )

    @property
    def own(self) -> str:
        """The text right in it."""
        return "".join(part for part in self.parts if isinstance(part, str))

    def all(self, name: str = "", kind: str = "") -> "list[Element]":
        """The elements in it of that name and class, in order."""
        found = []
        for child in self.children:
            if (not name or child.name == name) and (not kind or kind in child.classes):
                found.append(child)
            found += child.all(name, kind)
        return found


class Reader(HTMLParser):
    """Accepts what is well nested and nothing else."""

    def __init__(self) -> None:
        super().__init__()
        self.root = Element("", {})
        self._open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len({name for name, _ in attrs}) == len(attrs), (tag, attrs)
        element = Element(tag, dict(attrs))
        self._open[-1].parts.append(element)
        self._open.append(element)
        if tag in ("meta", "input"):
            self._open.pop()

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._open[-1].parts.append(Element(tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop().name == tag, f"</{tag}> closes nothing"

    def handle_data(self, data: str) -> None:
        self._open[-1].parts.append(data)

    def unknown_decl(self, data: str) -> None:
        raise AssertionError(data)

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)

    def done(self) -> Element:
        self.close()
        assert self._open == [self.root]
        return self.root


def read_page(page: str) -> Element:
    """The page's elements. AssertionError for what is not well nested."""
    reader = Reader()
    reader.feed(page)
    return reader.done()


def rows(root: Element) -> dict[str, Element]:
    """The table's rows by the workload's name."""
    return {row.all("span", "name")[0].text: row for row in root.all("tr", "row")}


def words(element: Element) -> str:
    """Its text with single spaces."""
    return re.sub(r"\s+", " ", element.text).strip()
