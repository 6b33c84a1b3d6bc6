"""Secrets never survive: in any encoding, anywhere in a text or in nested data."""

import json
import re
import shlex
from base64 import b64encode, encodebytes, urlsafe_b64encode
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from gxo.runtime.secrets import redact
from gxo.runtime.secrets.keys import REDACTED
from gxo.runtime.secrets.redact import Redactor


def wrapped(text: str, width: int, between: str) -> str:
    return between.join(text[at : at + width] for at in range(0, len(text), width))


def percent(text: str, case: str) -> str:
    return "".join(f"%{byte:02{case}}" for byte in text.encode())


def shifted(text: str, encode, before: int, after: int) -> str:
    return encode(b"\xa5" * before + text.encode() + b"\x5a" * after).decode()


FORMS = {
    "plain": lambda s: s,
    "json": json.dumps,
    "json, no ascii": lambda s: json.dumps(s, ensure_ascii=False),
    "json in json": lambda s: json.dumps(json.dumps({"a": s})),
    "json with escaped slashes": lambda s: json.dumps(s).replace("/", "\\/"),
    "json as Go writes it": lambda s: re.sub(
        "[<>&]", lambda found: f"\\u{ord(found[0]):04x}", json.dumps(s)
    ),
    "upper-case json": lambda s: re.sub(
        r"u[0-9a-f]{4}", lambda f: "u" + f[0][1:].upper(), json.dumps(s)
    ),
    "url": lambda s: quote(s, safe=""),
    "url, slashes kept": quote,
    "url of a form": quote_plus,
    "lower-case url": lambda s: re.sub("%..", lambda found: found[0].lower(), quote(s, safe="")),
    "url, twice": lambda s: quote(quote(s, safe=""), safe=""),
    "url, every byte": lambda s: percent(s, "X"),
    "url, every byte, lower case": lambda s: percent(s, "x"),
    "shell word": shlex.quote,
    "wrapped text": lambda s: wrapped(s, 5, "\n"),
    "wrapped and indented": lambda s: wrapped(s, 5, "\r\n    "),
    "wrapped in json": lambda s: json.dumps(wrapped(s, 5, "\n")),
    "indented lines": lambda s: s.replace("\n", "\n    "),
    "Windows lines": lambda s: s.replace("\n", "\r\n"),
    "wrapped base64": lambda s: encodebytes((s * 9).encode()).decode(),
    "base64 url-encoded": lambda s: quote(b64encode(s.encode()).decode(), safe=""),
    "base64 in json": lambda s: json.dumps(b64encode(s.encode()).decode()).replace("/", "\\/"),
}
for before in range(3):
    for after in range(3):
        for name, encode in (("base64", b64encode), ("base64url", urlsafe_b64encode)):
            FORMS[f"{name} {before} {after}"] = (
                lambda s, encode=encode, before=before, after=after: shifted(
                    s, encode, before, after
                )
            )

# What a secret is made of: no `[`, `]`, so that a redacted text holds none by accident.
SECRETS = st.text(
    st.one_of(
        st.sampled_from("abcxyzABCXYZ0189+/=-_.~:;,<>&%$#@!?*'\"\\ (){}|^`"),
        st.characters(codec="utf-8", exclude_characters="[]\n\r", exclude_categories=["Cc", "Cs"]),
    ),
    min_size=6,
    max_size=40,
)
LINES = st.lists(SECRETS.filter(lambda line: line == line.strip()), min_size=2, max_size=3)
ANY = st.one_of(SECRETS, SECRETS, LINES.map("\n".join))
AROUND = st.text(st.characters(codec="utf-8", exclude_characters="[]"), max_size=20)


HARD_SECRETS = [
    'p@ss/w"rd\\x',
    "a b c d",
    "\\\\\\\\\\\\",
    "aaaaaaaa",
    "o'brien's",
    "wörd\U0001f600s",
    "100%25%41",
    "tab\there\x01",
    "<a href='&'>",
    "-----BEGIN\nabcdef+/\n-----END",
    "  two  spaces  ",
]


@pytest.mark.parametrize("around", ["", "\\", "%", "é\n", "aaa"])
@pytest.mark.parametrize("form", FORMS)
def test_hard_secrets_in_every_form(form, around):
    for secret in HARD_SECRETS:
        check_gone(form, secret, around, around)


