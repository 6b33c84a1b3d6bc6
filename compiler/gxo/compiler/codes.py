"""The table of diagnostic codes: every finding of the compiler, with a title of one line.

01 file and YAML, 02 structure, 03 names and references, 04 templates, 05 modules and parameters,
06 graph, 07 types, 08 secrets, 09 packaging and output. A code keeps its meaning for good.
"""

CODES: dict[str, str] = {
    # 01: file and YAML
    "GXO0101": "the file is empty",
    "GXO0102": "the file is not UTF-8",
    "GXO0103": "the file is binary",
    "GXO0104": "the file is too large",
    "GXO0105": "a character that is not allowed",
    "GXO0106": "not valid YAML",
    "GXO0107": "a tab as indentation",
    "GXO0108": "more than one document",
    "GXO0109": "nested too deep",
    "GXO0110": "too many values",
    "GXO0111": "a duplicate key",
    "GXO0112": "a key that is not a text",
    "GXO0113": "a YAML tag",
    "GXO0114": "an unknown anchor",
    "GXO0115": "an alias inside its own anchor",
    "GXO0116": "a merge key without a map",
    "GXO0117": "a number with too many digits",
    "GXO0118": "a text that other YAML readers take for something else (warning)",
    "GXO0119": "a template without quotes",
    # 02: structure
    "GXO0201": "an unknown key",
    "GXO0202": "a missing key",
    "GXO0203": "a value of the wrong type",
    "GXO0204": "a value that is not allowed",
    "GXO0205": "not a map at top level",
    "GXO0206": "a part of the language that this version does not support yet",
    "GXO0207": "keys that exclude each other",
    "GXO0208": "a duration that is not one",
    "GXO0209": "a name listed twice",
    "GXO0210": "a path that leaves its folder",
    "GXO0211": "an input's default or choice that does not fit its declaration",
    "GXO0212": "max_delay below delay",
    "GXO0213": "no name (warning)",
    "GXO0214": "no schemaVersion (warning)",
    "GXO0215": "loop_control without loop (warning)",
    # 03: names and references
    "GXO0310": "two workloads of one name",
    "GXO0311": "two workloads with one register",
    "GXO0312": "one name for two of inputs, vars and registers",
    "GXO0313": "a reserved name",
    "GXO0314": "a loop variable that hides another name (warning)",
}
