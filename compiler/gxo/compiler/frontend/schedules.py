"""When a scheduled workload runs: cron expressions and time zones, checked to the letter.

    cron: "0 25 * * *"            error[GXO0230]: 25 is no hour
             ^^

The time zones are those of the tz database that comes with gxo, so that a playbook is valid on
every host or on none.
"""

from functools import cache

from gxo.compiler.diagnostics import Diagnostics, did_you_mean
from gxo.compiler.frontend.schema import shown
from gxo.compiler.source import SourceText
from gxo.runtime.cron import CronError, parse_cron


def check_cron(text: SourceText, diags: Diagnostics) -> None:
    """Report what is no cron expression, and one that never fires."""
    if _is_template(text, diags):
        return
    try:
        cron = parse_cron(text.value)
    except CronError as error:
        word = text.value[error.start : error.end]
        near = (did_you_mean(one, error.choices) for one in (word, word.upper(), word.lower()))
        hint = next(filter(None, near), error.hint)
        diags.error("GXO0230", text.at(error.start, error.end), str(error), hint)
        return
    if not cron.fires:
        message = f'"{shown(text.value)}" never fires: no month in it has such a day'
        diags.error("GXO0231", text.span, message)


def check_timezone(text: SourceText, diags: Diagnostics) -> None:
    """Report what is no name of the tz database."""
    name, zones = text.value, _zones()
    if name in zones or _is_template(text, diags):
        return
    same = next((zone for zone in zones if zone.lower() == name.lower()), None)
    hint = f'did you mean "{same}"?' if same else did_you_mean(name, zones)
    message = f'there is no time zone "{shown(name)}"'
    hint = hint or "use a name of the tz database, such as Europe/Berlin or UTC"
    diags.error("GXO0232", text.span, message, hint)


def _is_template(text: SourceText, diags: Diagnostics) -> bool:
    if "{{" not in text.value:
        return False
    hint = "write the value itself: when a workload runs is known before anything does"
    diags.error("GXO0204", text.span, "a template cannot stand here", hint)
    return True


@cache
def _zones() -> frozenset[str]:
    from importlib.resources import files  # only playbooks that name a zone need it

    return frozenset(files("tzdata").joinpath("zones").read_text(encoding="utf-8").split())
