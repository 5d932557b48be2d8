# Short names for the verbs of the course's command line: `make lab` is `python3 course.py lab`.
# They keep to what GNU make 3.81 knows, the version that macOS brings.

# The Python to begin with, for instance: make lab PYTHON=python3.12
PYTHON ?= python3
# Further arguments, for instance: make lab ARGS="--no-browser --port 9000"
ARGS ?=
# What `make test` runs and what `make notebooks` saves, for instance: make test TESTS=tests
TESTS ?=
NOTEBOOKS ?=
# The assignment to work on, for instance: make check ASSIGNMENT=01
ASSIGNMENT ?=
# What was handed in: make grade ASSIGNMENT=01-convolution-by-hand SUBMISSIONS=~/Downloads/batch.zip
SUBMISSIONS ?=
# The lesson to give back, for instance: make reset LESSON=05
LESSON ?=

# The Python is run, not just looked up: a pyenv shim is on PATH even when nothing is behind it.
course = @$(PYTHON) -c '' 2>/dev/null || { \
	echo "There is no Python here ('$(PYTHON)' does not run): install Python 3.11 or newer (Debian, Ubuntu: sudo apt install python3 python3-venv; macOS: brew install python), then run the same command again." >&2; \
	exit 1; }; \
	$(PYTHON) course.py

.PHONY: help lab check doctor reset update test setup clean
.PHONY: lint format notebooks sandbox e2e mutate translate constraints digit-net site site-serve
.PHONY: assignments new release roster collect grade feedback export statistics new-seed

help:
	$(course) help
lab doctor update setup clean lint format sandbox e2e mutate translate constraints digit-net site roster new-seed:
	$(course) $@ $(ARGS)
check:
	$(course) check "$(ASSIGNMENT)" $(ARGS)
reset:
	$(course) reset $(LESSON) $(if $(ASSIGNMENT),assignment $(ASSIGNMENT)) $(ARGS)
test:
	$(course) test $(TESTS) $(ARGS)
notebooks:
	$(course) notebooks $(NOTEBOOKS) $(ARGS)
site-serve:
	$(course) site serve $(ARGS)
assignments:
	$(course) assignments "$(ASSIGNMENT)" $(ARGS)
new:
	$(course) new "$(ASSIGNMENT)" $(ARGS)
release feedback export statistics:
	$(course) $@ $(ASSIGNMENT) $(ARGS)
collect:
	$(course) collect "$(ASSIGNMENT)" "$(SUBMISSIONS)" $(ARGS)
grade:
	$(course) grade "$(ASSIGNMENT)" "$(SUBMISSIONS)" $(ARGS)
