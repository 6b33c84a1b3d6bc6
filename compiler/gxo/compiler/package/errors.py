"""How packaging fails: what the user can do something about, with a code for the diagnostic."""


class PackageError(Exception):
    """Packaging could not be done; nothing was written, and an artifact of before still stands.

    code: one of the table in `gxo.compiler.codes`.
    """

    def __init__(self, code: str, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
