"""What the modules of `modules/shop.py` do. Run it with `pytest` in this folder."""

from pathlib import Path

from gxo.testing import call


def test_no_two_pages_have_one_address() -> None:
    titles = [{"title": "Grüner Tee"}, {"title": "grüner tee!"}]
    done = call("shop:slug", {"text": "{{ .title }}", "field": "page"}, records=titles)
    assert [record["page"] for record in done.records] == ["gruner-tee", "gruner-tee-2"]
    assert done.summary == {"records": 2, "renamed": 1}


def test_a_title_without_a_letter_is_a_record_error() -> None:
    params = {"text": "{{ .title }}", "field": "page"}
    titles = [{"title": "!"}, {"title": "Tee"}]
    done = call("shop:slug", params, records=titles)
    assert done.error is not None and "the text has no letter and no digit" in done.error
    done = call("shop:slug", params, records=titles, on_record_error="skip")
    assert done.records == [{"title": "Tee", "page": "tee"}]


def test_robots_txt_is_written_once(tmp_path: Path) -> None:
    params = {"path": "robots.txt", "hide": ["/cart"]}
    assert call("shop:robots", params, workspace=tmp_path).summary["changed"]
    assert not call("shop:robots", params, workspace=tmp_path).summary["changed"]
    assert (tmp_path / "robots.txt").read_text().endswith("Disallow: /cart\n")


def test_a_dry_run_writes_nothing(tmp_path: Path) -> None:
    params = {"path": "robots.txt", "hide": ["/cart"]}
    done = call("shop:robots", params, workspace=tmp_path, dry_run=True)
    assert done.summary == {"path": "robots.txt", "changed": True}
    assert list(tmp_path.iterdir()) == []


def test_an_address_begins_with_a_slash() -> None:
    done = call("shop:robots", {"path": "robots.txt", "hide": ["cart"]})
    assert done.error is not None and "`hide` has 'cart'" in done.error
