"""What a test and the playbook that it includes share while they run: one `Session` a test."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gxo.runtime.testing import Test


class Session:
    """The mocks of one run of a test, and what it may touch besides them.

    test: what the playbook says.
    """

    __slots__ = ("test",)

    def __init__(self, test: "Test") -> None:
        self.test = test
