"""Which response a request gets, and what is wrong with one that gets none.

handlers: [{request: {path: /users/1}, response: {status_code: 200}}]      GET /user/1

no handler is for GET "/user/1"
  handler 1 (/users/1) is the nearest; it differs in
    the path
      expected: "/users/1"
      actual:   "/user/1"
"""

import json
import math
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Any, NamedTuple

from gxo.runtime.context import Context
from gxo.runtime.errors import ExpressionError, ModuleError, ParameterError
from gxo.runtime.regex import compile_pattern, matches_whole
from gxo.runtime.spec import Record
from gxo.stdlib._sizes import shown_text
from gxo.stdlib.http._answers import Answer, make_answer
from gxo.stdlib.http._bodies import plain_values

if TYPE_CHECKING:
    from gxo.stdlib.test.mock_http_server import MockedRequest, MockedResponse, MockHandler

LONGEST = 300
"""Characters of a value that a message shows."""

COMPARED = 200
"""Characters of two paths by which the nearest handler is found."""


class Response(NamedTuple):
    """An answer, and the seconds that it takes."""

    answer: Answer
    delay: float


class Difference(NamedTuple):
    """A part of a request that is not as expected. name: of a header or a parameter. relation:
    between the actual and the expected value, where that is not that both are the same.
    """

    part: str
    expected: Any
    actual: Any
    name: str = ""
    relation: str = ""


class Handler:
    """One of the playbook's. number: from 1. times: for how many requests it is. came: so many."""

    def __init__(self, number: int, given: "MockHandler") -> None:
        self.number = number
        self.times = given.get("times", math.inf)
        self.came = 0
        try:
            if self.times < 0:
                raise ParameterError(f"`times` is {self.times}: it is at least 0")
            self.request = _checked(given["request"])
            self.response = _response(given.get("response", {}))
        except ParameterError as error:
            message = f"handler {number}: {error.message}"
            raise ParameterError(message, hint=error.hint) from None

    def __str__(self) -> str:
        path = self.request.get("path", self.request.get("path_regex", "any path"))
        return " ".join(filter(None, [self.request.get("method", "").upper(), path]))

    def differences(self, record: Record) -> Iterator[Difference]:
        """What of a request is not as this one expects; of `times` only when all else is."""
        found = False
        for difference in self._differences(record):
            found = True
            yield difference
        if not found and self.came >= self.times:
            yield Difference("the number of requests", self.times, self.times + 1)

    def _differences(self, record: Record) -> Iterator[Difference]:
        request, path = self.request, record["path"]
        if "method" in request and request["method"].upper() != record["method"].upper():
            yield Difference("the method", request["method"].upper(), record["method"])
        if "path" in request and request["path"] != path:
            yield Difference("the path", request["path"], path)
        if "path_regex" in request and not matches_whole(request["path_regex"], path):
            yield Difference("the path", request["path_regex"], path, relation="matches ")
        for name, value in request.get("headers", {}).items():
            if (actual := record["headers"].get(name.lower())) != value.strip():
                yield Difference(f"the header {name}", value, actual, name)
        for name, value in request.get("query", {}).items():
            if (actual := record["query_params"].get(name)) != value:
                yield Difference(f"the parameter {name}", value, actual, name)
        part = request.get("body_contains", "")
        if part not in record["body"]:
            yield Difference("the body", part, record["body"], relation="contains ")


