"""The page as people get it: in a headless Chromium, with its scripts and without."""

import html
import json
import re
from pathlib import Path
from typing import Any

import pytest

from gxo.runtime import Context, Job
from gxo.runtime.reporting.html.page import as_html
from tests.runtime.kernel.harness import Stage, play
from tests.runtime.reporting.browser import DARK, picture, run
from tests.runtime.reporting.pages import CASE, page_of, read_page, rows, run_of
from tests.runtime.reporting.test_large_pages import regions, tangle
from tests.runtime.reporting.test_page import HOSTILE

HERE = Path(__file__).parent
PROBE = (HERE / "probe.js").read_text(encoding="utf-8")
POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>')
WIDTHS = (1280, 500)


def written(folder: Path, page: str) -> Path:
    target = folder / "page.html"
    target.write_bytes(page.encode("utf-8", "backslashreplace"))
    return target


def seen(folder: Path, page: str, width: int = 1280) -> dict[str, Any]:
    """What the probe sees of the page. The page's own policy would not let it look."""
    probed = POLICY.sub("", page, count=1).replace("</body>", f"<script>{PROBE}</script></body>")
    dumped = run(written(folder, probed), "--dump-dom", width=width)
    match = re.search(r'<pre id="seen">(.*?)</pre>', dumped, re.DOTALL)
    assert match, dumped[-2000:]
    found: dict[str, Any] = json.loads(html.unescape(match[1]))
    return found


@pytest.fixture(scope="module")
def page() -> str:
    return page_of(CASE)


def test_what_it_shows_is_what_is_written(page: str, tmp_path: Path) -> None:
    """Chromium's elements are those of the text, so nothing was repaired or left out."""
    dumped = read_page(run(written(tmp_path, page), "--dump-dom").strip())
    ours = read_page(page)
    assert [one.name for one in dumped.all()] == [one.name for one in ours.all()]
    assert {name: row.text for name, row in rows(dumped).items()} == {
        name: row.text for name, row in rows(ours).items()
    }


@pytest.mark.parametrize("width", WIDTHS)
def test_everything_is_in_its_place(page: str, width: int, tmp_path: Path) -> None:
    found = seen(tmp_path, page, width)
    assert found["overflow"] == 0, "the page scrolls sideways"
    assert len(found["rows"]) == 17
    assert found["overlaps"] == 0, "boxes of the graph overlap"
    assert found["spilling"] == [], "text leaves its box"
    assert found["barsOutside"] == 0
    assert found["thinBars"] == 0


def test_choosing_a_status_shows_those(page: str, tmp_path: Path) -> None:
    chosen = seen(tmp_path, page)["chosen"]
    by_status: dict[str, list[str]] = {"all": []}
    for row in rows(read_page(page)).values():
        [status] = row.classes - {"row"}
        by_status["all"].append(row["id"])
        by_status.setdefault(status, []).append(row["id"])
    assert chosen == {f"show-{status}": ids for status, ids in by_status.items()}


@pytest.mark.parametrize("case", [regions, tangle])
def test_large_graphs_have_their_boxes_apart(case: Any, tmp_path: Path) -> None:
    found = seen(tmp_path, as_html(run_of(case())))
    assert len(found["rows"]) == 2000
    assert (found["overflow"], found["overlaps"], found["spilling"]) == (0, 0, [])


def test_it_is_light_or_dark_as_the_reader_likes(page: str, tmp_path: Path) -> None:
    target = written(tmp_path, page)
    light = picture(target, height=700)
    assert (light.width, light.height) == (1280, 700)
    assert light.pixel(2, 2) == (255, 255, 255)
    shown = light.colours()
    assert len(shown) > 100, "it is all but blank"
    assert {(0x08, 0x75, 0x5C), (0xC0, 0x30, 0x1C)} <= shown, "the policy keeps its style out"
    dark = picture(target, scheme=DARK, height=700)
    assert dark.pixel(2, 2) == (0x14, 0x17, 0x1B)
    assert {(0x3C, 0xC2, 0xA0), (0xFF, 0x83, 0x70)} <= dark.colours()


def test_it_prints(page: str, tmp_path: Path) -> None:
    target = tmp_path / "page.pdf"
    run(written(tmp_path, page), f"--print-to-pdf={target}", "--no-pdf-header-footer")
    data = target.read_bytes()
    assert data.startswith(b"%PDF-")
    assert 1 <= len(re.findall(rb"/Type\s*/Page\b", data)) <= 4


def test_hostile_text_runs_nowhere(tmp_path: Path) -> None:
    """With the page's policy and, because that must not be all that helps, without it."""
    job = Job("".join(HOSTILE))
    for text in HOSTILE:
        text = text.replace("alert(1)", "document.title='run'")

        @job.workload(text)
        async def fails(ctx: Context, text: str = text) -> None:
            raise ValueError(text)

    page = as_html(play(job, Stage()).run)
    for shown in (page, POLICY.sub("", page, count=1)):
        dumped = run(written(tmp_path, shown), "--dump-dom")
        names = {one.name for one in read_page(dumped.strip()).all()}
        assert not names & {"script", "img", "textarea"}
        assert "<title>Failed: " in dumped
