"""Clients that do not wait for what they are told."""

from pathlib import Path

import pytest

from tests.stdlib.harness import run
from tests.stdlib.http.listening import never, serving, statuses


@pytest.mark.parametrize(
    "sent", [b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"GET / HT", b"GET /\r\n\r\n"]
)
def test_who_does_not_wait_for_a_refusal(sent: bytes, tmp_path: Path) -> None:
    """Its host resets the connection when the refusal comes; the server serves the others."""

    async def play() -> None:
        async with serving(tmp_path, never, timeout=10.0, read_timeout=10.0) as served:
            _, writer = await served.connect()
            other, writer_of_other = await served.connect()
            writer.write(sent)
            writer.close()
            await served.pass_seconds(11)
            assert not served.listening.done()
            writer_of_other.write(b"GET /\r\n\r\n")
            assert statuses(await other.read()) == [400]
            writer_of_other.close()

    run(play())
