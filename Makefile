PYTHON := .venv/bin/python
NPM := $(PYTHON) tests/node.py
SOURCES := monitor tests benchmarks setup.py
.DEFAULT_GOAL := help
.PHONY: help run test check fix dev e2e golden bench faults night systemd lock

help: ## What there is to make
	@sed -n 's/^\([a-z0-9]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 10

.venv/.ready: setup.py pyproject.toml
	python3 -m venv .venv
	.venv/bin/pip install --quiet --editable '.[test,dev]'
	touch $@

run: .venv/.ready ## Serve this host
	.venv/bin/monitor serve

test: .venv/.ready ## Every test there is: service, page, browser
	$(PYTHON) -m pytest

check: .venv/.ready ## Format, lint, types, the page's types, lock files in step
	$(PYTHON) -m ruff format --check $(SOURCES)
	$(PYTHON) -m ruff check $(SOURCES)
	$(PYTHON) -m mypy
	$(NPM) run check
	$(PYTHON) -m pytest --quiet tests/test_locks.py

fix: .venv/.ready ## Format, and mend what the linter can
	$(PYTHON) -m ruff format $(SOURCES)
	$(PYTHON) -m ruff check --fix $(SOURCES)

dev: .venv/.ready ## Service and page, both reloading as you type; Ctrl-C ends both
	@$(PYTHON) -m tornado.autoreload -m monitor serve --set access.anonymous=operator & service=$$!; \
	trap 'kill $$service 2>/dev/null' EXIT INT TERM; $(NPM) run dev

e2e: .venv/.ready ## The page in a real browser
	$(PYTHON) -m pytest tests/e2e

golden: .venv/.ready ## Write the golden files anew; read the difference before you commit it
	MONITOR_GOLDEN=write $(PYTHON) -m pytest --quiet tests

bench: .venv/.ready ## Measure collection, fan-out, tick, memory and start; draw memory into docs/images
	$(PYTHON) -m benchmarks --images docs/images

faults: .venv/.ready ## Fault campaigns, whole; their tables go to docs/faults.md
	$(PYTHON) -m tests.faults

night: .venv/.ready ## A million made-up clients against the strict protocol
	$(PYTHON) -m tests.conformance.fuzz 1000000

systemd: .venv/.ready ## Install, restart, break and remove it under a real systemd (root, minutes)
	$(PYTHON) -m tests.nspawn

lock: ## Write requirements*.lock anew, within the bounds of setup.py
	python3 -m venv .venv-lock
	.venv-lock/bin/pip install --quiet pip-tools setuptools
	.venv-lock/bin/python -c 'import setup; print(*setup.INSTALL, sep="\n")' \
		| $(COMPILE) --output-file requirements.lock -
	.venv-lock/bin/python -c 'import setup; print(*setup.INSTALL, *setup.TEST, *setup.DEV, sep="\n")' \
		| $(COMPILE) --constraint requirements.lock --output-file requirements-test.lock -
	sed -i /^#/d requirements*.lock
	rm -r .venv-lock

COMPILE = .venv-lock/bin/pip-compile --quiet --upgrade --generate-hashes --allow-unsafe --strip-extras \
	--no-header --no-annotate --no-emit-index-url --no-emit-trusted-host --no-emit-find-links
