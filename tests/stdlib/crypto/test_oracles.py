"""What the modules write, others read, and the other way round: OpenSSL, OpenSSH, Tink."""

import base64
import ctypes
import ctypes.util
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from gxo.runtime.workspace.jail import Jail
from gxo.stdlib.crypto import _ciphers, _keys, _pairs
from gxo.stdlib.crypto._sealed import sealed, unsealed
from tests.services.process import find
from tests.stdlib.harness import bench, module_spec, run

TEXT = "grüße " * 1000 + "\n"
ALGORITHMS = {
    "ed25519": ("ed25519", 256, ""),
    "ecdsa-sha256": ("ecdsa", 256, "-sha256"),
    "ecdsa-sha384": ("ecdsa", 384, "-sha384"),
    "ecdsa-sha512": ("ecdsa", 521, "-sha512"),
    "rsa-pkcs1v15-sha512": ("rsa", 2048, "-sha512"),
    "rsa-pss-sha256": (
        "rsa",
        2048,
        "-sha256 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:32",
    ),
}
"""For each, the key's type and size, and what `openssl dgst` is told."""


def called(folder: Path, *calls: tuple[str, dict[str, Any]]) -> list[Any]:
    """The summaries of some modules, called one after the other in a workspace."""

    async def play() -> list[Any]:
        async with bench(folder) as workbench:
            outcomes = [await workbench.call(module_spec(name), given) for name, given in calls]
        for outcome in outcomes:
            if outcome.error is not None:
                raise outcome.error
        return [outcome.summary for outcome in outcomes]

    return run(play())


def openssl(folder: Path, arguments: str) -> bytes:
    command = [find("openssl"), *arguments.split()]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True).stdout


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_signatures(algorithm: str, tmp_path: Path) -> None:
    """OpenSSL verifies ours with a key that we made; we verify OpenSSL's, made with that key."""
    kind, bits, options = ALGORITHMS[algorithm]
    (tmp_path / "m").write_text(TEXT, encoding="utf-8")
    [key] = called(tmp_path, ("crypto:generate_key", {"type": kind, "bits": bits}))
    (tmp_path / "key").write_text(key["private_key"], encoding="ascii")
    (tmp_path / "pub").write_text(key["public_key"], encoding="ascii")
    signing = {"private_key": key["private_key"], "path": "m", "algorithm": algorithm}
    [ours] = called(tmp_path, ("crypto:sign", signing))
    (tmp_path / "ours").write_bytes(base64.b64decode(ours["signature"]))
    if algorithm == "ed25519":
        told = "pkeyutl -verify -pubin -inkey pub -rawin -in m -sigfile ours"
        sign = "pkeyutl -sign -inkey key -rawin -in m"
    else:
        told = f"dgst {options} -verify pub -signature ours m"
        sign = f"dgst {options} -sign key m"
    assert b"Verified" in openssl(tmp_path, told)
    theirs = base64.b64encode(openssl(tmp_path, sign)).decode()
    verifying = {"public_key": key["public_key"], "content": TEXT, "algorithm": algorithm}
    [verified] = called(tmp_path, ("crypto:verify", {**verifying, "signature": theirs}))
    assert verified == {"verified": True, "algorithm": algorithm}


@pytest.mark.parametrize(("kind", "bits"), [("ed25519", 256), ("ecdsa", 384), ("rsa", 2048)])
def test_keys_of_openssh(kind: str, bits: int, tmp_path: Path) -> None:
    """ssh-keygen finds the public key in the private one; what it makes, `crypto:sign` reads."""
    made = {"type": kind, "bits": bits, "format": "openssh"}
    [key] = called(tmp_path, ("crypto:generate_key", made))
    path = tmp_path / "key"
    path.write_text(key["private_key"], encoding="ascii")
    path.chmod(0o600)
    found = subprocess.check_output([find("ssh-keygen"), "-y", "-f", path], text=True)
    assert found == key["public_key"]
    new = ["-q", "-t", kind, "-b", str(bits), "-N", "open-sesame", "-f", str(tmp_path / "theirs")]
    subprocess.run([find("ssh-keygen"), *new], check=True)
    theirs = (tmp_path / "theirs").read_text(encoding="ascii")
    public = (tmp_path / "theirs.pub").read_text(encoding="ascii")
    how = {"content": TEXT, "algorithm": "rsa-pss-sha256" if kind == "rsa" else None}
    signing = {**how, "private_key": theirs, "passphrase": "open-sesame"}
    [signed] = called(tmp_path, ("crypto:sign", signing))
    verifying = {**how, "public_key": public, "signature": signed["signature"]}
    called(tmp_path, ("crypto:verify", verifying))


