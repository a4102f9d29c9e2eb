# Everything here works from a bare clone with only python3 and make.

.PHONY: help demo test coverage hunt mails reliability check fmt bench docs lock clean

PYTHON ?= $(firstword $(foreach python,python3 python3.13 python3.12 python3.11,$(if $(shell $(call serves,$(python))),$(python))))
# Prints a word if this Python is new enough and can make a virtual environment (Debian keeps ensurepip apart).
serves = $(1) -c 'import ensurepip, sys, venv; print("yes" if sys.version_info >= (3, 11) else "")' 2>/dev/null
BIN = .venv/bin
export PIP_DISABLE_PIP_VERSION_CHECK = 1

help: ## list these targets
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 20

demo: .venv/.ready ## see a first mail, and a window that fills
	@rm -rf build/demo
	@echo '$$ mailweir demo --limit'
	@$(BIN)/mailweir demo --limit --exit --no-open --keep build/demo
	@echo
	@echo 'Next:      . .venv/bin/activate && mailweir init my-mail --from-demo && cd my-mail && mailweir dev'
	@echo 'Then:      README.md, configs/, and how faults are told: mailweir check configs/faulty'

test: .venv/.ready ## run the tests
	@$(BIN)/mailweir test -C configs
	@$(BIN)/pytest -n auto

coverage: .venv/.ready ## run the tests and report branch coverage
	@$(BIN)/pytest -n auto --cov --cov-report=term:skip-covered

hunt: .venv/.ready ## look for new examples that break a property
	@$(BIN)/pytest -n auto -q --hypothesis-profile=hunt -k properties

mails: .venv/.ready ## let independent readers read a million random mails (MAILS=…)
	@MAILS=$${MAILS:-1000000} $(BIN)/pytest -n auto -q tests/sinks/mail/test_mime_properties.py

reliability: .venv/.ready ## kill runs again and again, and count what is lost and what is sent twice
	@$(BIN)/python -m bench.reliability
	@$(BIN)/python -m bench.bus

check: .venv/.ready ## format, lint, types, import rules
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

fmt: .venv/.ready ## put the code into shape
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

bench: .venv/.ready ## measure, with something to compare beside it
	@$(BIN)/python -m bench

docs: .venv/.ready ## write the generated pages of the reference
	@$(BIN)/python docs/build.py

lock: ## pin the dependencies anew (needs uv)
	uv pip compile --upgrade --universal --python-version 3.11 --generate-hashes --all-extras --group dev \
	  --no-header --no-emit-index-url --output-file requirements.lock pyproject.toml

clean: ## remove what was made
	rm -rf .venv .mail-servers .bench dist build .coverage .coverage.* .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The version is read from mailweir/__init__.py when the project is installed.
.venv/.ready: requirements.lock pyproject.toml mailweir/__init__.py
	@$(call serves,$(PYTHON)) | grep -q yes || { echo 'Mailweir needs Python 3.11 or newer with venv' \
	  '(on Debian: apt install python3-venv); to name one: make PYTHON=/path/to/python3' >&2; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --no-compile --require-hashes --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --no-index --no-deps --no-build-isolation --editable .
	@touch $@
