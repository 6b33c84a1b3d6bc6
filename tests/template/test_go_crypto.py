"""Keys, certificates and passwords that gxo makes, as Go reads them, and the other way round."""

from base64 import b64encode
from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.template.evaluator import evaluate
from tests.tools.go_oracle.oracle import Oracle

AGREE = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


def go(oracle: Oracle, template: str, **data: Any) -> str:
    answer = oracle.ask(template, data)
    assert answer["ok"], answer
    text: str = answer["output"]
    return text


def gxo(template: str, **data: Any) -> str:
    outcome = evaluate(template, data)
    assert outcome.ok, outcome
    return outcome.output


@AGREE
@given(TEXTS, TEXTS)
def test_each_decrypts_what_the_other_encrypted(oracle: Oracle, password: str, text: str) -> None:
    encrypt, decrypt = "{{ encryptAES .password .text }}", "{{ decryptAES .password .encrypted }}"
    by_go = go(oracle, encrypt, password=password, text=text)
    by_gxo = gxo(encrypt, password=password, text=text)
    assert len(by_gxo) == len(by_go)
    assert gxo(decrypt, password=password, encrypted=by_go) == text
    assert go(oracle, decrypt, password=password, encrypted=by_gxo) == text


@AGREE
@given(st.binary(max_size=80).map(lambda data: b64encode(data).decode()))
def test_what_is_not_encrypted_decrypts_to_what_it_does_in_go(oracle: Oracle, text: str) -> None:
    template = '{{ decryptAES "password" .text | b64enc }}'
    expected = oracle.ask(template, {"text": text})
    outcome = evaluate(template, {"text": text})
    assert (outcome.ok, outcome.output) == (expected["ok"], expected.get("output", ""))


@pytest.mark.parametrize("password", ["", "open sesame", "a\0b", "ключ", "x" * 72])
def test_each_knows_the_password_behind_the_other_s_hash(oracle: Oracle, password: str) -> None:
    import bcrypt

    name, _, by_gxo = gxo('{{ htpasswd "ada" .p }}', p=password).partition(":")
    by_go = go(oracle, "{{ bcrypt .p }}", p=password)
    assert name == "ada"
    assert by_gxo[:7] == by_go[:7] == "$2a$10$"
    assert go(oracle, "{{ checkBcrypt .hash .p }}", hash=by_gxo, p=password) == "true"
    assert go(oracle, "{{ checkBcrypt .hash .p }}", hash=by_gxo, p=f"{password}."[-72:]) == "false"
    assert bcrypt.checkpw(password.encode(), by_go.encode())


KEYS = ["rsa", "dsa", "ecdsa", "ed25519"]


@cache
def key(kind: str) -> str:
    """A key by gxo, made once: those of RSA and DSA take a while."""
    return gxo("{{ genPrivateKey .kind }}", kind=kind)


def keys_in(template: str) -> dict[str, str]:
    return {kind: key(kind) for kind in KEYS if f".{kind}" in template}


@pytest.mark.parametrize("kind", KEYS)
def test_keys_have_the_form_of_go_s(oracle: Oracle, kind: str) -> None:
    """buildCustomCert refuses a key that it cannot read, whatever its kind."""
    by_go = go(oracle, "{{ genPrivateKey .kind }}", kind=kind)
    for first in (0, -1):
        assert by_go.splitlines()[first] == key(kind).splitlines()[first]
    assert by_go.endswith("-----\n") and key(kind).endswith("-----\n")
    certificate = gxo('{{ (genSelfSignedCertWithKey "x" nil nil 1 .key).Cert }}', key=key("ecdsa"))
    accepts = "{{ (buildCustomCert (b64enc .cert) (b64enc .key)).Key }}"
    assert go(oracle, accepts, cert=certificate, key=key(kind)) == key(kind)
    assert gxo(accepts, cert=certificate, key=by_go) == by_go


