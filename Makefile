# callgrade. `make help` lists the targets. Every target makes its own virtual environment when it is missing.

PYTHON ?= python3
VENV ?= .venv
# PyTorch's own index of CPU wheels. Elsewhere the same pin brings gigabytes of CUDA. Set it empty for a GPU build.
TORCH_INDEX ?= https://download.pytorch.org/whl/cpu
TORCH = torch==2.13.0

BIN = $(VENV)/bin
PIP = $(BIN)/python -m pip --disable-pip-version-check
INPUTS = pyproject.toml constraints.txt
TESTS ?= tests
# Half of the time a test waits: for a process to die, a browser, a time-out.
WORKERS ?= $(shell expr $$(getconf _NPROCESSORS_ONLN) \* 3 / 2)

.DEFAULT_GOAL := help
.PHONY: help demo demo-llm test check smoke lint format bench clean

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

demo: $(VENV)/.asr ## Transcribe and score the sample recordings, offline (two minutes of downloads the first time)
	$(BIN)/callgrade demo

demo-llm: $(VENV)/.llm ## Judge a call with a small model on this machine, to show that path without a key
	$(BIN)/python -m evals.demo_llm

test: $(VENV)/.dev ## Lint, types, layers, rubrics, prompts and all tests
	$(MAKE) --no-print-directory check
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(TESTS)
	$(MAKE) --no-print-directory smoke

check: $(VENV)/.dev ## What needs no test run: lint, types, layers, rubric and prompt files
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/callgrade rubric lint rubrics
	$(BIN)/callgrade prompt lint prompts

lint: check

smoke: $(VENV)/.dev ## Build the wheel, install it alone in a fresh environment, score a transcript there
	rm -rf build/smoke
	$(BIN)/python -m build --no-isolation --outdir build/smoke . >/dev/null
	$(PYTHON) -m venv build/smoke/venv
	build/smoke/venv/bin/python -m pip --disable-pip-version-check install -q -c constraints.txt build/smoke/*.whl
	cd build/smoke && venv/bin/callgrade score ../../examples/calls/call.txt --rubric telesales-misconduct --json > card.json
	build/smoke/venv/bin/python tests/smoke.py build/smoke/card.json

format: $(VENV)/.dev ## Put the code in order
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.dev ## Measure judging and the service against a mock model server (half an hour, 4 GB of disk)
	$(BIN)/python -m evals.bench
	$(BIN)/python -m evals.bench.service
	$(BIN)/python -m evals.bench.intake
	$(BIN)/python -m evals.bench.lists
	$(BIN)/python -m evals.bench.statistics

clean: ## Remove what the other targets made
	rm -rf $(VENV) build dist callgrade-demo .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "callgrade needs Python 3.11 or newer: make PYTHON=python3.11 …")'
	$(PYTHON) -m venv $(VENV)

# The index is asked once, briefly and without retries: a machine that cannot reach it loses seconds, not minutes.
define install_torch
	@extra=""; \
	if [ -n "$(TORCH_INDEX)" ] && ! $(BIN)/python -c 'import torch' 2>/dev/null; then \
		if $(BIN)/python -m pip --isolated index versions torch --index-url $(TORCH_INDEX) --retries 0 --timeout 5 >/dev/null 2>&1; \
		then extra="--extra-index-url $(TORCH_INDEX)"; \
		else echo "note: $(TORCH_INDEX) cannot be reached; taking torch from the usual index"; fi; \
	fi; \
	echo "installing $(TORCH) (about 200 MB)"; $(PIP) install -q $$extra "$(TORCH)" -c constraints.txt
endef

$(VENV)/.asr: $(INPUTS) | $(BIN)/python
	$(install_torch)
	$(PIP) install -q -c constraints.txt -e '.[asr]'
	touch $@

$(VENV)/.llm: $(INPUTS) | $(BIN)/python
	$(PIP) install -q -c constraints.txt -e '.[local-llm]'
	touch $@

$(VENV)/.dev: $(INPUTS) | $(BIN)/python
	$(install_torch)
	$(PIP) install -q -c constraints.txt -e '.[asr,s3,otel,litellm,local-llm,pdf,dev]'
	touch $@ $(VENV)/.asr $(VENV)/.llm
