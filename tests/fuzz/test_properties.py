"""Any bytes through everything of `gxo validate`: real playbooks, damaged, and made-up ones."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from tests.fuzz import targets

ROOT = Path(__file__).parents[2]
PLAYBOOKS = [
    path.read_bytes()
    for pattern in ("docs/examples/*/*.gxo.yaml", "golden/*/playbook.gxo.yaml")
    for path in sorted(ROOT.glob(pattern))
]
LINES = sorted({line for data in PLAYBOOKS for line in data.splitlines(keepends=True)})
WORDS = sorted({word for data in PLAYBOOKS for word in data.split() if len(word) < 30})
FOREIGN = [
    *(b"\t", b"\r\n", b"\r", b"\xef\xbb\xbf", b"\xff", b"\xc3", b"\xe2\x80\xa8", b"\0", b"\x1b"),
    *(b"{{ ", b" }}", b"{{ if .x }}", b"{{ end }}", b"${A}", b"&a ", b"*a", b"<<: *a", b"!!int "),
    *(b"[", b"]", b"{", b"}", b"- ", b"? ", b": ", b"|\n", b">-\n", b"'", b'"', b"~", b"---\n"),
    *(b"1e999", b"0x" + b"f" * 4000, b"-0", b".nan", b"yes", b"0644", b"9" * 4001),
]
PIECES = st.one_of(
    st.sampled_from(WORDS), st.sampled_from(LINES), st.sampled_from(FOREIGN), st.binary(max_size=6)
)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A real playbook with pieces of any playbook, or of none, put in or in place of others."""
    data = draw(st.sampled_from(PLAYBOOKS))
    for _ in range(draw(st.integers(1, 5))):
        start = draw(st.integers(0, len(data)))
        stop = start + draw(st.sampled_from([0, 0, 1, 3, 20, 200]))
        data = data[:start] + draw(PIECES) + data[stop:]
    return data


@st.composite
def rearranged(draw: st.DrawFn) -> bytes:
    """A real playbook with lines moved, doubled or indented: most are YAML still."""
    lines = draw(st.sampled_from(PLAYBOOKS)).splitlines(keepends=True)
    for _ in range(draw(st.integers(1, 4))):
        at, other = (draw(st.integers(0, len(lines) - 1)) for _ in range(2))
        match draw(st.sampled_from(["swap", "double", "indent", "drop", "foreign"])):
            case "swap":
                lines[at], lines[other] = lines[other], lines[at]
            case "double":
                lines.insert(other, lines[at])
            case "indent":
                lines[at] = b"  " + lines[at]
            case "drop":
                lines[at] = b"\n"
            case _:
                lines.insert(at, draw(st.sampled_from(LINES)))
    return b"".join(lines)


@given(st.binary(max_size=400))
def test_any_bytes(data: bytes) -> None:
    targets.playbook(data)


@given(st.lists(st.sampled_from(LINES), max_size=25).map(b"".join))
def test_any_lines_of_playbooks(data: bytes) -> None:
    targets.playbook(data)


@given(damaged())
def test_damaged_playbooks(data: bytes) -> None:
    targets.playbook(data)


@given(rearranged())
def test_rearranged_playbooks(data: bytes) -> None:
    targets.playbook(data)


@given(st.lists(st.one_of(st.sampled_from(WORDS), st.binary(max_size=4)), max_size=20))
def test_any_words_as_a_template(words: list[bytes]) -> None:
    targets.template(b" ".join(words))
