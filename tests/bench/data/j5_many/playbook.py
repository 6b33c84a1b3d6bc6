"""J5: a playbook of 1,000 pipelines, each of which sums up one small file as J1 does the large one."""

PIPELINE = """\
  - name: parse-{n}
    lifecycle: {{policy: run_once}}
    process: {{module: data:parse, params: {{path: parts/{n}.jsonl, format: jsonl}}}}
  - name: active-{n}
    lifecycle: {{policy: run_once}}
    stream_inputs: [parse-{n}]
    process: {{module: data:filter, params: {{condition: "{{{{ .status == 'active' }}}}"}}}}
  - name: amount-{n}
    lifecycle: {{policy: run_once}}
    stream_inputs: [active-{n}]
    process:
      module: data:map
      params:
        fields:
          team: "{{{{ .team }}}}"
          amount: "{{{{ .price * .quantity }}}}"
  - name: totals-{n}
    lifecycle: {{policy: run_once}}
    stream_inputs: [amount-{n}]
    process:
      module: data:aggregate
      params:
        group_by_fields: [team]
        aggregate_fields:
          - {{name: orders, op: count}}
          - {{name: amount, op: sum, source_field: amount}}
  - name: written-{n}
    lifecycle: {{policy: run_once}}
    stream_inputs: [totals-{n}]
    process: {{module: data:format, params: {{format: json, path: "totals/{n}.json"}}}}
"""
HEAD = """\
name: many
schemaVersion: v1.0.0
workloads:
"""


def text(pipelines: int) -> str:
    return HEAD + "".join(PIPELINE.format(n=f"{number:04}") for number in range(pipelines))