@pytest.mark.parametrize("form", FORMS)
@settings(max_examples=10)
@given(secret=ANY, before=AROUND, after=AROUND)
def test_a_secret_in_any_form_anywhere_does_not_survive(form, secret, before, after):
    assume(secret not in REDACTED and secret not in before + after)
    assume(len(secret.replace(" ", "")) >= (4 if "wrapped" in form else 1))
    check_gone(form, secret, before, after)


def check_gone(form: str, secret: str, before: str, after: str) -> None:
    encoded = FORMS[form](secret)
    text = before + encoded + after
    redactor = Redactor([secret])
    left = redactor.text(text)
    assert REDACTED in left, text
    assert encoded not in left
    assert secret not in left
    if form.startswith("base64") and "json" not in form:
        # At most what holds the bytes before and after the secret is left of the code.
        assert len(left.replace(REDACTED, "")) <= len(before) + len(after) + 8
    assert redactor.data(text.encode()).decode() == left


@given(st.lists(ANY, min_size=1, max_size=5, unique=True), st.data())
def test_several_secrets_in_one_text(secrets, data):
    assume(all(secret not in REDACTED and secret.strip() for secret in secrets))
    parts = [
        FORMS[data.draw(st.sampled_from(sorted(FORMS)))](secret)
        for secret in data.draw(st.permutations(secrets))
    ]
    left = Redactor(secrets).text(" ".join(parts))
    for secret in secrets:
        assert secret not in left


NESTED = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), AROUND),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.tuples(inner, inner),
        st.dictionaries(AROUND, inner, max_size=3),
    ),
    max_leaves=8,
)


def places(value, secret):
    """All variants of a nested value with the secret put somewhere into it."""
    if isinstance(value, str):
        yield value + secret
    elif isinstance(value, list | tuple):
        for at, item in enumerate(value):
            for changed in places(item, secret):
                yield type(value)([*value[:at], changed, *value[at + 1 :]])
    elif isinstance(value, dict):
        for key, item in value.items():
            rest = {other: it for other, it in value.items() if other != key}
            yield {**rest, key + secret: item}
            for changed in places(item, secret):
                yield {**rest, key: changed}


@given(NESTED, SECRETS)
def test_nested_data(value, secret):
    assume(secret.strip() and secret not in repr(value) and secret not in REDACTED)
    redactor = Redactor([secret])
    if json.dumps(redactor.value(value)) == json.dumps(value):
        assert redactor.value(value) is value
    for changed in list(places(value, secret))[:20]:
        before = repr(changed)
        left = redactor.value(changed)
        assert secret not in _texts(left)
        assert REDACTED in _texts(left)
        assert type(left) is type(changed)
        assert repr(changed) == before


def _texts(value) -> str:
    if isinstance(value, dict):
        return "\n".join(_texts(part) for item in value.items() for part in item)
    if isinstance(value, list | tuple):
        return "\n".join(map(_texts, value))
    return str(value)


def test_what_is_clean_comes_back_as_it_is():
    redactor = Redactor(["hunter22"])
    value = {"a": [1, 2.5, None, True, ("x", b"y"), {"z"}], "b": object()}
    text, data = "nothing here", b"\xff\x00 nothing"
    assert redactor.value(value) is value
    assert redactor.text(text) is text
    assert redactor.data(data) is data


def test_without_secrets_nothing_is_looked_at():
    class Untouchable(dict):
        def __getattribute__(self, name):
            raise AssertionError(name)

    value = Untouchable()
    assert Redactor().value(value) is value
    assert Redactor([""]).text("x") == "x"


