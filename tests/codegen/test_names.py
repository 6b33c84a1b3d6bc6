"""Names of a playbook hide none that its module needs."""

from tests.levels.test_levels import of_the_kernel
from tests.topologies.real import run


def test_a_loop_variable_that_is_called_as_a_module_is() -> None:
    loop = {"loop_var": "control_identity", "index_var": "a_list"}
    text = "{{ .control_identity }}{{ range list 1 .a_list }}{{ . }}{{ end }}"
    process = {"module": "control:identity", "params": {"list": text}}
    workload = {"name": "a", "lifecycle": {"policy": "run_once"}, "process": process}
    workload |= {"register": "a", "loop": "{{ list 1 now }}", "loop_control": loop}
    _, programs = of_the_kernel({"workloads": [workload]})
    for program in programs:
        observed = run(program, {})
        assert observed.error is None
        assert observed.workloads["a"]["state"][0] == {"list": "110"}
