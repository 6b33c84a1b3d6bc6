r"""ruamel.yaml's reading of a text, with the tabs that YAML allows, and by stretches of characters.

before:  "port:\t80\t# the usual one"      refused: a tab "cannot start any token"
after:   {"port": 80}

It looks at each character several times; what is done for stretches of them here does the same in
half the time. Neither PyYAML's C parser (libyaml) nor any other in C gives the same results: they
read YAML 1.1, where `{"a":1}` in a list, a document behind `...` and U+2028 mean something else or
nothing at all. And only an artifact linked with `--native` could have them.
"""

import re
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.parser import Parser
from ruamel.yaml.reader import Reader
from ruamel.yaml.scanner import Scanner, ScannerError
from ruamel.yaml.tokens import ScalarToken

_BREAKS = "\r\n\x85\u2028\u2029"
_END = rf"\0{_BREAKS}"
_COMMENT = rf"(?:#[^{_END}]*+)?"
_SPACES = re.compile(" *+")
_WHITE = re.compile(r"[ \t]*+")
_TO_TOKEN = re.compile(rf" *+{_COMMENT}")
_TO_TOKEN_IN_LINE = re.compile(rf"[ \t]*+{_COMMENT}")
_TO_END = re.compile(rf"[ \t]*+{_COMMENT}(?=[{_END}])")
# A group keeps something of each time it is repeated: a thousand are one for the group around it.
_PLAIN = re.compile(rf"(?>(?:[^{_END} \t:]++|:(?![{_END} \t])){{1,1000}})*")
_PLAIN_IN_BRACKETS = re.compile(rf"(?>(?:[^{_END} \t:,\[\]{{}}]++|:(?![{_END} \t])){{1,1000}})*")
_BLOCK_HEAD = re.compile(r"[^\n\0]*+\n(?: *+\r?\n)* *+")
_DOCUMENT_MARK = re.compile(r"^(?:---|\.\.\.)(?!\S)", re.MULTILINE)


def events(stream: Any) -> Any:
    """What stands in the text that the stream's `read` gives, event by event."""
    yaml = YAML(typ="safe", pure=True)
    yaml.Reader, yaml.Scanner, yaml.Parser = _Reader, _Scanner, _Parser
    return yaml.parse(stream)


class _Reader(Reader):
    """The text, of which the characters are known to be YAML's."""

    def check_printable(self, data: Any) -> None:
        pass

    def forward(self, length: int = 1) -> None:
        end = self.pointer + length
        if end + 1 >= len(self.buffer):
            self.update(length + 1)
            end = self.pointer + length
        if length > 1 and self.buffer[self.pointer : end].isprintable():
            self.pointer = end
            self.index += length
            self.column += length
        else:
            super().forward(length)

    def pass_over(self, pattern: re.Pattern[str]) -> str:
        """Go on behind what the pattern matches, and return that."""
        text = self.ahead(pattern) or ""
        if text:
            self.forward(len(text))
        return text

    def ahead(self, pattern: re.Pattern[str]) -> str | None:
        """What the pattern matches from here on; it may look at one character more."""
        while True:
            found = pattern.match(self.buffer, self.pointer)
            end = self.pointer if found is None else found.end()
            if end + 1 < len(self.buffer) or self.raw_buffer is None:
                return None if found is None else found[0]
            self.update(len(self.buffer) - self.pointer + 1)


class _Parser(Parser):
    def __init__(self, loader: Any) -> None:
        self.scanner = loader.scanner
        super().__init__(loader)

    scanner: Any = None  # no property: it is asked for at every turn


class _Scanner(Scanner):
    reader: Any = None
    scanner_processing_version = (1, 2)

    def __init__(self, loader: Any) -> None:
        self.reader = loader.reader
        super().__init__(loader)

    def check_token(self, *choices: type) -> bool:
        while self.need_more_tokens():
            self.fetch_more_tokens()
        return bool(self.tokens) and (not choices or isinstance(self.tokens[0], choices))

    def need_more_tokens(self) -> bool:
        if self.done or not self.tokens or not self.possible_simple_keys:
            return not self.done and not self.tokens
        self.stale_possible_simple_keys()
        return bool(self.next_possible_simple_key() == self.tokens_taken)

    def scan_yaml_directive_value(self, start_mark: Any) -> tuple[int, int]:
        """Any 1.x is read as 1.2, which is what the language page says that YAML is."""
        major, minor = super().scan_yaml_directive_value(start_mark)
        return (1, 2) if major == 1 else (major, minor)

    def scan_to_next_token(self) -> None:
        """Go on behind blanks, line breaks and comments. Tabs do not indent."""
        reader = self.reader
        while True:
            may_be_tab = self.flow_context or not self.allow_simple_key
            reader.pass_over(_TO_TOKEN_IN_LINE if may_be_tab else _TO_TOKEN)
            if reader.peek() == "\t":
                reader.pass_over(_TO_END)
            if not self.scan_line_break():
                return
            if not self.flow_context:
                self.allow_simple_key = True

    def scan_block_scalar(self, style: str, rt: bool | None = False) -> ScalarToken:
        """A text below `|` or `>`. One that is not indented would go on over a document's end."""
        first = self.reader.ahead(_BLOCK_HEAD) or ""
        start = self.reader.get_mark()
        token: ScalarToken = super().scan_block_scalar(style, rt)
        if self.indent < 0 and first.endswith("\n") and _DOCUMENT_MARK.search(token.value):
            raise ScannerError(
                None, None, "indent the text: it holds a --- or ... of its own", start
            )
        return token

    def scan_plain(self) -> ScalarToken:
        """A text without quotes, which may go on in lines that are indented more."""
        reader = self.reader
        start = end = reader.get_mark()
        indent = self.indent + 1
        pattern = _PLAIN_IN_BRACKETS if self.flow_context else _PLAIN
        chunks: list[str] = []
        spaces: list[str] = []
        while reader.peek() != "#" and (text := reader.ahead(pattern)):
            self.allow_simple_key = False
            chunks += spaces
            chunks.append(text)
            reader.forward(len(text))
            end = reader.get_mark()
            spaces = self.scan_plain_spaces(indent, start)
            if not spaces or (not self.flow_context and reader.column < indent):
                break
        return ScalarToken("".join(chunks), True, start, end)

    def scan_plain_spaces(self, indent: int, _: Any) -> list[str]:
        """What stands for the blanks and line breaks within such a text; nothing where it ends."""
        reader = self.reader
        white = reader.pass_over(_WHITE)
        if reader.peek() not in _BREAKS:
            return [white] if white else []
        first = self.scan_line_break()
        self.allow_simple_key = True
        breaks: list[str] = []
        while True:
            if self.check_document_start() or self.check_document_end():
                return []
            reader.pass_over(_SPACES)
            if self.flow_context or reader.column >= indent:
                reader.pass_over(_WHITE)
            if reader.peek() not in _BREAKS:
                break
            breaks.append(self.scan_line_break())
        if first != "\n":
            return [first, *breaks]
        return breaks or [" "]