VALUES = [
    # secret, value, left
    ("hunter22", "hunter22", REDACTED),
    ("hunter22", {"hunter22": {"hunter22"}}, {REDACTED: {REDACTED}}),
    ("hunter22", (1, ["xhunter22y"]), (1, [f"x{REDACTED}y"])),
    ("hunter22", frozenset(["hunter22"]), frozenset([REDACTED])),
    ("hunter22", b"\xff hunter22 \x00", b"\xff [REDACTED_SECRET] \x00"),
    ("hunter22", bytearray(b"hunter22"), b"[REDACTED_SECRET]"),
    ("12345678", [12345678, 123456789, "123456789"], [REDACTED, 123456789, f"{REDACTED}9"]),
    ("1234.5678", [1234.5678], [REDACTED]),
    ("1234", [1234, 12345, "12345", "is 1234."], [REDACTED, 12345, "12345", f"is {REDACTED}."]),
    ("True", [True, "True"], [True, REDACTED]),
    ("None", [None], [None]),
    # shorter than 6 bytes: whole words only, also encoded
    ("abc", "abc", REDACTED),
    ("abc", "abcd xabc ab_abc abc_", "abcd xabc ab_abc abc_"),
    ("abc", "(abc), abc=abc", f"({REDACTED}), {REDACTED}={REDACTED}"),
    ("abc", "YWJj xYWJj", f"{REDACTED} xYWJj"),
    ("a/b", "a/b xa/b", f"{REDACTED} xa/b"),
    ("k?", "k?, aks/, %6B%3F", f"{REDACTED}, aks/, {REDACTED}"),
    ("é", "é, éa, %c3%a9", f"{REDACTED}, éa, {REDACTED}"),
    # of several that begin at one place the longest goes, and overlapping ones go together
    ("hunter22 hunter22more", "hunter22more", f"{REDACTED}"),
    ("abcdefgh defghijk", "abcdefghijk!", f"{REDACTED}!"),
]


@pytest.mark.parametrize(("secrets", "value", "left"), VALUES)
def test_values(secrets, value, left):
    assert Redactor(secrets.split(" ")).value(value) == left


def test_a_line_of_a_secret_that_has_several_is_found_by_itself():
    redactor = Redactor(["-----BEGIN KEY-----\n  MIIEabcdef\nxy\n-----END KEY-----\n"])
    assert redactor.text("read: MIIEabcdef") == f"read: {REDACTED}"
    assert redactor.text("xy") == "xy"


@pytest.mark.parametrize("secret", ["hunter22\n", "\thunter22 "])
def test_a_secret_is_found_without_the_white_space_around_it(secret):
    redactor = Redactor([secret])
    assert redactor.text("it is hunter22") == f"it is {REDACTED}"
    assert redactor.value([secret, {"a": b64encode(b"hunter22").decode()}]) == [
        REDACTED,
        {"a": REDACTED},
    ]


def test_what_contains_itself():
    value: dict = {"list": ["hunter22"]}
    value["self"] = value
    value["list"].append(value["list"])
    left = Redactor(["hunter22"]).value(value)
    assert left["self"] is left
    assert left["list"][0] == REDACTED
    assert left["list"][1] is left["list"]
    assert value["list"][0] == "hunter22"


def test_any_depth():
    value: object = "hunter22"
    for _ in range(20_000):
        value = [value]
    left = Redactor(["hunter22"]).value(value)
    while isinstance(left, list):
        left = left[0]
    assert left == REDACTED
    while isinstance(value, list):  # taken apart by hand: freeing it recursively is Python's affair
        value = value[0]


def test_texts_that_are_searched_together_stay_apart(monkeypatch):
    monkeypatch.setattr(redact, "TEXT_AT_ONCE", 20)
    for secret in ("hunter22", "nul\0nul\0", "abc"):
        redactor = Redactor([secret])
        parts = [secret[:3], secret[3:], "x", 5] * 20
        if secret != "abc":
            assert redactor.value(parts) is parts
        assert redactor.value([*parts, secret])[-1] == REDACTED
        assert redactor.value([secret, *parts])[0] == REDACTED
        assert redactor.value({("a", (secret,)): 1}) == {("a", (REDACTED,)): 1}


def test_secrets_may_be_added_later():
    redactor = Redactor(["hunter22"])
    assert redactor.text("hunter22 swordfish") == f"{REDACTED} swordfish"
    redactor.add("swordfish")
    assert redactor.text("hunter22 swordfish") == f"{REDACTED} {REDACTED}"


HARD = {
    "a run of its first character": ("aaaaaaab", "a" * 50_000),
    "backslashes": ('\\"\\"\\"\\"', "\\" * 50_000),
    "percents": ("%%%%%%%%", "%25" * 20_000),
    "line breaks": ("hunter22", "\n" * 100_000),
    "breaks inside": ("hunter22", "hunter2\n" * 20_000),
    "dashes": ("hunter22", "-" * 100_000 + "password"),
    "open quotes": ("hunter22", 'token="' * 10_000),
    "words": ("hunter22", "password" * 10_000),
    "escaped quotes": ("hunter22", 'token\\": \\"' * 5_000),
    "itself": ("hunter22", "hunter22" * 10_000),
}


