# Every target sets up what it needs; CI calls only these.
.DEFAULT_GOAL := help
PYTHON ?=
BIN := .venv/bin

.PHONY: help setup demo test test-fast check format lock benchmark clean

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

setup: ## Make .venv from requirements.lock (returns at once when nothing has changed)
	@PYTHON="$(PYTHON)" scripts/setup.sh

demo: setup ## Complete Journey from raw purchases to a pushed model
	@$(BIN)/interest-migration run --config configs/demo.yaml

test: setup ## Run all tests, two at a time
	@$(BIN)/pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder

test-fast: setup ## Run the unit tests
	@$(BIN)/pytest tests/unit

check: setup ## Lint, format, types, import directions
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: setup ## Format the code
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

lock: setup ## Resolve setup.py again into requirements.lock
	@.tools/uv/bin/uv pip compile setup.py --all-extras --generate-hashes --no-emit-index-url --no-annotate --no-header \
		--python-version 3.11 --python-platform x86_64-manylinux_2_39 --quiet --output-file requirements.lock
	@.tools/uv/bin/uv pip compile kubeflow/requirements-cuda.in --generate-hashes --no-emit-index-url --no-annotate --no-header \
		--python-version 3.11 --python-platform x86_64-manylinux_2_39 --quiet --output-file kubeflow/requirements-cuda.lock

benchmark: setup ## Ingestion against a per-row Beam pipeline and Polars
	@$(BIN)/python -m benchmarks.ingestion

clean: ## Remove the demo's workspace
	rm -rf workspace
