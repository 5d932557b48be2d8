# The verbs of the course. Each makes .venv and installs what it needs, once.
# They keep to what GNU make 3.81 knows, the version that macOS brings.

# The Python to begin with, for instance: make lab PYTHON=python3.12
PYTHON ?= python3
# Further arguments, for instance: make lab ARGS="--no-browser --port 9000"
ARGS ?=
# What `make test` runs and what `make notebooks` saves, for instance: make test TESTS=tests
TESTS ?= $(wildcard tests) notebooks
NOTEBOOKS ?=
# The assignment to work on, for instance: make check ASSIGNMENT=01-convolution-by-hand
ASSIGNMENT ?=

BIN = .venv/bin
# The Python is run, not just looked up: a pyenv shim is on PATH even when nothing is behind it.
install = @$(PYTHON) -c '' 2>/dev/null || { \
	echo "There is no Python here ('$(PYTHON)' does not run): install Python 3.11 or newer (Debian, Ubuntu: sudo apt install python3 python3-venv; macOS: brew install python), then run the same command again." >&2; \
	exit 1; }; \
	$(PYTHON) tools/install.py

.PHONY: help lab check test sandbox e2e notebooks digit-net constraints format clean

help:
	@echo 'Say "make" and one of these words:'
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

lab: ## open JupyterLab on the lessons
	$(install)
	@$(BIN)/python tools/lab.py $(ARGS)

check: ## check an assignment before you hand it in: make check ASSIGNMENT=01
	$(install)
	@$(BIN)/python -m helpers.assignment "$(ASSIGNMENT)"

test: ## check the code's style, test the helpers, run every notebook and compare its outputs
	$(install) dev instructor cluster
	$(BIN)/python -m ruff check
	$(BIN)/python -m ruff format --check
	$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile -m "not e2e and not sandbox" \
		--nbval --nbval-current-env --nbval-cell-timeout=300 $(TESTS) $(ARGS)

sandbox: ## attack the grading sandbox (Linux with bubblewrap), and compare gradebooks
	$(install) dev instructor cluster
	$(BIN)/python -m pytest -n auto --maxprocesses 2 --dist loadfile -m sandbox tests $(ARGS)

e2e: ## run a lesson and check an assignment in a real browser, in JupyterLab
	$(install) dev e2e instructor
	@CHROMIUM="$$($(BIN)/python tools/browser.py)" && export CHROMIUM && \
		$(BIN)/python -m pytest -n auto --maxprocesses 2 --dist loadfile -m e2e tests/e2e $(ARGS)

notebooks: ## run the notebooks and save their outputs (some: NOTEBOOKS="notebooks/01-*.ipynb")
	$(install) dev
	@$(BIN)/python tools/notebooks.py $(NOTEBOOKS)

digit-net: ## train the network of "Draw a digit" on the full MNIST, and write its weights
	$(install)
	@$(BIN)/python tools/export_digit_net.py $(ARGS)

constraints: ## write constraints.txt again, with the newest versions
	$(install)
	@$(BIN)/python tools/constraints.py $(ARGS)

format: ## put the code into the course's style
	$(install) dev
	$(BIN)/python -m ruff check --fix
	$(BIN)/python -m ruff format

clean: ## delete .venv and the caches, to begin afresh (your notebooks and the data stay)
	rm -rf .venv .venv-site build *.egg-info .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The instructor's verbs; students are not given that folder.
-include solutions/instructor.mk
# The web site's verbs; students are not given that folder either.
-include site/site.mk