class Handlers:
    """All of a server's, in order."""

    def __init__(self, ctx: Context, given: Sequence["MockHandler"]) -> None:
        self._ctx = ctx
        self._all = [Handler(number, one) for number, one in enumerate(given, 1)]

    async def response_to(self, record: Record) -> Response:
        """The response of the first handler that the request fits.

        ModuleError when there is none: what came, and what was expected.
        """
        size = len(record["body"])
        while (handler := await self._ctx.offload(size, self._first_for, record)) is not None:
            if handler.came < handler.times:  # or another request was faster meanwhile
                handler.came += 1
                return handler.response
        raise ModuleError(await self._ctx.offload(size, self._unexpected, record))

    def missed(self) -> str:
        """What to say of requests that did not come; empty when all did."""
        missed = [one for one in self._all if one.came < one.times < math.inf]
        lines = [f"{len(missed)} of {len(self._all)} handlers had fewer requests than `times` says"]
        for handler in missed:
            lines.append(f"  handler {handler.number} ({handler})")
            lines += [f"      expected: {handler.times}", f"      actual:   {handler.came}"]
        return "\n".join(lines) if missed else ""

    def _first_for(self, record: Record) -> Handler | None:
        return next((one for one in self._all if not any(one.differences(record))), None)

    def _unexpected(self, record: Record) -> str:
        came = f"{record['method']} {self._shown(record['path'])}"
        if record["query_params"]:
            came += f" with the query {self._shown(record['query_params'])}"
        lines = [f"no handler is for {came}"]
        if self._all:
            nearest = min(self._all, key=lambda one: _distance(one, record))
            lines.append(f"  handler {nearest.number} ({nearest}) is the nearest; it differs in")
            for different in nearest.differences(record):
                lines += self._told(different)
        return "\n".join(lines)

    def _told(self, different: Difference) -> list[str]:
        expected = self._text(different.expected, different.name)
        actual = self._text(different.actual, different.name)
        if not different.relation and min(len(expected), len(actual)) > LONGEST:
            from gxo.runtime.testing.difference import around  # start-up: only for failures

            expected, actual = around(expected, actual)
        return [
            f"    {different.part}",
            f"      expected: {different.relation}{_cut(expected)}",
            f"      actual:   {_cut(actual)}",
        ]

    def _shown(self, value: Any) -> str:
        return _cut(self._text(value))

    def _text(self, value: Any, name: str = "") -> str:
        """A value without secrets, and none under a name such as Authorization."""
        if value is None:
            return "nothing"
        redacted = self._ctx.redact({name: value})[name]
        return json.dumps(redacted, ensure_ascii=False).encode(errors="replace").decode()


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


def _distance(handler: Handler, record: Record) -> tuple[int, float]:
    """How far a handler is from a request: the parts that differ, then how unlike the paths are."""
    expected, path = handler.request.get("path", "")[:COMPARED], record["path"][:COMPARED]
    likeness = SequenceMatcher(None, expected, path, autojunk=False).ratio()
    return sum(1 for _ in handler.differences(record)), -likeness


def _checked(given: "MockedRequest") -> "MockedRequest":
    """A request with values as those of records. ParameterError when there can be none such."""
    request = given.copy()
    if "path" in request and "path_regex" in request:
        raise ParameterError("give one of `path` and `path_regex`")
    path = request.get("path", "/")
    if not path.startswith(("/", "*")) or "?" in path or "#" in path:
        raise ParameterError(
            f"`path` is {shown_text(path)}: it begins with / and has no query in it",
            hint="give what comes after the `?` as `query`",
        )
    if "path_regex" in request:
        try:
            compile_pattern(request["path_regex"])
        except ExpressionError as error:
            raise ParameterError(f"path_regex: {error.message}", hint=error.hint) from None
    if "query" in request:
        query = plain_values("query", request["query"])
        request["query"] = {name: _texts(value) for name, value in query.items()}
    return request


def _texts(value: Any) -> str | list[str]:
    """The value of a query's parameter as text; one that comes once is no list."""
    if isinstance(value, list):
        texts = [str(_texts(each)) for each in value]
        return texts[0] if len(texts) == 1 else texts
    return "" if value is None else str(value)


def _response(given: "MockedResponse") -> Response:
    """ParameterError when it cannot be sent."""
    delay = given.get("delay", 0.0)
    if delay < 0:
        raise ParameterError(f"`delay` is {delay}: it is at least 0")
    answer = make_answer(
        given.get("status_code", 200),
        given.get("headers"),
        given.get("body"),
        given.get("json"),
        "string",
    )
    return Response(answer, delay)
