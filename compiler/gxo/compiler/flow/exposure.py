"""Where a secret may not arrive: everything that others can see.

    url: "{{ .api }}?key={{ secret 'KEY' }}"    warning, with the way that it took:
    note: the secret `KEY` is named here

Redaction keeps a secret out of what gxo itself says. It cannot keep it out of the host's list of
processes, a proxy's log, a folder's listing.
"""

import re

from gxo.compiler.diagnostics import Diagnostics
from gxo.compiler.flow.marks import Kind
from gxo.compiler.flow.templates import Printed
from gxo.compiler.flow.trace import Arrival
from gxo.compiler.template import ast

ON_COMMAND_LINE, IN_URL, IN_FILE_NAME = "GXO0805", "GXO0806", "GXO0807"
IN_MESSAGE, IN_LABEL = "GXO0808", "GXO0809"
_SEEN = "a secret reaches a command line, where other users of the host can see it"
_PROCESS = "pass it in the environment, or on the standard input of `exec`"
_AUTHORITY = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*")


def check(arrival: Arrival, diagnostics: Diagnostics) -> None:
    """Report the secrets that arrive where others can see them."""
    for printed in arrival.printed:
        if Kind.SECRET in printed.flow.whole and not _is_address(arrival, printed):
            _report(arrival, printed, diagnostics)


def _report(arrival: Arrival, printed: Printed, diagnostics: Diagnostics) -> None:
    span, place = printed.span, arrival.place
    notes = printed.flow.whole[Kind.SECRET]
    match arrival.use:
        case "command" | "argument" | "shell":
            diagnostics.warning(ON_COMMAND_LINE, span, _SEEN, _PROCESS, notes, place=place)
        case "url" | "query":
            message = "a secret reaches the path or query of an address, which servers log"
            hint = "send it in a header or in the body, as `auth` does"
            diagnostics.warning(IN_URL, span, message, hint, notes, place=place)
        case "file":
            message = "a secret reaches the name of a file, which every listing shows"
            hint = "name the file by something else, such as {{ sha256sum (...) }}"
            diagnostics.warning(IN_FILE_NAME, span, message, hint, notes, place=place)
        case "message":
            message = "a secret reaches a message, which goes into logs and reports"
            hint = "say which secret it is, not what it is"
            diagnostics.warning(IN_MESSAGE, span, message, hint, notes, place=place)
        case "label":
            message = "a secret reaches a name or label, which is there for others to read"
            diagnostics.warning(IN_LABEL, span, message, "use another name", notes, place=place)


def _is_address(arrival: Arrival, printed: Printed) -> bool:
    """Whether the secret says where to go, and not what to ask for there: it stands in
    `https://user:password@host`, before path and query, or is an address itself."""
    template = arrival.template
    if arrival.use != "url" or not isinstance(template, ast.Template):
        return False
    before = ""
    for node in template.nodes:
        if node is printed.node:
            whole = not before.strip() and Kind.SECRET_PART not in printed.flow.whole
            return whole or _AUTHORITY.fullmatch(before) is not None
        before += node.value if isinstance(node, ast.Text) else "\0"
    return False
