"""What is random has the right form, and is not the same twice."""

import base64
import re
from collections.abc import Callable

import pytest

from gxo.runtime.errors import ExpressionError
from gxo.runtime.functions import random


@pytest.mark.parametrize(
    ("function", "form"),
    [
        (random.rand_alpha, "[A-Za-z]{40}"),
        (random.rand_numeric, "[0-9]{40}"),
        (random.rand_alpha_num, "[A-Za-z0-9]{40}"),
        (random.rand_ascii, "[ -~]{40}"),
    ],
)
def test_characters(function: Callable[[int], str], form: str) -> None:
    assert re.fullmatch(form, function(40))
    assert function(40) != function(40)
    with pytest.raises(ExpressionError, match="not -1"):
        function(-1)


def test_bytes_numbers_and_identifiers() -> None:
    assert len(base64.b64decode(random.rand_bytes(7))) == 7
    assert {random.rand_int(3, 5) for _ in range(100)} == {3, 4}
    with pytest.raises(ExpressionError, match="no int from 5 up to 5"):
        random.rand_int(5, 5)
    assert re.fullmatch(
        "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", random.uuidv4()
    )
    assert sorted(random.shuffle("hello")) == sorted("hello")
