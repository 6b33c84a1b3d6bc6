"""One line of the table of `make proof`."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """What was counted or measured, and the most that it may be (None: it is only told)."""

    what: str
    value: float
    most: float | None = None

    @property
    def holds(self) -> bool:
        return self.most is None or self.value <= self.most

    def row(self, proof: str, seconds: float) -> str:
        most = "" if self.most is None else f"{self.most:,}"
        verdict = "" if self.most is None else ("ok" if self.holds else "MISSED")
        return f"| {proof} | {self.what} | {round(self.value, 1):,} | {most} | {verdict} | {seconds:.0f} |"
