"""Answers that come in pages: where the next one is, and the items of each."""

import re
from collections.abc import AsyncGenerator, Callable
from typing import TYPE_CHECKING, Any, TypedDict

from gxo.runtime.context import Context
from gxo.runtime.errors import ModuleError, ParameterError
from gxo.stdlib.data._json import decode
from gxo.stdlib.http._client import foreign_errors, shown
from gxo.stdlib.http._exchange import Answer, Call, exchange
from gxo.stdlib.http._fields import check_text

if TYPE_CHECKING:
    import httpx

_NAME, _VALUE = r"""[^\s=;,"]+""", r"""(?:"(?:[^"\\]|\\.)*"|[^\s;,"]*)"""
_LINK = re.compile(rf"<([^<>]*)>\s*((?:;\s*{_NAME}\s*(?:=\s*{_VALUE})?\s*)*)")
_PARAMETER = re.compile(rf";\s*({_NAME})\s*=\s*({_VALUE})")


class Pagination(TypedDict, total=False):
    """How pages follow each other: exactly one of `next_field`, `link_header` and `page_param`.

    next_field: the field of the JSON body (names joined by dots) that has the next page's address;
    the last page has null, an empty text or no such field there.
    link_header: true to follow the header `Link: <...>; rel="next"` (RFC 8288).
    page_param: the query parameter that holds the page's number, from `start` (default 1) on, until
    a page has no items; with `size`, `size_param` tells the server how many items a page has.
    items_field: the field of the body with the list of items; without it the body is the list.
    max_pages: how many pages are read at most.
    """

    next_field: str
    link_header: bool
    page_param: str
    start: int
    size_param: str
    size: int
    items_field: str
    max_pages: int


async def read_pages(
    ctx: Context, call: Call, pagination: Pagination, check: Callable[[Answer, Any], None]
) -> AsyncGenerator[tuple[Answer, list[Any]], None]:
    """Each page's answer and its items. A page without a list of items is an error.

    check: what a page and its JSON body must pass before it is asked for items.
    """
    _check(pagination)
    most = pagination.get("max_pages")
    with foreign_errors("of the first page"):
        url: httpx.URL | None = _first(call.url, pagination)
    seen: set[str] = set()
    before = b""
    number = 0
    while url is not None and number != most:
        number += 1
        if str(url) in seen:
            raise ModuleError(f"page {number} is a page that was read before: {shown(url)}")
        seen.add(str(url))
        answer = await exchange(ctx, call, url)
        where = f"page {number} of {shown(call.url)}"
        body = await ctx.offload(len(answer.body), _body, answer, where)
        check(answer, body)
        items = _items(body, pagination.get("items_field", ""), where)
        if "page_param" in pagination and items and answer.body == before:
            name = pagination["page_param"]
            raise ModuleError(
                f"{where} is the same as the one before",
                hint=f"the server does not seem to know the query parameter '{name}'",
            )
        before = answer.body
        yield answer, items
        with foreign_errors("of the next page"):
            url = _next(answer, body, items, url, pagination, number)


def _check(pagination: Pagination) -> None:
    kinds = ("next_field" in pagination, pagination.get("link_header"), "page_param" in pagination)
    if sum(map(bool, kinds)) != 1:
        raise ParameterError("pagination: give one of `next_field`, `link_header`, `page_param`")
    for key in ("page_param", "size_param"):
        check_text(f"pagination.{key}", str(pagination.get(key, "")))
    for name in ("start", "size_param", "size"):
        if name in pagination and "page_param" not in pagination:
            raise ParameterError(f"pagination.{name} goes with `page_param`")
    if ("size" in pagination) != ("size_param" in pagination):
        raise ParameterError("pagination: `size` and `size_param` go together")
    if pagination.get("max_pages", 1) < 1:
        raise ParameterError("pagination.max_pages is below 1")


def _first(url: "httpx.URL", pagination: Pagination) -> "httpx.URL":
    if "page_param" not in pagination:
        return url
    return _numbered(url, pagination, pagination.get("start", 1))


def _numbered(url: "httpx.URL", pagination: Pagination, number: int) -> "httpx.URL":
    params = {pagination["page_param"]: number}
    if "size_param" in pagination:
        params[pagination["size_param"]] = pagination["size"]
    return url.copy_merge_params(params)


def _body(answer: Answer, where: str) -> Any:
    if answer.status >= 300:
        raise ModuleError(f"{where}: the server answered {answer.status}")
    try:
        return decode(answer.text())
    except ValueError as error:
        raise ModuleError(f"{where} is no JSON: {error}") from None


def _items(body: Any, field: str, where: str) -> list[Any]:
    found = select(body, field) if field else body
    if isinstance(found, list):
        return found
    if field:
        raise ModuleError(f"{where} has no list at '{field}' (pagination.items_field)")
    hint = "say in pagination.items_field where in the body its items are"
    raise ModuleError(f"{where} is no list", hint=hint)


def select(body: Any, field: str) -> Any:
    """The value at a path of names joined by dots; None where it leads nowhere."""
    for name in field.split("."):
        if not isinstance(body, dict):
            return None
        body = body.get(name)
    return body


def _next(
    answer: Answer,
    body: Any,
    items: list[Any],
    url: "httpx.URL",
    pagination: Pagination,
    number: int,
) -> "httpx.URL | None":
    if "page_param" in pagination:
        following = pagination.get("start", 1) + number
        return _numbered(url, pagination, following) if items else None
    link = next_link(answer.headers.get("link", ""))
    if "next_field" in pagination:
        link = select(body, pagination["next_field"])
        if link is not None and not isinstance(link, str):
            field = pagination["next_field"]
            raise ModuleError(f"pagination.next_field: '{field}' holds no address")
    return answer.url.join(link) if link else None


def next_link(links: str) -> str | None:
    """The target of the first link to the next page (RFC 8288, section 3).

    </a?x=1,2>; title="a, b"; rel="next last", </b>; rel=prev     ->  /a?x=1,2
    """
    for link in _LINK.finditer(links):
        for name, value in _PARAMETER.findall(link[2]):
            if name.lower() == "rel":
                if "next" in value.strip("\"'").lower().split():
                    return link[1]
                break  # of several, the first counts
    return None
