"""A playbook of any size that looks like one that people write, for measuring the compiler.

    text(1000)     1,000 workloads, five templates each

Ten workloads make a group that fetches an inventory, turns it into records, acts on each host and
reports; each group reads what the group before it registered, so references, streams and edges go all
the way through.
"""

GROUP = """\
  - name: fetch-{n}
    lifecycle: {{policy: run_once}}
    when: '{{{{ .env }}}} != "none" && {{{{ .limit }}}} > {n}'
    process:
      module: http:request
      params:
        url: "{{{{ .api }}}}/inventory/{n}"
        query: {{size: "{{{{ .limit }}}}", env: "{{{{ .env | lower }}}}"}}
        auth: {{bearer: "{{{{ secret 'API_TOKEN' }}}}"}}
    retry: {{attempts: 3, delay: 200ms}}
    register: fetched_{n}
  - name: hosts-{n}
    lifecycle: {{policy: run_once}}
    process:
      module: data:parse
      params:
        content: "{{{{ .fetched_{n}.body | default '[]' }}}}"
        format: "{{{{ if eq .env \\"prod\\" }}}}json{{{{ else }}}}csv{{{{ end }}}}"
    when: '{{{{ .env }}}} != "none" && {{{{ .limit }}}} > {n} && {{{{ .fetched_{n}.status_code }}}} == 200'
    timeout: 30s
  - name: live-{n}
    lifecycle: {{policy: run_once}}
    stream_inputs: [hosts-{n}]
    process:
      module: data:filter
      params:
        condition: "{{{{ .status == 'up' && int .load < .limit && has .region $.regions && hasPrefix .env .name && ne .name '' }}}}"
  - name: rows-{n}
    lifecycle: {{policy: run_once}}
    stream_inputs: [live-{n}]
    process:
      module: data:map
      params:
        fields:
          name: "{{{{ .name | lower }}}}"
          region: "{{{{ .region | default 'eu' }}}}"
          load: "{{{{ int .load }}}}"
          address: "{{{{ printf \\"%s.%s\\" .name .domain }}}}"
          least: "{{{{ mul .limit 2 }}}}"
  - name: report-{n}
    lifecycle: {{policy: run_once}}
    stream_inputs: [rows-{n}]
    when: "{{{{ .env }}}} != 'none'"
    process:
      module: data:format
      params:
        format: text
        format_options: {{template: '{{{{ printf "%-24s %5d" .address .load }}}} {{{{ .region }}}} {{{{ .least }}}}'}}
        path: "out/{{{{ .env }}}}-{n}.txt"
    register: report_{n}
  - name: deploy-{n}
    lifecycle: {{policy: run_once}}
    loop: "{{{{ .regions }}}}"
    loop_control: {{loop_var: region, parallel: 4}}
    when: "{{{{ .env }}}} != 'none'"
    process:
      module: exec
      params:
        command: "deploy --region {{{{ shellquote .region }}}} --count {{{{ .report_{n}.records }}}} | tee deploy.log"
        env: {{ENV: "{{{{ .env }}}}", BEFORE: "{{{{ .summary_{before}.status | default \\"none\\" }}}}"}}
    register: deployed_{n}
  - name: check-{n}
    lifecycle: {{policy: run_once}}
    when: "{{{{ .env }}}} != 'none'"
    loop: "{{{{ .deployed_{n} }}}}"
    process:
      module: control:assert
      params:
        condition: "{{{{ .item.exit_code }}}} == 0 && {{{{ .item.stdout | contains .env }}}}"
        fail_message: "{{{{ .item.stderr | trim | trunc 200 }}}} in {{{{ .env }}}}"
  - name: page-{n}
    lifecycle: {{policy: run_once}}
    when: "{{{{ .env }}}} != 'none'"
    process:
      module: filesystem:write
      params:
        path: "out/{{{{ .env }}}}/{n}.txt"
        content: |
          {{{{ .title }}}}: {{{{ len .deployed_{n} }}}} regions
          {{{{ range $i, $one := .deployed_{n} -}}}}
          {{{{ add $i 1 }}}}. {{{{ $one.stdout | trim }}}} ({{{{ $one.exit_code }}}})
          {{{{ end -}}}}
    register: page_{n}
  - name: summary-{n}
    lifecycle: {{policy: run_once}}
    when: "{{{{ .env }}}} != 'none'"
    process:
      module: control:identity
      params:
        status: "{{{{ ternary 'good' 'bad' (gt .page_{n}.bytes_written 100) }}}}"
        regions: "{{{{ .regions }}}}"
        records: "{{{{ .report_{n}.records + 1 }}}}"
        place: {{path: "{{{{ .page_{n}.path }}}}", first: "{{{{ (index .deployed_{n} 0).stdout }}}}"}}
    register: summary_{n}
  - name: notify-{n}
    lifecycle: {{policy: run_once}}
    ignore_errors: true
    when: '{{{{ and (ne .env "none") (eq ._gxo.workloads.check-{n}.status "Completed") }}}}'
    process:
      module: http:request
      params:
        url: "{{{{ .api }}}}/notify"
        method: POST
        json: {{title: "{{{{ .title }}}}", status: "{{{{ .summary_{n}.status }}}}", bytes: "{{{{ .page_{n}.bytes_written }}}}"}}
"""
HEAD = """\
name: large
schemaVersion: v1.0.0
inputs:
  api: {type: string, pattern: "https?://.+"}
  env: {enum: [dev, prod], default: dev}
  limit: {type: int, default: 80}
vars:
  title: "Report of {{ .env }}"
  regions: [eu, us, asia]
  summary_start: {status: none}
workloads:
"""


def text(workloads: int) -> str:
    """A playbook with so many workloads, a multiple of ten."""
    groups = range(workloads // 10)
    return HEAD + "".join(GROUP.format(n=n, before=n - 1 if n else "start") for n in groups)
