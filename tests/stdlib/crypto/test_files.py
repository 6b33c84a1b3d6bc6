"""Encrypted files: whatever is changed in one is refused, and nothing of it is seen before."""

import asyncio
import os
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gxo.runtime.errors import ModuleError
from gxo.runtime.workspace.jail import Jail
from gxo.stdlib.crypto import _sealed
from tests.stdlib.harness import bench, function_of, module_spec, run

KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
RAW = bytes(range(32))
SEGMENT = 100
HEADER = 40
FIRST = SEGMENT - HEADER

same_folder = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> "Small":
    """Files whose segments have 100 bytes."""
    monkeypatch.setattr(_sealed, "SEGMENT", SEGMENT)
    return Small(tmp_path)


class Small:
    def __init__(self, folder: Path) -> None:
        self._file = folder / "file"
        self._jail = Jail(str(folder))

    def seal(self, data: bytes, aad: bytes = b"") -> bytes:
        self._file.write_bytes(data)
        return b"".join(_sealed.sealed(self._jail, "file", RAW, aad))

    def unseal(self, data: bytes, aad: bytes = b"") -> bytes:
        self._file.write_bytes(data)
        return b"".join(_sealed.unsealed(self._jail, "file", RAW, aad))


@same_folder
@given(data=st.binary(max_size=400), aad=st.binary(max_size=20))
def test_there_and_back(small: Small, data: bytes, aad: bytes) -> None:
    sealed = small.seal(data, aad)
    assert small.unseal(sealed, aad) == data
    with pytest.raises(ModuleError):
        small.unseal(sealed, aad + b"x")


@same_folder
@given(size=st.integers(0, 400), data=st.data())
def test_any_change_is_refused(small: Small, size: int, data: st.DataObject) -> None:
    sealed = small.seal(os.urandom(size))
    at = data.draw(st.integers(0, len(sealed) - 1))
    bit = data.draw(st.integers(0, 7))
    other = bytearray(sealed)
    other[at] ^= 1 << bit
    with pytest.raises(ModuleError):
        small.unseal(bytes(other))


@same_folder
@given(size=st.integers(0, 400), data=st.data())
def test_what_is_cut_off_or_added_is_refused(small: Small, size: int, data: st.DataObject) -> None:
    sealed = small.seal(os.urandom(size))
    with pytest.raises(ModuleError):
        small.unseal(sealed[: data.draw(st.integers(0, len(sealed) - 1))])
    with pytest.raises(ModuleError):
        small.unseal(sealed + data.draw(st.binary(min_size=1, max_size=150)))


@same_folder
@given(
    order=st.lists(st.integers(0, 3), min_size=1, max_size=5).filter(
        lambda one: one != [0, 1, 2, 3]
    )
)
def test_segments_left_out_doubled_or_exchanged_are_refused(small: Small, order: list[int]) -> None:
    """Also where all segments but the first are of one size."""
    sealed = small.seal(os.urandom(4 * (SEGMENT - 16) - HEADER))
    assert len(sealed) == 4 * SEGMENT
    segments = [sealed[HEADER:SEGMENT]]
    segments += [sealed[start : start + SEGMENT] for start in range(SEGMENT, 4 * SEGMENT, SEGMENT)]
    with pytest.raises(ModuleError):
        small.unseal(sealed[:HEADER] + b"".join(segments[number] for number in order))


def test_segments_of_another_file_are_refused(small: Small) -> None:
    """Under the same key, and with the same nonces."""
    one, two = small.seal(bytes(200)), small.seal(bytes(200))
    two = one[1:33].join([two[:1], two[33:]])  # the salt of the first
    two = two[:33] + one[33:HEADER] + two[HEADER:]
    assert small.unseal(one) == bytes(200)
    with pytest.raises(ModuleError):
        small.unseal(one[:SEGMENT] + two[SEGMENT:])


def test_no_two_files_are_alike(small: Small) -> None:
    assert len({small.seal(b"hello")[:HEADER] for _ in range(20)}) == 20


