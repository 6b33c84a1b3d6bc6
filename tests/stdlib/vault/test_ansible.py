"""Both ways with the real `ansible-vault`: what it encrypts we decrypt, and the other way round."""

import os
import subprocess
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gxo.runtime.errors import ModuleError
from gxo.stdlib.vault._ansible import decrypted, encrypted
from tests.services.process import find
from tests.stdlib.harness import bench, module_spec, run

PASSWORD = "öffne dich, Sesam\u00a0"
"""Ansible strips bytes, and so no space but those of ASCII."""

CONTENTS = {
    "empty": b"",
    "text": "grüße\n".encode(),
    "block": bytes(16),
    "large": os.urandom(10_000),
}


def ansible_vault(folder: Path, *arguments: str) -> None:
    """Password files end with a newline, as editors write them."""
    (folder / "password").write_text(PASSWORD + "\n", encoding="utf-8")
    environment = {"HOME": str(folder), "PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
    subprocess.run(
        [find("ansible-vault"), *arguments],
        cwd=folder,
        check=True,
        capture_output=True,
        env={**environment, "ANSIBLE_HOME": str(folder / "home")},
    )


def called(folder: Path, name: str, calls: list[dict[str, Any]]) -> None:
    async def play() -> None:
        async with bench(folder) as workbench:
            for params in calls:
                outcome = await workbench.call(module_spec(name), params)
                if outcome.error is not None:
                    raise outcome.error

    run(play())


@pytest.mark.parametrize(
    ("label", "header"), [(None, b";1.1;AES256\n"), ("dev", b";1.2;AES256;dev\n")]
)
def test_files(label: str | None, header: bytes, tmp_path: Path) -> None:
    for name, content in CONTENTS.items():
        (tmp_path / name).write_bytes(content)
        (tmp_path / f"{name}.theirs").write_bytes(content)
    calls = [
        {"password": PASSWORD, "source": name, "destination": f"{name}.ours", "vault_id": label}
        for name in CONTENTS
    ]
    called(tmp_path, "vault:encrypt", calls)
    for name in CONTENTS:
        assert (tmp_path / f"{name}.ours").read_bytes().startswith(b"$ANSIBLE_VAULT" + header)
    identity = (
        ["--vault-id", f"{label}@password"] if label else ["--vault-password-file", "password"]
    )
    ansible_vault(tmp_path, "encrypt", *identity, *(f"{name}.theirs" for name in CONTENTS))
    ansible_vault(tmp_path, "decrypt", *identity, *(f"{name}.ours" for name in CONTENTS))
    calls = [
        {"password": PASSWORD + "\n", "source": f"{name}.theirs", "destination": f"{name}.theirs"}
        for name in CONTENTS
    ]
    for name in CONTENTS:
        theirs = (tmp_path / f"{name}.theirs").read_bytes()
        assert theirs.startswith(b"$ANSIBLE_VAULT" + header)
    called(tmp_path, "vault:decrypt", calls)
    for name, content in CONTENTS.items():
        assert (tmp_path / f"{name}.ours").read_bytes() == content
        assert (tmp_path / f"{name}.theirs").read_bytes() == content


ENCRYPTED = encrypted(b"open-sesame", b"token: abc", "dev")
DIGITS = ENCRYPTED.index(b"\n") + 1


@given(at=st.integers(DIGITS, len(ENCRYPTED) - 2), by=st.sampled_from(b"0123456789abcdef"))
def test_any_other_digit_is_refused(at: int, by: int) -> None:
    """Of salt, HMAC or ciphertext, unless it is a digit `A` in the place of `a`."""
    other = bytearray(ENCRYPTED)
    assume(other[at] != ord("\n"))
    other[at] = by
    digits = [bytes.fromhex(one[DIGITS:].decode()).lower() for one in (ENCRYPTED, other)]
    assume(digits[0] != digits[1])
    with pytest.raises(ModuleError):
        decrypted(b"open-sesame", bytes(other), "it")


@given(end=st.integers(0, len(ENCRYPTED) - 2))
def test_what_is_cut_off_is_refused(end: int) -> None:
    with pytest.raises(ModuleError):
        decrypted(b"open-sesame", ENCRYPTED[:end], "it")


@pytest.mark.parametrize("encoding", ["utf-8", "base64"])
@pytest.mark.parametrize(
    ("module", "opening"),
    [("vault", {"password": PASSWORD}), ("crypto", {"key": b64encode(bytes(32)).decode()})],
)
def test_no_secret_longer_than_can_be_looked_for(
    module: str, opening: dict[str, str], encoding: str, tmp_path: Path
) -> None:
    async def play() -> None:
        async with bench(tmp_path) as workbench:
            for size in 65536, 65537:
                given = {**opening, "plaintext": "a" * size}
                sealed = await workbench.call(module_spec(f"{module}:encrypt"), given)
                given = {**opening, "ciphertext": sealed.summary["ciphertext"]}
                given["encoding"] = encoding
                found = await workbench.call(module_spec(f"{module}:decrypt"), given)
                if size == 65536:
                    assert found.summary["size"] == size
                else:
                    assert isinstance(found.error, ModuleError)
                    assert found.error.message.startswith("the plaintext has 65537 bytes")

    run(play())


@given(text=st.binary(max_size=300))
def test_any_text_is_refused(text: bytes) -> None:
    for head in b"", b"$ANSIBLE_VAULT;1.1;AES256\n":
        with pytest.raises(ModuleError):
            decrypted(b"open-sesame", head + text, "it")
