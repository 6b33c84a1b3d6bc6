"""What a diff does not show, though a playbook says it: passwords and the like.

{url: "postgresql://app:hunter2@db-1/orders"}    postgresql://app:********@db-1/orders
{auth: {bearer: abc}}                            ********: the parameter is a secret
{headers: {X-Api-Key: abc}}                      ********: its name says so
{environment: ["PGPASSWORD=abc"]}                PGPASSWORD=********
"""

import re
from collections.abc import Iterator

from gxo.compiler.types import ANY, ListOf, MapOf, OnDot, OneOf, PerRecord, Shape, Special, Type

HIDDEN = "********"
_SECRET = Special("Secret")
_WORDS = r"(?:password|passwd|passphrase|secret|token|api_?key|private_?key|credentials?)"
_NAME = re.compile(rf"{_WORDS}$|(?:^|_)pass$|^authorization$|^cookie$", re.IGNORECASE)
_USER = re.compile(r"(://[^\s/:@\"'{}]*:)[^\s/@\"'{}]+(@)")
_GIVEN = re.compile(rf"({_WORDS}\s*=\s*)(?![{{$\s])[^\s&\"',;]+", re.IGNORECASE)


def is_hidden(name: str, kind: Type) -> bool:
    """Whether a constant of this name and type is for nobody to see."""
    return _SECRET in _options(kind) or bool(_NAME.search(name.replace("-", "_")))


def without_credentials(text: str) -> str:
    """The text without passwords in addresses, and without values of names such as `token=`."""
    return _GIVEN.sub(rf"\g<1>{HIDDEN}", without_users(text))


def without_users(text: str) -> str:
    """The text without passwords in addresses."""
    return _USER.sub(rf"\g<1>{HIDDEN}\g<2>", text)


def part(kind: Type, key: str) -> Type:
    """The type of an element of a list, or of what is under a map's key, as far as it is known."""
    for option in _options(kind):
        match option:
            case Shape():
                if (field := option.field(key)) is not None:
                    return field
            case ListOf(item) | MapOf(item):
                return item
    return ANY


def _options(kind: Type) -> Iterator[Type]:
    match kind:
        case OneOf(options):
            for option in options:
                yield from _options(option)
        case PerRecord(item) | OnDot(_, item):
            yield from _options(item)
        case _:
            yield kind
