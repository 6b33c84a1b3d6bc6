"""Certificates as OpenSSL reads them, and what is said where the packages are missing."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gxo.runtime.errors import ExpressionError

Library = dict[str, Callable[..., Any]]


def openssl(*words: str) -> str:
    return subprocess.run(["openssl", *words], capture_output=True, text=True, check=True).stdout


def test_openssl_verifies_a_chain(library: Library, tmp_path: Path) -> None:
    key = library["genPrivateKey"]("ecdsa")
    ca = library["genCAWithKey"]("site", 3650, key)
    leaf = library["genSignedCert"]("web", ["10.0.0.1"], ["web.example"], 90, ca)
    for name, text in (("ca", ca["Cert"]), ("leaf", leaf["Cert"]), ("key", leaf["Key"])):
        (tmp_path / name).write_text(text)
    at = str(tmp_path)
    verify = ("verify", "-x509_strict", "-CAfile", f"{at}/ca", "-purpose", "sslserver")
    assert openssl(*verify, "-verify_hostname", "web.example", f"{at}/leaf").endswith("leaf: OK\n")
    assert openssl(*verify, "-verify_ip", "10.0.0.1", f"{at}/leaf").endswith("leaf: OK\n")
    public = openssl("x509", "-in", f"{at}/leaf", "-noout", "-pubkey")
    assert openssl("pkey", "-in", f"{at}/key", "-pubout") == public


def test_no_two_are_the_same(library: Library) -> None:
    key = library["genPrivateKey"]("ed25519")
    assert key != library["genPrivateKey"]("ed25519")
    one, other = (library["genCAWithKey"]("site", 1, key) for _ in range(2))
    assert one["Cert"] != other["Cert"]
    assert one["Key"] == other["Key"] == key


def test_a_key_that_is_not_the_certificate_s_signs_nothing(library: Library) -> None:
    keys = [library["genPrivateKey"](kind) for kind in ("ecdsa", "ed25519")]
    ca = {**library["genCAWithKey"]("site", 1, keys[0]), "Key": keys[1]}
    with pytest.raises(ExpressionError, match="not that of its certificate"):
        library["genSignedCertWithKey"]("web", None, None, 1, ca, keys[0])


@pytest.mark.parametrize(
    ("template", "package"),
    [
        ('{{ (genCA "site" 1).Cert }}', "cryptography"),
        ('{{ encryptAES "a" "b" }}', "cryptography"),
        ('{{ htpasswd "ada" "open sesame" }}', "bcrypt"),
    ],
)
def test_a_missing_package_is_named(template: str, package: str) -> None:
    code = f"import sys; sys.modules[{package!r}] = None; from gxo.cli.main import entry; entry()"
    run = subprocess.run(
        [sys.executable, "-c", code, "eval", template],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": ":".join(sys.path)},
        check=False,
    )
    assert run.returncode == 1
    said = f"needs the Python package {package}, which is not installed: `pip install {package}`"
    assert said in run.stderr
    assert "Traceback" not in run.stderr
