"""A table is the list of its records; and who has not asked for tables never sees one."""

import pickle

from gxo.runtime.streams.pipes import Channel
from gxo.runtime.streams.ports import Records
from gxo.runtime.streams.source import Source
from gxo.runtime.streams.tables import Table, records_of, together
from tests.runtime.streams.conformance import run

ROWS = [["1", "Bonn"], ["2", None], ["3", "Rome"]]
RECORDS = [{"id": "1", "city": "Bonn"}, {"id": "2", "city": None}, {"id": "3", "city": "Rome"}]


def cities() -> Table:
    return Table(("id", "city"), ROWS)


def test_a_table_is_the_list_of_its_records():
    assert len(cities()) == 3
    assert list(cities()) == cities().records() == records_of(cities()) == RECORDS
    assert cities()[1] == RECORDS[1]
    assert isinstance(cities()[1:], Table)
    assert list(cities()[1:]) == RECORDS[1:]
    assert cities().cells("city") == ["Bonn", None, "Rome"]
    assert cities().cells("street") == [None, None, None]
    looked_at = cities()
    looked_at.records()
    assert len(pickle.dumps(looked_at)) == len(pickle.dumps(cities()))
    assert list(pickle.loads(pickle.dumps(looked_at))) == RECORDS


def test_tables_of_the_same_fields_come_together_as_one():
    both = together([cities(), cities()[:1]])
    assert isinstance(both, Table)
    assert list(both) == RECORDS + RECORDS[:1]
    other = Table(("city", "id"), [["Oslo", "4"]])
    for mixed in ([cities(), other], [cities(), [{"id": "4", "city": "Oslo"}]]):
        assert together(mixed) == [*RECORDS, {"id": "4", "city": "Oslo"}]


def test_readers_get_tables_if_they_ask_for_them_and_else_all_the_same_records():
    async def check():
        source = Source("a", Channel(10))
        b, c, d = (Records([source.connect(name)]) for name in "bcd")
        await source.port().send(cities())
        early = b.receive_nowait()
        await source.port().send(cities())
        late = c.receive_nowait()
        assert type(early) is type(late) is list
        assert late == RECORDS * 2
        assert all(map(lambda one, other: one is other, early, late))
        d.batches()
        table = d.receive_nowait()
        assert isinstance(table, Table)
        assert list(table) == late
        assert [port.records_in for port in (b, c, d)] == [3, 6, 6]

    run(check())
