"""A server of h11 and asyncio that answers every request: what a person would write by hand."""

import asyncio
import json
from email.utils import formatdate

import h11


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    http = h11.Connection(h11.SERVER)
    try:
        while (request := await received(http, reader)) is not None:
            target, body = request
            writer.write(answer(http, {"path": target.decode(), "bytes": len(body)}))
            await writer.drain()
            if http.our_state is h11.MUST_CLOSE:
                break
            http.start_next_cycle()
    except ConnectionError:
        pass
    finally:
        writer.close()


async def received(
    http: h11.Connection, reader: asyncio.StreamReader
) -> tuple[bytes, bytearray] | None:
    """The target and the body of the next request; None when the client has closed."""
    target, body = b"", bytearray()
    while True:
        event = http.next_event()
        if event is h11.NEED_DATA:
            http.receive_data(await reader.read(65536))
        elif isinstance(event, h11.Request):
            target = event.target
        elif isinstance(event, h11.Data):
            body += event.data
        elif isinstance(event, h11.EndOfMessage):
            return target, body
        else:
            return None


def answer(http: h11.Connection, value: object) -> bytes:
    text = json.dumps(value).encode()
    headers = [
        ("Content-Type", "application/json"),
        ("Date", formatdate(usegmt=True)),
        ("Content-Length", str(len(text))),
    ]
    head = http.send(h11.Response(status_code=200, headers=headers, reason="OK"))
    return head + http.send(h11.Data(data=text)) + http.send(h11.EndOfMessage())


async def main() -> None:
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    print(f"{host}:{port}", flush=True)
    async with server:
        await server.serve_forever()


asyncio.run(main())