CALLS: list[tuple[str, dict[str, Any]]] = [
    ("crypto:encrypt", {"key": KEY, "source": "plain", "destination": "d/new"}),
    ("crypto:decrypt", {"key": KEY, "source": "sealed", "destination": "d/new"}),
    ("crypto:hash", {"path": "plain"}),
    ("crypto:generate_key", {"type": "rsa", "bits": 2048}),
    ("vault:encrypt", {"password": "open-sesame", "source": "plain", "destination": "d/new"}),
]


@pytest.mark.parametrize("turn", [0, 1, 2, 5, 20, 100])
@pytest.mark.parametrize(("module", "params"), CALLS, ids=[name for name, _ in CALLS])
def test_cancelled(module: str, params: dict[str, Any], turn: int, tmp_path: Path) -> None:
    """Nothing is left open (`bench`), and the file is there as a whole, or not at all."""
    plain = os.urandom(3_000_000)
    (tmp_path / "d").mkdir()
    (tmp_path / "plain").write_bytes(plain)
    jail = Jail(str(tmp_path))
    (tmp_path / "sealed").write_bytes(b"".join(_sealed.sealed(jail, "plain", RAW, b"")))
    jail.close()

    async def play() -> None:
        async with bench(tmp_path) as workbench:
            spec = module_spec(module)
            given = {spec.param(name).python: value for name, value in params.items()}
            task = asyncio.ensure_future(function_of(spec)(workbench.context, **given))
            for _ in range(turn):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait([task])
            assert task.cancelled() or task.exception() is None

    run(play())
    assert {path.name for path in tmp_path.iterdir()} == {"d", "plain", "sealed"}
    assert {path.name for path in (tmp_path / "d").iterdir()} <= {"new"}
    made = tmp_path / "d" / "new"
    if made.exists():
        assert made.stat().st_size >= len(plain)


def test_what_is_decrypted_is_nobody_elses_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the last segment was changed, all before it was only in a file without a name."""
    (tmp_path / "plain").write_bytes(bytes(3_000_000))
    jail = Jail(str(tmp_path))
    sealed = bytearray(b"".join(_sealed.sealed(jail, "plain", RAW, b"")))
    jail.close()
    sealed[-1] ^= 1
    (tmp_path / "sealed").write_bytes(sealed)
    seen: list[set[str]] = []
    unsealed = _sealed.unsealed

    def watched(files: Jail, path: str, key: bytes, aad: bytes) -> Any:
        for piece in unsealed(files, path, key, aad):
            seen.append({each.name for each in tmp_path.iterdir()})
            yield piece

    monkeypatch.setattr(_sealed, "unsealed", watched)

    async def play() -> None:
        async with bench(tmp_path) as workbench:
            spec = module_spec("crypto:decrypt")
            given = {"key": KEY, "source": "sealed", "destination": "new"}
            outcome = await workbench.call(spec, given)
        assert (
            str(outcome.error)
            == "'sealed' was changed or cut off after 2 MiB: nothing of it is kept"
        )

    run(play())
    assert seen == [{"plain", "sealed"}] * 2
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(("module", "params"), CALLS[:3], ids=[name for name, _ in CALLS[:3]])
def test_a_file_takes_the_memory_of_a_few_pieces(
    module: str, params: dict[str, Any], tmp_path: Path
) -> None:
    """tests/proof/encryption.py has 1 GB."""
    (tmp_path / "d").mkdir()
    (tmp_path / "plain").write_bytes(os.urandom(10_000_000))
    jail = Jail(str(tmp_path))
    (tmp_path / "sealed").write_bytes(b"".join(_sealed.sealed(jail, "plain", RAW, b"")))
    jail.close()

    async def play() -> int:
        async with bench(tmp_path) as workbench:
            spec = module_spec(module)
            given = {spec.param(name).python: value for name, value in params.items()}
            tracemalloc.start()
            try:
                await function_of(spec)(workbench.context, **given)
                return tracemalloc.get_traced_memory()[1]
            finally:
                tracemalloc.stop()

    assert run(play()) < 6 * 2**20
