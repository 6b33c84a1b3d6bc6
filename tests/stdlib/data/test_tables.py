"""Tables are written as the lists of their records would be."""

from hypothesis import given
from hypothesis import strategies as st

from gxo.runtime.streams.tables import Table
from gxo.stdlib.data._writers import CsvWriter

texts = st.text(st.sampled_from("ab\"',;\n\r \té\U0001f600\x00"), max_size=6)


@given(
    st.lists(st.tuples(st.none() | texts | st.just("a,b"), texts), min_size=1, max_size=6),
    st.sampled_from([True, ["a", "b"], ["b", "a"], ["b", "c"], ["b"]]),
)
def test_a_table_is_written_as_its_records(
    rows: list[tuple[str | None, str]], headers: bool | list[str]
) -> None:
    table = Table(("a", "b"), rows)
    writer = CsvWriter({"headers": headers})
    writer.open(table[0])
    expected = writer.encode(table.records())
    assert writer.encode(table) == expected
    assert writer.at_once(table) in (expected, None)
    plain = not any(mark in cell for row in rows for cell in row if cell for mark in '"\r\n')
    if plain and headers is True:
        assert writer.at_once(table) == expected
