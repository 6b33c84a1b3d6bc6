"""A user's module gets copies of the state at every level, with a module of the tests' own."""

from pathlib import Path

import pytest

from tests.passes.own_modules import add_module, compiled

MODULE = '''
"""The module `sorted_`."""

from typing import Any, TypedDict

from gxo.runtime.context import Context
from gxo.runtime.spec import module


class Sorted(TypedDict):
    rows: list[Any]


@module("sorted")
async def sorted_(ctx: Context, *, rows: list[Any]) -> Sorted:
    """Sort in place.

    Args:
        rows: what to sort
    """
    rows.sort()
    return Sorted(rows=rows)
'''
WORKLOADS = """\
- name: a
  process: {module: control:identity, params: {rows: [2, 1]}}
  register: ra
- name: b
  process: {module: sorted, params: {rows: "{{ .ra.rows }}"}}
- name: c
  process: {module: control:identity, params: {rows: "{{ .ra.rows }}"}}
"""


@pytest.fixture(autouse=True)
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add_module("sorted", MODULE, tmp_path, monkeypatch)


def test_it_gets_copies_and_gxos_own_get_none() -> None:
    python = compiled(WORKLOADS).stage_text("python")
    assert 'await sorted_(ctx, rows=deep_copy(ctx.state["ra"]["rows"]))' in python
    assert 'await control_identity(ctx, rows=ctx.state["ra"]["rows"])' in python


def test_who_changes_the_state_itself_must_not_reach_others() -> None:
    """What `c` leaves would be what `b` sorts, and that was the author's choice for `b` alone."""
    unsafe = "- name: b\n  state_policy: {access_mode: unsafe_direct_reference}"
    python = compiled(WORKLOADS.replace("- name: b", unsafe)).stage_text("python")
    assert 'rows=ctx.state["ra"]["rows"]))' not in python
    assert 'await control_identity(ctx, rows=deep_copy(ctx.state["ra"]["rows"]))' in python


def test_it_may_return_a_map_of_which_nothing_is_declared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = MODULE.replace("-> Sorted:", "-> dict[str, Any]:").replace('"sorted"', '"counted"')
    add_module("counted", text, tmp_path, monkeypatch)
    python = compiled(WORKLOADS.replace("module: sorted", "module: counted")).stage_text("python")
    assert "async def b(ctx: Context) -> dict[str, Any]:\n    return await counted(" in python