@pytest.mark.timeout(20)
@pytest.mark.parametrize("kind", HARD)
def test_no_text_takes_quadratic_time(kind):
    """50,000 characters at 50,000 steps each would not end before the limit."""
    secret, text = HARD[kind]
    left = Redactor([secret]).log_text(text * 2)
    assert secret not in left


LOGGED = [
    ("password=hunter2", f"password={REDACTED}"),
    ("db_password = hunter2;", f"db_password = {REDACTED};"),
    ("PGPASSWORD='a b' psql", f"PGPASSWORD={REDACTED} psql"),
    ("https://h/?access_token=abc&x=1", f"https://h/?access_token={REDACTED}&x=1"),
    ("--api-key=abc", f"--api-key={REDACTED}"),
    ('{"token": "abc", "n": 1}', f'{{"token": {REDACTED}, "n": 1}}'),
    ("{'client_secret': 'a\\'b'}", f"{{'client_secret': {REDACTED}}}"),
    ('{"token": 12345}', f'{{"token": {REDACTED}}}'),
    ('"{\\"private_key\\": \\"abc\\"}"', f'"{{\\"private_key\\": {REDACTED}}}"'),
    ("Authorization: Basic dXNlcjpwYXNz", f"Authorization: Basic {REDACTED}"),
    ("'Authorization': 'Bearer abc.def.ghi'", f"'Authorization': 'Bearer {REDACTED}'"),
    ("authorization: rawtoken", f"authorization: {REDACTED}"),
    ("sent bearer abcdefgh.ijkl", f"sent bearer {REDACTED}"),
    ("config:\n  password: hunter2\n  user: x", f"config:\n  password: {REDACTED}\n  user: x"),
    ("- apikey: 'a b c'", f"- apikey: {REDACTED}"),
    (f"token={REDACTED}&x", f"token={REDACTED}&x"),
    # what only talks about them
    ("the secret 'API_TOKEN' is missing", "the secret 'API_TOKEN' is missing"),
    ("parameter 'token': expected a text", "parameter 'token': expected a text"),
    ("password: must have 8 characters", "password: must have 8 characters"),
    ("the bearer of bad news", "the bearer of bad news"),
    ("max_tokens=5, passwords=3", "max_tokens=5, passwords=3"),
    ("tokens: 17", "tokens: 17"),
]


@pytest.mark.parametrize(("text", "left"), LOGGED)
def test_what_stands_under_a_telling_key_is_not_logged(text, left):
    redactor = Redactor()
    assert redactor.log_text(text) == left
    assert redactor.log_text(left) == left
    assert redactor.text(text) == text


STRUCTURED = [
    ({"password": "x"}, {"password": REDACTED}),
    ({"a": [{"X-Api-Key": 5}]}, {"a": [{"X-Api-Key": REDACTED}]}),
    ({"clientSecret": {"a": 1}}, {"clientSecret": REDACTED}),
    (
        {"password": None, "token": True, "tokens": 3},
        {"password": None, "token": True, "tokens": 3},
    ),
    ({"token": REDACTED}, {"token": REDACTED}),
    ({"url": "x?token=abc"}, {"url": f"x?token={REDACTED}"}),
    ({5: "hunter22"}, {5: REDACTED}),
]


@pytest.mark.parametrize(("value", "left"), STRUCTURED)
def test_nor_in_structured_logs(value, left):
    redactor = Redactor(["hunter22"])
    assert redactor.log_value(value) == left


@pytest.mark.parametrize("form", FORMS)
def test_a_cut_goes_through_no_secret(form: str) -> None:
    """Where one would, the text ends before it; and `reach` bytes more are enough to see that."""
    for secret in ("hunter22-wörd", 'p@ss/w"rd\\x', "abc"):
        redactor = Redactor([secret])
        text = f"é, {FORMS[form](secret)}, {FORMS[form](secret)}; \U0001f600"
        data = text.encode()
        spans = [
            tuple(len(text[:place].encode()) for place in span) for span in redactor._spans(text)
        ]
        for size in range(len(data) + 1):
            expected = next((start for start, end in spans if start < size < end), size)
            assert redactor.cut(data[: size + redactor.reach], size) == data[:expected], size


def test_without_secrets_a_cut_is_a_cut() -> None:
    assert Redactor().reach == 0
    assert Redactor().cut(b"abc", 2) == b"ab"
