"""Where to connect to, and through whom: `web-1`, `ops@bastion:2222,ops@gate`."""

import re
from typing import NamedTuple

from gxo.runtime.errors import ParameterError
from gxo.stdlib._sizes import shown_text

_JUMP = re.compile(
    r"(?:(?P<user>[^@]+)@)?(?:\[(?P<v6>[^\]]+)\]|(?P<host>[^:\[\]]+))(?::(?P<port>\d{1,5}))?"
)


class Hop(NamedTuple):
    """A host to connect to, or to go through."""

    user: str
    host: str
    port: int

    @property
    def shown(self) -> str:
        """The host as messages call it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return self.host if self.port == 22 else f"{host}:{self.port}"


def way_to(user: str, host: str, port: int, proxy_jump: str | None) -> list[Hop]:
    """The hosts to connect to, one through the other. ParameterError when one can be none."""
    jumps = proxy_jump.split(",") if proxy_jump is not None else []
    return [*(_jump(text.strip(), user) for text in jumps), _checked("host", Hop(user, host, port))]


def _jump(text: str, user: str) -> Hop:
    found = _JUMP.fullmatch(text)
    if found is None:
        raise ParameterError(
            f"`proxy_jump` is {shown_text(text)}",
            hint="it is like ops@bastion:2222, or several by comma",
        )
    host = found["v6"] or found["host"]
    return _checked("proxy_jump", Hop(found["user"] or user, host, int(found["port"] or 22)))


def _checked(name: str, hop: Hop) -> Hop:
    if not 0 < hop.port < 65536:
        raise ParameterError(f"`port` is {hop.port}: it is between 1 and 65535")
    if not hop.user or not hop.user.isprintable() or len(hop.user) > 255:
        raise ParameterError(f"`user` is {shown_text(hop.user)}, which can be no user")
    try:
        hop.host.encode("idna")
    except UnicodeError:  # an empty label, or one that is too long
        possible = False
    else:
        possible = bool(hop.host) and hop.host.isprintable() and len(hop.host) <= 255
    if not possible or " " in hop.host:
        raise ParameterError(
            f"`{name}` is {shown_text(hop.host)}, which can be no host",
            hint="give a name or an address; `port` and `user` are parameters of their own",
        )
    return hop
