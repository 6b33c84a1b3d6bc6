"""How a job is to be run: what the command line decides. The defaults are those of a bare start."""

from typing import Any, ClassVar


class Settings:
    """One field an option, named as it. Times in seconds; paths as given.

    inputs, vars: values by name, checked against what the job declares. secret_inputs: likewise;
    None stands for one that the secret provider is asked for.
    secrets: `env`, `dir:PATH` or `exec:CMD`. report, report_html, metrics: a file, or `-` for
    standard output. events: a file or `fd:N`. metrics_listen: host and port. rerun: names of
    workloads. workers: None is the larger of 32 and the number of cores.
    """

    OPTIONS: ClassVar = (
        "secrets",
        "dry_run",
        "diff",
        "detailed_exitcode",
        "report",
        "report_html",
        "events",
        "metrics",
        "metrics_listen",
        "journal",
        "resume",
        "rerun",
        "workspace",
        "outputs",
        "workers",
        "timeout",
        "strict",
        "log_level",
        "log_format",
        "traceback",
    )

    def __init__(self) -> None:
        self.inputs: dict[str, Any] = {}
        self.vars: dict[str, Any] = {}
        self.secret_inputs: dict[str, Any] = {}
        self.secrets = "env"
        self.dry_run = False
        self.diff = False
        self.detailed_exitcode = False
        self.report: str | None = None
        self.report_html: str | None = None
        self.events: str | None = None
        self.metrics: str | None = None
        self.metrics_listen: tuple[str, int] | None = None
        self.journal: str | None = None
        self.resume: str | None = None
        self.rerun: list[str] = []
        self.workspace: str | None = None
        self.outputs: str | None = None
        self.workers: int | None = None
        self.timeout: float | None = None
        self.strict = False
        self.log_level = "info"
        self.log_format = "text"
        self.traceback = False
