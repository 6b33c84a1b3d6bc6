"""What the templates of the case files can name."""

from gxo.compiler.template.ast import Root
from gxo.compiler.template.resolve import Scope
from gxo.compiler.types import ANY, BOOL, INT, TEXT, ListOf, MapOf, Shape

RESPONSE = Shape(
    "Response",
    (
        ("status_code", INT),
        ("body", TEXT),
        ("json", ANY),
        ("headers", MapOf(TEXT)),
        ("note", TEXT),
    ),
    optional=frozenset({"note"}),
)
HOST = Shape("host", (("name", TEXT), ("up", BOOL), ("disks", ListOf(TEXT))))

RECORD = Shape("record", (("limit", ANY),), frozenset({"limit"}), open=True)
NAMES = {
    root.name: root
    for root in (
        Root("input", "env", TEXT),
        Root("input", "limit", INT),
        Root("input", "flag", BOOL),
        Root("var", "api", TEXT),
        Root("var", "hosts", ListOf(HOST)),
        Root("var", "tags", MapOf(TEXT)),
        Root("var", "list", ListOf(ANY)),
        Root("register", "users", RESPONSE),
        Root("register", "raw", ANY),
        Root("loop", "host", ANY, "host"),
        Root("loop", "class", HOST, "class_"),
    )
}


def scope(record: bool = False, dot: bool = False) -> Scope:
    """The scope of the cases: `record` for per-record templates, `dot` with a response as dot."""
    return Scope(
        NAMES,
        record=RECORD if record else None,
        dot=RESPONSE if dot else None,
        dot_name="response",
        workloads=frozenset({"fetch", "my-job"}),
        system=frozenset({"status", "failure.error"}),
    )
