"""The folder of `--journal`: private, locked while a job uses it.

state/              mode 0700, held with flock by the one job that uses it
  journal           mode 0600
  workspace/        mode 0700, removed when the job is Completed
"""

import fcntl
import os
from contextlib import suppress

from gxo.runtime.errors import UsageError
from gxo.runtime.host.folders import Use, is_there, private_folder
from gxo.runtime.workspace.removal import remove_tree
from gxo.runtime.workspace.workspace import ENTRIES_TO_REMOVE

JOURNAL, WORKSPACE = "journal", "workspace"
USE = Use("journal folder", "choose a folder that only you can enter, such as one with mode 0700")


class Folder:
    """A journal's folder, which this process alone uses. path: without links."""

    def __init__(self, directory: str, *, create: bool) -> None:
        """Check and lock the folder; with `create`, make it if it is missing.

        UsageError or ArtifactError when it is not there, not private, or in use.
        """
        if not create and not os.path.lexists(directory):
            raise UsageError(f"there is no folder {directory} to resume from")
        self.path = private_folder(directory, USE)
        self.descriptor = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            fcntl.flock(self.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.close()
            message = f"another job is using the journal folder {self.path}"
            raise UsageError(message, hint="wait until it has ended") from None

    @property
    def journal(self) -> str:
        """The journal's path."""
        return f"{self.path}/{JOURNAL}"

    @property
    def workspace(self) -> str:
        """The workspace's path."""
        return f"{self.path}/{WORKSPACE}"

    def has_journal(self) -> bool:
        """Whether a job has begun here."""
        return os.path.lexists(self.journal)

    def make_workspace(self) -> None:
        """Make the workspace, and all there is so far last. OSError."""
        if not is_there(self.workspace, use=USE):
            os.mkdir(WORKSPACE, 0o700, dir_fd=self.descriptor)
        os.fsync(self.descriptor)
        above = os.open(os.path.dirname(self.path), os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(above)
        finally:
            os.close(above)

    def check_workspace(self) -> None:
        """UsageError when the workspace of a job that is to go on is gone."""
        if not is_there(self.workspace, use=USE):
            raise UsageError(
                f"cannot resume: {self.workspace} is gone, and with it what the job had made",
                hint="start the job anew with another --journal",
            )

    def remove_workspace(self) -> bool:
        """Remove the workspace; whether nothing of it is left. Blocks."""
        return remove_tree(self.descriptor, WORKSPACE, ENTRIES_TO_REMOVE) is not None

    def clear(self) -> None:
        """Remove the journal and the workspace. Blocks."""
        with suppress(OSError):  # then it is told when it is in somebody's way
            os.unlink(JOURNAL, dir_fd=self.descriptor)
            self.remove_workspace()

    def close(self) -> None:
        """Give up the lock."""
        os.close(self.descriptor)
