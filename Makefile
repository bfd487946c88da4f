# Each target makes what it needs; .venv is made again only when the pinned requirements change.
# The pins are complete: --no-deps keeps pip from looking for what a newer release might want.
PYTHON ?= python3
PORT ?= 8501
RUN = .venv/bin/python -m

.PHONY: run test check bench bench-drafts bench-incidents bench-replay bench-spikes \
  bench-trends bench-model evaluate lock clean

run: .venv/run ## start the engine and the dashboard, here http://127.0.0.1:8501
	@$(RUN) monitor up --port $(PORT)

test: .venv/dev ## the tests; ALL=1 adds those that take seconds and those with a browser
	@$(RUN) pytest -q -n auto --dist worksteal $(if $(ALL),,-m "not slow and not browser")

check: .venv/dev ## format, lint, types, imports
	@$(RUN) ruff format --check .
	@$(RUN) ruff check .
	@$(RUN) mypy
	@.venv/bin/lint-imports

bench: .venv/dev ## print the figures that README names
	@$(RUN) tests.bench.throughput
	@$(RUN) tests.bench.queue --page
	@$(RUN) tests.bench.case

bench-drafts: .venv/dev ## print how often each rule of the draft check is right
	@$(RUN) tests.bench.drafts

bench-replay: .venv/dev ## replay real conversations: does the reply status end as it should?
	@$(RUN) tests.bench.replay

bench-spikes: .venv/dev ## print how good the spike and silence alerts are (needs ../shared)
	@$(RUN) tests.bench.spikes

bench-trends: .venv/dev ## print how fast the trends are on a million posts
	@$(RUN) tests.bench.trends

bench-incidents: .venv/dev ## print how well posts of one fault are found, beside the figures that README names
	@$(RUN) tests.bench.incidents

bench-model: .venv-train/ready ## print the model's speeds beside the usual way
	@.venv-train/bin/python -m tests.bench.model

evaluate: .venv-train/ready ## print the model's figures beside simple baselines
	@.venv-train/bin/python -m monitor evaluate --baselines

lock: ## pin the newest versions that pyproject.toml allows (needs uv)
	echo hatchling > .lock.in
	uv pip compile -q --upgrade --generate-hashes --no-header --no-annotate --no-emit-index-url \
	  --no-emit-find-links --python-version 3.11 --extra dev pyproject.toml .lock.in -o requirements-dev.txt
	uv pip compile -q --generate-hashes --no-header --no-annotate --no-emit-index-url \
	  --no-emit-find-links --python-version 3.11 -c requirements-dev.txt pyproject.toml .lock.in -o requirements.txt
	rm .lock.in

clean:
	rm -rf .venv .venv-train .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed; name it: make PYTHON=python3.11 run" if sys.version_info < (3, 11) else 0)'
	@$(PYTHON) -m venv .venv

.venv/run: .venv/bin/python requirements.txt
	@echo "Installing the pinned packages (once, about a minute) ..."
	@$(RUN) pip install -q --disable-pip-version-check --require-hashes --no-deps -r requirements.txt
	@$(RUN) pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

.venv/dev: .venv/bin/python requirements-dev.txt
	@echo "Installing the pinned packages (once, about a minute) ..."
	@$(RUN) pip install -q --disable-pip-version-check --require-hashes --no-deps -r requirements-dev.txt
	@$(RUN) pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch .venv/run $@

.venv-train/ready: pyproject.toml
	@echo "Installing torch and what else the training needs (once, minutes) ..."
	@$(PYTHON) -m venv .venv-train
	@.venv-train/bin/python -m pip install -q --disable-pip-version-check -e '.[train]'
	@touch $@
