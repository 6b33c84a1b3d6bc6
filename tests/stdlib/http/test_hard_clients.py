"""Clients of `http:listen` that do not behave."""

from pathlib import Path

import pytest

from tests.stdlib.connection.test_hard_peers import abort
from tests.stdlib.harness import run
from tests.stdlib.http.listening import serving, statuses

GET = b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n"


@pytest.mark.parametrize("resets", [False, True])
@pytest.mark.parametrize("text", [b"GET / HTTP/1.1\r\n", b"GET\r\n\r\n", GET % 7])
def test_who_does_not_wait_for_its_answer(text: bytes, resets: bool, tmp_path: Path) -> None:
    """It has closed its connection when it is answered or refused; others are served on."""

    async def play() -> bytes:
        async with serving(tmp_path) as served:
            for _ in range(5):
                _, writer = await served.connect()
                writer.write(text)
                if resets:
                    abort(writer)
                else:
                    writer.close()
                await served.settle()
            return await served.ask(GET % 8)

    assert statuses(run(play())) == [200]