CERTIFICATES = [
    '(genCA "site" 3650)',
    '(genCAWithKey "site" 30 .ecdsa)',
    '(genSelfSignedCert "web" (list "10.0.0.1" "::ffff:10.0.0.2" "2001:db8::1") (list "web.example" "*.web") 90)',
    '(genSelfSignedCertWithKey "" nil (list "web.example") 0 .ed25519)',
    '(genSelfSignedCertWithKey "ключ" (list) nil 1 .rsa)',
    '(genSignedCert "web" (list "127.0.0.1") (list "web.example") 90 (genCA "site" 3650))',
    '(genSignedCertWithKey "site" nil nil 90 (genCA "site" 3650) .ecdsa)',
    '(genSignedCertWithKey "web" nil nil 90 (genCAWithKey "site" 3650 .ed25519) .rsa)',
    '(genSignedCertWithKey "web" nil nil 90 (genSelfSignedCertWithKey "site" nil nil 9 .ecdsa) .ed25519)',
]


@pytest.mark.parametrize("template", CERTIFICATES)
def test_certificates_say_what_go_s_say(oracle: Oracle, template: str) -> None:
    keys = keys_in(template)
    by_go = go(oracle, f"{{{{ {template}.Cert }}}}", **keys)
    by_gxo = gxo(f"{{{{ {template}.Cert }}}}", **keys)
    describe = "{{ describeCert .cert }}"
    assert go(oracle, describe, cert=by_gxo) == go(oracle, describe, cert=by_go)


@pytest.mark.parametrize(
    ("makes_ca", "makes_certificate"),
    [(gxo, gxo), (gxo, go), (go, gxo)],
    ids=["ours", "go's", "both"],
)
def test_a_chain_verifies_whoever_made_its_parts(
    oracle: Oracle, makes_ca: Any, makes_certificate: Any
) -> None:
    def made(by: Any, template: str, **data: Any) -> list[str]:
        text = by(template, **data) if by is gxo else go(oracle, template, **data)
        parts: list[str] = text.split("|")
        return parts

    certificate, key = made(makes_ca, '{{ $c := genCA "site" 9 }}{{ $c.Cert }}|{{ $c.Key }}')
    read = "buildCustomCert (b64enc .cert) (b64enc .key)"
    signed = f'{{{{ (genSignedCert "web" nil (list "web.example") 9 ({read})).Cert }}}}'
    [leaf] = made(makes_certificate, signed, cert=certificate, key=key)
    verify = "{{ verifyChain .leaf .ca .name }}"
    assert go(oracle, verify, leaf=leaf, ca=certificate, name="web.example") == ""
    assert "not web.other" in go(oracle, verify, leaf=leaf, ca=certificate, name="web.other")
    other = gxo('{{ (genCA "site" 9).Cert }}')
    assert "unknown authority" in go(oracle, verify, leaf=leaf, ca=other, name="web.example")


REFUSED = [
    '{{ genCAWithKey "x" 3 .dsa }}',
    '{{ genCAWithKey "x" 3 "no key" }}',
    '{{ genCAWithKey "x" 3 .cert }}',
    '{{ genSelfSignedCertWithKey "x" (list "10.0.0.256") nil 3 .ecdsa }}',
    '{{ genSelfSignedCertWithKey "x" (list "fe80::1%eth0") nil 3 .ecdsa }}',
    '{{ genSelfSignedCertWithKey "x" (list 7) nil 3 .ecdsa }}',
    '{{ genSelfSignedCertWithKey "x" nil (list 7) 3 .ecdsa }}',
    '{{ genSelfSignedCertWithKey "x" nil (list "straße") 3 .ecdsa }}',
    '{{ buildCustomCert "!" (b64enc .ecdsa) }}',
    '{{ buildCustomCert (b64enc "x") (b64enc .ecdsa) }}',
    "{{ buildCustomCert (b64enc .cert) (b64enc .cert) }}",
    '{{ genSignedCertWithKey "x" nil nil 3 (buildCustomCert (b64enc .cert) (b64enc .ed25519)) .ecdsa }}',
]


@pytest.mark.parametrize("template", REFUSED)
def test_what_go_refuses_is_refused(oracle: Oracle, template: str) -> None:
    certificate = gxo('{{ (genCAWithKey "ca" 3 .ecdsa).Cert }}', ecdsa=key("ecdsa"))
    data = {**keys_in(template), "cert": certificate}
    assert oracle.ask(template, data).get("error") == "exec"
    outcome = evaluate(template, data)
    assert outcome.error == "exec"
    assert "PRIVATE KEY-----" not in outcome.message
