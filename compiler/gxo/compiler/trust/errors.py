"""How reading fails: with what is wrong with the file, and what to do."""


class ArtifactError(Exception):
    """The file cannot be read as an artifact. message: what is wrong; hint: what to do, or ""."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