class OpenSsl:
    """AES-256-GCM of the host's libcrypto: the `openssl` command offers no such encryption."""

    def __init__(self) -> None:
        find("openssl")
        name = ctypes.util.find_library("crypto")
        assert name is not None
        self._library = ctypes.CDLL(name)
        for function in ("EVP_CIPHER_CTX_new", "EVP_aes_256_gcm"):
            getattr(self._library, function).restype = ctypes.c_void_p

    def gcm(self, key: bytes, nonce: bytes, data: bytes, aad: bytes, tag: bytes = b"") -> bytes:
        """With a tag it decrypts; without one it encrypts, and the tag is at the end."""
        library, length = self._library, ctypes.c_int()
        context = ctypes.c_void_p(library.EVP_CIPHER_CTX_new())
        encrypts = int(not tag)
        cipher = ctypes.c_void_p(library.EVP_aes_256_gcm())
        assert library.EVP_CipherInit_ex(context, cipher, None, key, nonce, encrypts) == 1
        update = library.EVP_CipherUpdate
        assert update(context, None, ctypes.byref(length), aad, len(aad)) == 1
        out = ctypes.create_string_buffer(len(data) + 16)
        assert update(context, out, ctypes.byref(length), data, len(data)) == 1
        given = ctypes.create_string_buffer(tag, 16)
        if tag:
            assert library.EVP_CIPHER_CTX_ctrl(context, 0x11, 16, given) == 1
        rest = ctypes.create_string_buffer(16)
        assert library.EVP_CipherFinal_ex(context, rest, ctypes.byref(length)) == 1
        if not tag:
            assert library.EVP_CIPHER_CTX_ctrl(context, 0x10, 16, given) == 1
        library.EVP_CIPHER_CTX_free(context)
        return out.raw[: len(data)] + (b"" if tag else given.raw)


def test_texts(tmp_path: Path) -> None:
    """OpenSSL decrypts ours under a key of its own; we decrypt OpenSSL's."""
    key = openssl(tmp_path, "rand -base64 32").decode()
    library, raw = OpenSsl(), base64.b64decode(key)
    given = {"key": key, "plaintext": TEXT, "aad": "customer-7"}
    [ours] = called(tmp_path, ("crypto:encrypt", given))
    data = base64.b64decode(ours["ciphertext"])
    nonce, body, tag = data[:12], data[12:-16], data[-16:]
    assert library.gcm(raw, nonce, body, b"customer-7", tag) == TEXT.encode()
    nonce = os.urandom(12)
    theirs = nonce + library.gcm(raw, nonce, TEXT.encode(), b"customer-8")
    given = {"key": key, "ciphertext": base64.b64encode(theirs).decode(), "aad": "customer-8"}
    [decrypted] = called(tmp_path, ("crypto:decrypt", given))
    assert decrypted["plaintext"] == TEXT


def tink(requests: list[list[Any]]) -> list[bytes]:
    """What Tink answers (see with_tink.py)."""
    find("ansible-vault")  # is where Tink is
    texts = [[one.hex() if isinstance(one, bytes) else one for one in each] for each in requests]
    script = Path(__file__).with_name("with_tink.py")
    done = subprocess.run(
        [Path(find("ansible-vault")).with_name("python"), "-I", script],
        input=json.dumps(texts),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return [bytes.fromhex(text) for text in json.loads(done.stdout)]


MIB = 1024 * 1024
FIRST = MIB - 40 - 16
"""Bytes of the plaintext in the first segment under a key of 32 bytes."""
SIZES = (0, 1, FIRST, FIRST + 1, FIRST + MIB - 16, 2 * MIB)


def test_files_and_pairs(tmp_path: Path) -> None:
    """Files of segments that are full, or not; and texts for the owner of a key."""
    jail, aad = Jail(str(tmp_path)), b"shop-db"
    requests: list[list[Any]] = []
    for size in SIZES:
        key, data = os.urandom(32 if size else 16), os.urandom(size)
        (tmp_path / "m").write_bytes(data)
        ours = b"".join(sealed(jail, "m", key, aad))
        requests += [["file", "decrypt", key, aad, ours], ["file", "encrypt", key, aad, data]]
    private, public = _pairs.new_pair("x25519", 256, "pem")
    pair = _keys.private_key("key", private)
    assert isinstance(pair, _ciphers.X25519PrivateKey)
    raw = pair.private_bytes_raw(), pair.public_key().public_bytes_raw()
    ours = _ciphers.encrypt(public, b"hello", aad)
    requests += [["pair", "decrypt", b"".join(raw), aad, ours]]
    requests += [["pair", "encrypt", raw[1], aad, b"hello"]]
    answers = tink(requests)
    for request, answer in zip(requests[1:-1:2], answers[:-2:2], strict=True):
        assert answer == request[-1]
    for request, answer in zip(requests[1:-1:2], answers[1:-1:2], strict=True):
        (tmp_path / "m").write_bytes(answer)
        assert b"".join(unsealed(jail, "m", request[2], aad)) == request[-1]
    assert answers[-2] == b"hello"
    assert _ciphers.decrypt(private, answers[-1], aad) == b"hello"
    jail.close()
