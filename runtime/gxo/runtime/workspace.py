"""The folder a job works in: fresh, private, locked while the job lives, removed when it ends."""

from collections.abc import Iterable, Mapping

from gxo.runtime.jail import Jail

Asset = tuple[str, int, bytes]
"""Workspace path, permission bits, content."""


class Workspace(Jail):
    """A jail with a lifetime."""

    @classmethod
    def create(cls, environment: Mapping[str, str]) -> "Workspace":
        """A fresh folder, mode 0700, random name, below $GXO_WORKSPACES or its defaults; locked.

        Also sweeps (a bounded amount of) what killed jobs of the same user left there.
        UsageError when no safe place for it is found.
        """
        raise NotImplementedError

    @classmethod
    def existing(cls, directory: str) -> "Workspace":
        """The folder of `--workspace DIR`, which stays. UsageError if it is no folder."""
        raise NotImplementedError

    def lay_out(self, assets: Iterable[Asset]) -> None:
        """Write the assets; UsageError if one would replace a different file that is there."""
        raise NotImplementedError

    def remove(self) -> bool:
        """Remove a fresh folder, give up its lock, and close the jail.

        Returns False if something in it could not be removed: the next job tries again. Blocks.
        """
        raise NotImplementedError
