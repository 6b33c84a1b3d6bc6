r"""logfmt: a record a line, of words that each name a field.

before:  level=info msg="say \"hi\"" cached
after:   {"level": "info", "msg": 'say "hi"', "cached": True}
"""

import json
import re
from collections.abc import Iterator

from gxo.runtime.spec import Record
from gxo.stdlib.data._formats.slices import by_line
from gxo.stdlib.data._text import Slice

# Nothing is matched twice: each part takes all that it can. A group keeps something of each time it
# is repeated, so a long text's are gathered a thousand at a time.
_WORD = re.compile(
    r'[ \t]*+(?P<key>[^ \t="]++)'
    r'(?:=(?:(?P<bare>[^ \t"]++)|"(?P<quoted>(?>(?:[^"\\]++|\\.){1,1000})*)"|))?(?![^ \t])',
    re.DOTALL,
)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_JSON_ESCAPES = frozenset('"\\/bfnrtu')


def read_logfmt(pieces: Iterator[bytes]) -> Iterator[Slice]:
    """A record a line; blank lines are passed over."""
    return by_line(pieces, _fields)


def _fields(line: str) -> Record | None:
    record: Record = {}
    end = len(line.rstrip(" \t"))
    at = 0
    while at < end:
        word = _WORD.match(line, at)
        if word is None:
            raise ValueError(f'column {at + 1}: not a field such as key=value or key="a value"')
        key, bare, quoted = word.group("key", "bare", "quoted")
        if key in record:
            raise ValueError(f"the field '{key[:50]}' is there twice")
        if quoted is not None:
            record[key] = _unescaped(quoted) if "\\" in quoted else quoted
        elif bare is not None:
            record[key] = bare
        else:
            record[key] = "" if line[word.end() - 1] == "=" else True
        at = word.end()
    return record or None


def _unescaped(quoted: str) -> str:
    """The text that JSON's escapes stand for; any other escaped character is itself."""
    plain = _ESCAPE.sub(lambda found: found[found[1] not in _JSON_ESCAPES], quoted)
    try:
        text = str(json.JSONDecoder(strict=False).decode(f'"{plain}"'))
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("a lone surrogate (\\ud800 to \\udfff) is no character") from None
    except json.JSONDecodeError:
        raise ValueError("\\u is followed by four hexadecimal digits") from None
    return text
