"""An address as it was signed."""

import httpx


class Exact(httpx.URL):
    """An origin, and behind it a path and query to which nothing is done.

    httpx would take `..` and `//` out of them. Its extension `target` is no way around that: it
    would also replace what a proxy is asked, as `CONNECT host:443`.
    """

    def __init__(self, origin: str, target: str) -> None:
        super().__init__(origin)
        self._target = target.encode("ascii")

    @property
    def raw_path(self) -> bytes:
        return self._target
