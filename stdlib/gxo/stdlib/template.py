"""Text from a template that is compiled into the job."""

# Every module takes the context, whether it needs it or not; a file that is named by `asset` is a
# `template` once the playbook is compiled:
# ruff: noqa: ARG001

from collections.abc import Mapping
from typing import Any, TypedDict

from gxo.runtime.context import Context
from gxo.runtime.errors import ParameterError
from gxo.runtime.spec import On, module


class Rendered(TypedDict):
    rendered: str


@module(
    "template:render",
    idempotent=True,
    one_of=["template", "asset"],
    returns={"rendered": ["template"]},
)
async def render(
    ctx: Context,
    *,
    template: On[Mapping[str, Any], str] | None = None,
    asset: str | None = None,
    vars_: Mapping[str, Any] | None = None,
) -> Rendered:
    """Render a template, such as a configuration file, into the summary.

    The template is compiled with the playbook, so that it is checked before anything runs: a name
    that is neither in `vars` nor outside is an error, with its place in the template's file. A job
    holds the Python that was made of it, and no template.

    In it the dot is `vars`, and `.name` is what `vars` has under that name, or else the input, var
    or register of that name. All of the template language is there: `range`, `if`, `define`, the
    functions. In a template file `${NAME}` is just text, as shells and configuration files have it;
    in the playbook it is a secret, as in any parameter.

    A template that is only known when the job runs is refused: who could write it would decide what
    the job reads.

    Args:
        template: The text of the template.
        asset: A template file below the playbook's folder; it need not be listed in `assets`.
        vars_: What the template sees: a map that is written out, whose values may be templates.

    Returns:
        `rendered`, the text.

    Raises:
        ExpressionError: a value that is missing where it is printed, or a function that fails.

    Example:
        name: site-config
        lifecycle: {policy: run_once}
        process:
          module: template:render
          params:
            template: |
              server_name {{ .host }};
              {{- range .ports }}
              listen {{ . }};
              {{- end }}
            vars:
              host: shop.example.org
              ports: [80, 8080]
        register: site_config
    """
    if template is None:
        raise ParameterError("`template` is not given")
    return {"rendered": template(dict(vars_ or {}))}
