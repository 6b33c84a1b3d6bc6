# Needs Python 3.11+, make, and the package index; everything else is set up below.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.ready
PINS := compiler/requirements/dev.txt
DEMO := docs/examples/host-report
BENCH := build/bench
BENCH_PINS := tests/bench/peers/requirements.txt
PYTHONS_RUN := tests/template tests/runtime/kernel/test_cases.py
FUZZ := build/fuzz
FUZZ_PINS := tests/fuzz/requirements.txt
FUZZ_TARGETS := playbook template
FUZZ_SECONDS := 600

# Where Python may not keep what it compiles, each of the hundreds of processes compiles it again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: setup demo test pythons environments coverage check bench proof fuzz golden docs format pins clean

setup: $(STAMP)

# The build hook needs hatchling and lark; both are among the pins, so nothing is fetched unpinned.
$(STAMP): $(PINS) pyproject.toml compiler/build_tables.py
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "gxo needs Python 3.11 or newer")'
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $(PINS)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps -e .
	touch $@

demo: setup
	@mkdir -p build
	$(BIN)/gxo compile $(DEMO)/host-report.gxo.yaml -o build/host-report.pyz
	$(PYTHON) build/host-report.pyz --outputs build/host-report
	@echo; cat build/host-report/out/report.txt

test: setup
	$(BIN)/python -m pytest -n 2

# The tests that depend on the Python most, on each other one that is installed here.
pythons: setup
	$(BIN)/python -m tests.tools.every_python $(PYTHONS_RUN) -n 2

# Their environments alone.
environments: setup
	$(BIN)/python -m tests.tools.every_python

check: setup
	$(BIN)/ruff check compiler runtime stdlib tests
	$(BIN)/ruff format --check compiler runtime stdlib tests
	$(BIN)/mypy
	$(BIN)/python tests/tools/check_limits.py
	$(BIN)/python tests/tools/check_arrows.py
	$(BIN)/python tests/tools/generate_docs.py --check

# Lines of the compiler and the runtime that the unit tests run: no example, no golden case.
coverage: setup
	$(BIN)/python -m pytest -n 2 --cov --cov-report= --ignore tests/examples --ignore tests/golden
	$(BIN)/coverage report --include 'compiler/*'
	$(BIN)/coverage report --include 'runtime/*'

# All of it, or with JOBS="J1 J5" these parts; the last figures are in docs/benchmarks.md.
bench: setup $(BENCH)/.ready
	ROUNDS=$(ROUNDS) $(BIN)/python tests/bench/run.py $(JOBS)

# Miller, jq and wrk come from Debian, where that is possible; without them their rows say "not installed".
$(BENCH)/.ready: $(BENCH_PINS)
	@if [ "$$(id -u)" = 0 ] && command -v apt-get > /dev/null; then \
	  apt-get -qq update && apt-get -qq install -y miller jq wrk || true; fi
	$(PYTHON) -m venv --clear $(BENCH)/venv
	$(BENCH)/venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $(BENCH_PINS)
	touch $@

# What takes long, with a table of its figures; the last one is in docs/proof.md.
proof: setup
	$(BIN)/python -m tests.proof.run $(PROOFS)

# Ten minutes for each target; an input that fails is written to build/fuzz.
fuzz: $(FUZZ)/.ready
	$(FUZZ)/venv/bin/python tests/fuzz/run.py $(FUZZ_TARGETS) --seconds $(FUZZ_SECONDS)

$(FUZZ)/.ready: $(FUZZ_PINS)
	$(PYTHON) -m venv --clear $(FUZZ)/venv
	$(FUZZ)/venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $(FUZZ_PINS)
	touch $@

# Rewrites the expected files under golden/; read the diff before you commit it.
golden: setup
	$(BIN)/python -m pytest tests/golden --update-golden

docs: setup
	$(BIN)/python tests/tools/generate_docs.py

format: setup
	$(BIN)/ruff check --fix compiler runtime stdlib tests
	$(BIN)/ruff format compiler runtime stdlib tests

# Renews the hash-pinned requirements from the .in files.
pins: setup
	tests/tools/renew_pins.sh

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
