"""What a transfer of files gives, whichever way it goes."""

from typing import TypedDict


class Transferred(TypedDict):
    """How many `bytes` and `files` went over the wire."""

    bytes: int
    files: int
