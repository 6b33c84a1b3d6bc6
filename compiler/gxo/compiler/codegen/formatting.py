"""Black, for one piece of generated code at a time.

Black leaves exactly two blank lines between functions, so the pieces of a module with two between
them are what black makes of the whole.
"""

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, partial

LINE_LENGTH = 100
_BATCH = 10


@contextmanager
def formatter() -> Iterator[Callable[[str], str]]:
    """A function that gives what black makes of a text."""
    made = 0

    def formatted(text: str) -> str:
        nonlocal made
        # Black's trees are circles. What the compiler holds is not looked through for them.
        if made % _BATCH == 0:
            if made:
                gc.collect()
            gc.freeze()
        made += 1
        return _black()(text)

    try:
        yield formatted
    finally:
        gc.unfreeze()


@cache
def _black() -> Callable[[str], str]:
    import black  # heavy, and `gxo run` and `gxo validate` never need it
    from black.mode import TargetVersion

    mode = black.Mode(line_length=LINE_LENGTH, target_versions={TargetVersion.PY311})
    return partial(black.format_str, mode=mode)
