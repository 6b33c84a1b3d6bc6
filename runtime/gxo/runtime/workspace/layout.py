"""The workspace's beginning and end: assets in, outputs out."""

from typing import TYPE_CHECKING

from gxo.runtime.bundle import ASSETS, manifest
from gxo.runtime.errors import GxoError
from gxo.runtime.workspace.workspace import Workspace

if TYPE_CHECKING:
    from gxo.runtime.kernel.run import Run


def make_workspace(run: "Run") -> Workspace:
    """A fresh workspace, or that of `--workspace`, with the assets in it. Blocks."""
    directory = run.settings.workspace
    workspace = Workspace.existing(directory) if directory else Workspace.create(run.environment)
    had_assets = run.journal is not None and run.journal.has_assets
    if run.job.assets and run.bundle is not None and not had_assets:
        bundle = run.bundle
        assets = (
            (
                asset["path"],
                0o755 if asset["executable"] else 0o644,
                bundle.read(ASSETS + asset["path"]),
            )
            for asset in manifest(bundle)["assets"]
        )
        try:
            if directory and run.forecast is not None:
                run.forecast.lay_out(workspace, assets)
            else:
                workspace.lay_out(assets)
        except BaseException:
            workspace.remove()
            raise
    return workspace


def leave_workspace(run: "Run", workspace: Workspace) -> None:
    """Copy the outputs out, and remove a fresh workspace. Blocks."""
    if run.job.outputs and run.forecast is None:
        from gxo.runtime.workspace.outputs import copy_out

        try:
            copied = copy_out(workspace, run.job.outputs, run.settings.outputs or ".")
        except (GxoError, OSError) as error:
            run.fail(f"the outputs could not be copied: {run.explain(error)}")
        else:
            for path in copied:
                run.log.write("info", f"output: {path}")
    if not workspace.remove():
        run.log.write("warning", f"the workspace {workspace.path} could not be removed")
