"""The code of what `data:map` makes of a record.

fields: {total: "{{ .n * 2 }}"}, keep: true      {**record, "total": record["n"] * 2}
"""

from gxo.compiler.codegen.values import Printer
from gxo.compiler.ir.kernels import MapParts
from gxo.compiler.python_source import literal


def new_record(parts: MapParts, printer: Printer) -> str:
    """The expression for the new record, which leaves the old one as it is."""
    if parts.template is not None:
        return printer.code(parts.template, "template")
    made = ", ".join(f"{name}: {code}" for name, code in field_codes(parts, printer))
    if not parts.keep:
        return f"{{{made}}}"
    if not parts.drop:
        return f"{{**record, {made}}}"
    names = f"({', '.join(map(literal, parts.drop))},)"
    others = f"{{name: value for name, value in record.items() if name not in {names}}}"
    return f"{{**{others}, {made}}}" if made else others


def field_codes(parts: MapParts, printer: Printer) -> list[tuple[str, str]]:
    """The name and the value of each field that is made."""
    return [(literal(name), printer.code(value, name)) for name, value in parts.fields]
