"""Which database, and who asks: read from a URL or a profile. The password is in no message."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Literal, NotRequired, TypedDict
from urllib.parse import parse_qsl, unquote, urlsplit

from gxo.runtime.errors import ParameterError
from gxo.runtime.spec import Secret
from gxo.stdlib.database._statement import Kind

_SCHEMES: dict[str, Kind] = {
    "postgresql": "postgresql",
    "postgres": "postgresql",
    "mysql": "mysql",
    "mariadb": "mysql",
    "sqlite": "sqlite",
    "mssql": "mssql",
    "oracle": "oracle",
}
_PORTS: dict[Kind, int] = {"postgresql": 5432, "mysql": 3306, "mssql": 1433, "oracle": 1521}
_TLS = ("sslmode", "sslrootcert")
OPTIONS: dict[Kind, tuple[str, ...]] = {
    "postgresql": (*_TLS, "application_name"),
    "mysql": _TLS,
    "sqlite": ("mode",),
    "mssql": _TLS,
    "oracle": _TLS,
}
"""What may stand behind the `?` of a URL."""

_LOOKS = "a URL looks like postgresql://user:password@host:5432/database or sqlite:///file.db"


class Profile(TypedDict):
    """A connection in its parts, none of which has to be percent-encoded.

    database: its name; of SQLite the file, of Oracle the service. options: those of a URL.
    """

    driver: Literal["postgresql", "mysql", "sqlite", "mssql", "oracle"]
    host: NotRequired[str]
    port: NotRequired[int]
    user: NotRequired[str]
    password: NotRequired[Secret]
    database: NotRequired[str]
    options: NotRequired[dict[str, str]]


@dataclass(frozen=True, slots=True)
class Target:
    """A database and who asks it. shown: what messages call it."""

    kind: Kind
    host: str
    port: int
    user: str
    password: str = field(repr=False)
    database: str
    options: Mapping[str, str]

    @property
    def shown(self) -> str:
        if self.kind == "sqlite":
            return self.database
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.kind} at {host}:{self.port}"


def read_target(url: str | None, profile: Profile | None) -> Target:
    """The database that a URL or a profile names. ParameterError for what names none."""
    if (url is None) == (profile is None):
        raise ParameterError("give one of `connection` and `connection_profile`")
    if profile is not None:
        target, source = _of_profile(profile), "connection_profile"
    else:
        assert url is not None
        target, source = _of_url(url), "connection"
    return _checked(target, source)


def _of_url(url: str) -> Target:
    scheme = url.partition(":")[0].lower()
    kind = _SCHEMES.get(scheme)
    if kind is None or "://" not in url:
        schemes = ", ".join(f"{one}://" for one in _SCHEMES)
        raise ParameterError(
            f"connection: it does not begin with one of {schemes}",
            hint=_LOOKS,
        )
    try:
        parts = urlsplit(url)
        port = parts.port
        options = parse_qsl(parts.query, True, strict_parsing=True) if parts.query else []
    except ValueError:
        raise ParameterError("connection: it is no URL that can be read", hint=_LOOKS) from None
    cut = kind != "sqlite" and "@" in parts.path  # by a / in the password, where the host then ends
    if parts.fragment or cut:
        hint = (
            "in a URL # is %23, / is %2F and @ is %40; `connection_profile` takes them as they are"
        )
        where = "a @ stands in the URL behind the host" if cut else "a # stands in the URL"
        raise ParameterError(f"connection: {where}", hint=hint)
    return Target(
        kind,
        parts.hostname or "",
        port if port is not None else _PORTS.get(kind, 0),
        unquote(parts.username or ""),
        unquote(parts.password or ""),
        unquote(parts.path.removeprefix("/")),
        dict(options),
    )


def _of_profile(profile: Profile) -> Target:
    kind = _SCHEMES.get(profile.get("driver", ""))
    if kind is None:
        drivers = ", ".join(OPTIONS)
        raise ParameterError(f"connection_profile.driver: it is none of {drivers}")
    return Target(
        kind,
        profile.get("host", ""),
        profile.get("port", _PORTS.get(kind, 0)),
        profile.get("user", ""),
        profile.get("password", ""),
        profile.get("database", ""),
        profile.get("options", {}),
    )


def _checked(target: Target, source: str) -> Target:
    if target.kind == "sqlite":
        if target.host:
            hint = "three slashes stand before a file of the workspace: sqlite:///file.db"
            raise ParameterError(f"{source}: SQLite has no host", hint=hint)
    elif not target.host or not target.user:
        missing = "host" if not target.host else "user"
        raise ParameterError(f"{source}: it names no {missing}", hint=_LOOKS)
    if not 0 <= target.port < 65536:
        raise ParameterError(f"{source}: {target.port} is no port")
    if any("\0" in part for part in (target.host, target.user, target.password, target.database)):
        raise ParameterError(f"{source}: there is a NUL in it")
    for option in target.options:
        known = OPTIONS[target.kind]
        if option not in known:
            near = get_close_matches(option, known, 1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
            raise ParameterError(f"{source}: {target.kind} has no option {option!r}", hint=hint)
    return target
