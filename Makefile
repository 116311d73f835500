# Each target sets up all it needs: Python 3.11 or newer, python3-venv, make and git are enough.
# ARGS is passed on: make test ARGS="-k money -x", make demo ARGS=--once. ONLY picks a bench group.

# The Python of the system where that will do: it is built with optimisations that one built by hand
# or by a version manager mostly lacks, and a hub does an eighth more with it.
PYTHON ?= $(firstword $(foreach python,/usr/bin/python3 python3,$(shell $(python) -c \
	"import sys, ensurepip; sys.exit(sys.version_info < (3, 11))" 2>/dev/null && echo $(python))) python3)
PIP := .venv/bin/python -m pip --disable-pip-version-check --quiet
PACKAGES := schemas mappings connectors hub store_agent

# Modules that write generated files; each takes --check, which compares and writes nothing.
GENERATORS := schemas.publish hub.catalogue

.DEFAULT_GOAL := check
.PHONY: demo test check bench faults generate lock clean
.DELETE_ON_ERROR:

demo: .venv/runtime
	.venv/bin/lynchpin demo $(ARGS)

test: .venv/dev
	.venv/bin/pytest $(ARGS)

check: .venv/dev
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy $(PACKAGES) tests bench faults
	.venv/bin/lint-imports
	set -e; for module in $(GENERATORS); do .venv/bin/python -m $$module --check; done

bench: .venv/dev
	.venv/bin/python -m bench $(if $(ONLY),--only $(ONLY))

# For half an hour; make faults ARGS="--only kill cut" runs these two and keeps what was kept of the
# others; with --messages 200000 for hours. Needs strace, and to be root for the full disk.
faults: .venv/dev
	.venv/bin/python -m faults $(ARGS)

generate: .venv/dev
	set -e; for module in $(GENERATORS); do .venv/bin/python -m $$module; done

COMPILE := .venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --custom-compile-command "make lock" $(ARGS)

# Versions already locked are kept; make lock ARGS=--upgrade moves them.
lock: .venv/dev
	$(COMPILE) pyproject.toml --extra all requirements/runtime.in -o requirements/runtime.txt
	$(COMPILE) pyproject.toml --extra all requirements/runtime.in requirements/dev.in \
		-o requirements/dev.txt

clean:
	rm -rf .venv .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache dist
	find . -name __pycache__ -prune -exec rm -rf {} +

# The files in .venv are stamps: a step is done again only when what it was made from changes.
.venv/made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Lynchpin needs \
	Python 3.11 or newer, this is %d.%d: name one with PYTHON=..." % sys.version_info[:2])'
	$(PYTHON) -m venv --clear .venv
	@touch $@

.venv/runtime: .venv/made pyproject.toml requirements/runtime.txt
	$(PIP) install --require-hashes -r requirements/runtime.txt
	$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

.venv/dev: .venv/runtime requirements/dev.txt
	$(PIP) install --require-hashes -r requirements/dev.txt
	@touch $@
