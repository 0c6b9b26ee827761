# `make` lists what there is. Every target makes the environment it needs by itself: once, and again
# when requirements.lock changes. Plain Python and GNU make are enough.

PYTHON ?= python3
PYTHONS = 3.11 3.12 3.13

# An environment is a folder, and what is installed in it. test-backends and test-matrix set these
# two to make others in the same way.
VENV = .venv
PINS = -r requirements.lock
# More for pip, such as --index-url.
INSTALL_ARGS =

BIN = $(VENV)/bin
READY = $(VENV)/.stamp-course
PIP_INSTALL = $(BIN)/python -m pip install --disable-pip-version-check $(INSTALL_ARGS)
# `!python` in a notebook must find the environment's own.
IN_VENV = PATH="$(CURDIR)/$(BIN):$$PATH"
# Tests compare numbers, and a GPU rounds differently.
ON_CPU = $(IN_VENV) CUDA_VISIBLE_DEVICES= JAX_PLATFORMS=cpu TF_CPP_MIN_LOG_LEVEL=3
# -rs says at the end what was skipped, and why.
PYTEST = $(ON_CPU) $(BIN)/python -m pytest -rs
# Two at once, each on one thread: with as many threads as cores they would be in each other's way.
TWO_AT_ONCE = TF_NUM_INTRAOP_THREADS=1 TF_NUM_INTEROP_THREADS=1 $(PYTEST) -n 2 --dist loadfile

.NOTPARALLEL:
.PHONY: help lab doctor demo test test-unit test-notebooks test-backends test-each-backend test-matrix \
  lint format notebooks data badges lock clean

help:  ## this list
	@echo "make TARGET, where TARGET is one of"
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-15s %s\n", $$1, $$2 }' Makefile
	@echo "PYTHON=python3.12 names the Python to make environments with: one of $(PYTHONS)."

lab: $(READY)  ## open the course in JupyterLab; LAB_ARGS="--no-browser --port 9999" goes to it
	$(IN_VENV) $(BIN)/jupyter lab --ServerApp.root_dir=. notebooks/00_start_here.ipynb $(LAB_ARGS)

doctor: $(READY)  ## say what works on this machine, what does not, and the fix
	@$(IN_VENV) $(BIN)/python -m bert_course doctor

PLAN ?= demo
demo: $(READY)  ## train a small BERT from scratch in a few minutes, and see what it learned; PLAN=longer
	@$(IN_VENV) $(BIN)/python -m bert_course demo --plan $(PLAN)

test: lint test-unit test-notebooks  ## lint, unit tests and notebooks, on the CPU

test-unit: $(READY)  ## the tests of the package, of the notebooks' form and of the repository
	$(TWO_AT_ONCE) tests

test-notebooks: $(READY)  ## run every notebook again and compare its outputs (nbval)
	$(TWO_AT_ONCE) --nbval notebooks

test-backends:  ## the tests of bert_course/model with Keras on TensorFlow, JAX and PyTorch
	@$(MAKE) --no-print-directory VENV=.venv-backends \
	  PINS="$(PINS) -r requirements-backends.txt" test-each-backend

test-each-backend: $(READY)
	@failed=; for backend in tensorflow jax torch; do \
	  echo "Keras on $$backend:"; \
	  KERAS_BACKEND=$$backend $(PYTEST) tests/model || failed="$$failed $$backend"; \
	done; \
	test -z "$$failed" || { echo "Failed on:$$failed" >&2; exit 1; }

test-matrix:  ## the unit tests on each Python found here, and with the versions that Colab has
	@$(CHECK_PYTHON)
	@MAKE="$(MAKE)" $(PYTHON) tools/matrix.py $(PYTHONS)

lint: $(READY)  ## look for mistakes and untidy formatting, notebooks included
	$(BIN)/ruff check
	$(BIN)/ruff format --check

format: $(READY)  ## tidy the formatting, and mend the mistakes that have one safe fix
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

notebooks: $(READY)  ## rebuild and execute notebooks/*.ipynb from notebooks/source/*.py
	$(ON_CPU) $(BIN)/python -m tools.notebooks build

data: $(READY)  ## write the stories, labelled sets and figures of data/ again, byte for byte
	$(BIN)/python -m bert_course world --out data

badges: $(READY)  ## stamp the address in pyproject.toml into the notebooks and the README
	$(BIN)/python -m tools.notebooks badges

lock: .venv-lock/bin/uv  ## resolve requirements.txt into requirements.lock; LOCK_ARGS=--upgrade
	.venv-lock/bin/uv pip compile --universal --python-version $(firstword $(PYTHONS)) --quiet \
	  --custom-compile-command "make lock" $(LOCK_ARGS) requirements.txt -o requirements.lock

clean:  ## remove environments and caches; what you wrote stays
	rm -rf .venv .venv-* build .pytest_cache .ruff_cache .hypothesis *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Fails with one line that says the way out.
define CHECK_PYTHON
try="Name one that will do, for example: make PYTHON=python3.12 $(or $(MAKECMDGOALS),lab)"; \
$(PYTHON) -c 'import sys; sys.exit("%d.%d" % sys.version_info[:2] not in "$(PYTHONS)".split())' \
  2>/dev/null || { echo "The course runs on Python $(PYTHONS), but \"$(PYTHON) --version\" says:" \
  "$$($(PYTHON) --version 2>&1 | head -n 1). $$try" >&2; exit 1; }; \
$(PYTHON) -c 'import ensurepip, venv' \
  2>/dev/null || { echo "$(PYTHON) lacks venv (on Debian and Ubuntu: the package python3-venv)." \
  "Install it, or: $$try" >&2; exit 1; }
endef

# The stamp goes before anything is installed and comes back when all is. So an environment without
# one was never finished and is made from the beginning; one with an older stamp is brought up to
# date in place. Pip tells a terminal how far it is, and a log file nothing.
$(VENV)/.stamp-packages: $(filter-out -%,$(PINS))
	@if test -f $@; then \
	  echo "Bringing $(VENV) up to date."; rm -f $@; \
	else \
	  $(CHECK_PYTHON); \
	  echo "Setting up $(VENV): 2.5 GB or more, a few minutes, once."; \
	  $(PYTHON) -m venv --clear $(VENV); \
	fi
	@if test -t 1; then quiet=; else quiet=--quiet; fi; $(PIP_INSTALL) $$quiet $(PINS)
	@touch $@

# The package itself, as links to the files here. What builds it is in the lock: no network needed.
$(READY): $(VENV)/.stamp-packages pyproject.toml
	@$(PIP_INSTALL) --quiet --no-build-isolation --no-deps -e .
	@touch $@

# The resolver has a small environment of its own, for nothing else needs it.
.venv-lock/bin/uv:
	@$(CHECK_PYTHON)
	@$(PYTHON) -m venv --clear .venv-lock
	@.venv-lock/bin/python -m pip install --quiet --disable-pip-version-check uv
