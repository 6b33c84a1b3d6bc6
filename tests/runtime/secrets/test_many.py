"""Many secrets, and long ones, are found as one expression finds few: in all their forms."""

import json
import random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gxo.runtime.secrets import find, index, many
from gxo.runtime.secrets.find import Finder
from gxo.runtime.secrets.keys import REDACTED
from gxo.runtime.secrets.redact import Redactor
from tests.runtime.secrets.test_redact import AROUND, FORMS, HARD, HARD_SECRETS, SECRETS

# Few characters, so that secrets are parts of others, overlap, and begin and end with escapes.
CLOSE = st.text(st.sampled_from("aab1.:' \"\\%+/-é25nru0\r\t_="), min_size=1, max_size=16)
LINE = st.one_of(CLOSE, CLOSE, SECRETS, st.sampled_from([*HARD_SECRETS, "10.0.0.12", "пароль"]))
SECRET = st.one_of(
    LINE,
    st.builds(
        lambda between, lines: between.join(lines),
        st.sampled_from(["\n", "\r\n", "\n  "]),
        st.lists(LINE, min_size=2, max_size=6),
    ),
)


@st.composite
def secrets_and_text(draw):
    secrets = draw(st.lists(SECRET, min_size=1, max_size=4))
    values = Redactor([*secrets, "hunter22"])._values
    parts = st.sampled_from([*sorted(values), *secrets])
    forms = st.sampled_from(sorted(FORMS))
    text = ""
    for _ in range(draw(st.integers(1, 3))):
        part = FORMS[draw(forms)](draw(parts))
        if draw(st.integers(0, 4)) == 0:
            part = FORMS[draw(forms)](part)
        text += draw(st.one_of(CLOSE, AROUND)) + draw(st.sampled_from([part, part, part[1:]]))
    return values, text + draw(CLOSE)


@pytest.mark.parametrize("sizes", [None, (8, 16, 30)], ids=["as they are", "small pieces"])
@settings(max_examples=30)
@given(case=secrets_and_text())
@example(case=(frozenset(["a.b.c.", "xyzxyz"]), "a%2eb\\u002ec%252E"))
@example(case=(frozenset(["a\r\nb.c'd"]), "a\\r\\nb.c'\"'\"'d a\r\n  b.c'd"))
@example(case=(frozenset(["%2525%2525"]), "%252525%252525 %2525%2525"))
@example(case=(frozenset(["abcdef\\ng"]), "abcdef\\ng abcdef\ng abcdef\\\\ng"))
def test_the_same_is_found(case, sizes):
    values, text = case
    with pytest.MonkeyPatch.context() as patch:
        if sizes is not None:
            patch.setattr(many, "_PIECE", sizes[0])
            patch.setattr(index, "AT_ONCE", sizes[1])
            patch.setattr(index, "_HEAD", sizes[2])
        patch.setattr(find, "FEW", 10**9)
        expected = Finder(values).spans(text)
        patch.setattr(find, "FEW", 0)
        assert Finder(values).spans(text) == expected


RANDOM = random.Random(1)
LONG = "".join(f"user_{number}: p@ss/w\"rd' {number * 7919:x}\n" for number in range(60))
PEM = "\n".join(RANDOM.randbytes(16).hex() for _ in range(2_000))


@pytest.mark.parametrize("around", ["", "\\", "%", "\n", "aaa"])
@pytest.mark.parametrize("form", FORMS)
def test_a_secret_of_many_lines_in_every_form(form, around):
    redactor = Redactor([LONG])
    for part in (LONG, LONG.splitlines()[7]):
        text = around + FORMS[form](part) + around
        left = redactor.text(text)
        assert REDACTED in left
        assert "user_7" not in left
        assert redactor.data(text.encode()).decode() == left


@pytest.mark.parametrize("line", ['a"b"c"d', "10.0.0.12", "a/b c/d"])
@pytest.mark.parametrize("slashes", range(9))
def test_a_line_without_four_letters_in_a_row_however_often_it_is_escaped(line, slashes):
    escaped = "".join(
        "\\" * slashes + (f"u{ord(c):04x}" if slashes else c) if not c.isalnum() else c
        for c in line
    )
    assert Redactor([LONG + line]).text(f"x {escaped} x") == f"x {REDACTED} x"


@pytest.mark.timeout(20)
@pytest.mark.parametrize("kind", HARD)
def test_no_text_takes_quadratic_time(kind):
    line, text = HARD[kind]
    assert line not in Redactor([LONG + line]).text(text * 2)


@pytest.mark.parametrize(
    "secret", [LONG, PEM, LONG.replace("\n", ";")], ids=["long", "pem", "line"]
)
def test_few_expressions_are_made_where_it_stands_as_it_is_or_nothing_of_it(secret):
    redactor = Redactor([secret])
    many._expression.cache_clear()
    for left in ("12:00:00 info  disks: completed in 5 ms", f"it is {REDACTED}.", f'"{REDACTED}"'):
        text = left.replace(REDACTED, json.dumps(secret)[1:-1] if '"' in left else secret)
        assert redactor.text(text) == left
    assert redactor.value(secret.splitlines()) == [REDACTED] * (
        secret.count("\n") + (secret[-1] != "\n")
    )
    assert many._expression.cache_info().misses < 16


def test_few_expressions_are_made_where_much_looks_alike():
    chance = random.Random(3)
    lines = [".".join(str(chance.randint(1, 254)) for _ in range(4)) for _ in range(2_000)]
    redactor = Redactor(["\n".join(lines)])
    many._expression.cache_clear()
    left = redactor.text(json.dumps(lines, indent=1))
    assert set(left.split()) == {"[", f'"{REDACTED}",', f'"{REDACTED}"', "]"}
    assert many._expression.cache_info().misses < 32


def test_among_others():
    redactor = Redactor(["hunter22", LONG, "abc", PEM])
    text = f"a hunter22 b abc c user_3: p@ss/w\"rd' 5ccd d {PEM[33 * 3 : 33 * 4 - 1]} e"
    assert redactor.text(text) == f"a {REDACTED} b {REDACTED} c {REDACTED} d {REDACTED} e"


def test_what_is_shorter_is_found_in_the_whole_only():
    redactor = Redactor([f"abc\n{LONG}xyz"])
    assert redactor.text("abc xyz") == "abc xyz"
    assert redactor.text(f"abc\n{LONG}xyz") == REDACTED
    assert redactor.value([1234, "user_7"]) == [1234, "user_7"]


def test_a_line_that_is_a_number():
    assert Redactor([f"{LONG}12345678"]).value([12345678, 1234567]) == [REDACTED, 1234567]


def test_bytes_that_are_no_text():
    secret = LONG + b"\x80\xff-and-more".decode("utf-8", "surrogateescape")
    assert Redactor([secret]).data(b"\xc3 \x80\xff-and-more") == b"\xc3 " + REDACTED.encode()
