# The commands for a checkout. Each target first sets up what it needs. `make help` lists the targets.
PYTHON ?= python3
SETUP = $(PYTHON) packaging/setup_environment.py
BIN = .venv/bin
APP_ID = io.github.usage_viewer.UsageViewer
SNAPSHOT = build/usage-viewer.png
AUDIT = build/audit
JOBS = 3
PARALLEL = --numprocesses $(JOBS) --dist worksteal
FAST = $(addprefix tests/,domain query api demo keystore)

.DEFAULT_GOAL := help
.PHONY: help pictures run test test-fast check bench fuzz lock audit package test-package sbom clean
.PHONY: setup-check check-style check-types check-imports check-lock check-desktop

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## start the viewer with the demo organization (without a display: save a picture in build/)
	@$(SETUP) run
	@if [ "$$(uname)" = Linux ] && [ -z "$$DISPLAY$$WAYLAND_DISPLAY" ]; then \
		mkdir -p $(dir $(SNAPSHOT)) && \
		echo "There is no display here (DISPLAY and WAYLAND_DISPLAY are empty)." && \
		echo "A picture of the window is saved to $(SNAPSHOT) instead." && \
		$(BIN)/usage-viewer --demo --snapshot $(SNAPSHOT); \
	else \
		$(BIN)/usage-viewer --demo; \
	fi

test: ## run every test, JOBS=3 at a time; ARGS="…" goes to pytest
	@$(SETUP) test
	$(BIN)/python -m pytest $(PARALLEL) $(ARGS)

test-fast: ## run the tests of pure logic in under a minute; ARGS="…" goes to pytest
	@$(SETUP) test
	$(BIN)/python -m pytest $(PARALLEL) -m "not fuzz and not display and not secret_service" $(FAST) $(ARGS)

# Each check is a separate target, so that `make --keep-going check` reports all problems.
check: check-style check-types check-imports check-lock check-desktop ## check style, types, import contracts, lock files, desktop files

setup-check:
	@$(SETUP) check

check-style: setup-check
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/codespell

check-types: setup-check
	$(BIN)/mypy

check-imports: setup-check
	$(BIN)/lint-imports

check-lock: setup-check
	$(BIN)/python packaging/dependency_lock.py check

check-desktop: setup-check
	$(BIN)/python packaging/check_drawings.py resources
	desktop-file-validate packaging/$(APP_ID).desktop
	appstreamcli validate --no-net packaging/$(APP_ID).metainfo.xml

bench: ## measure the speed; ONLY=sort measures one part
	@$(SETUP) bench
	$(BIN)/python tests/bench/run.py $(if $(ONLY),--only $(ONLY))

fuzz: ## the long runs that `make test` leaves out (some 20 minutes); ARGS="…" goes to pytest
	@$(SETUP) test
	$(BIN)/python -m pytest -m fuzz $(ARGS)

lock: ## write the lock files from pyproject.toml; UPGRADE=1 uses the newest releases
	@$(SETUP) lock
	$(BIN)/python packaging/dependency_lock.py renew $(if $(UPGRADE),--upgrade)

$(AUDIT)/installed: packaging/requirements/audit.txt
	$(PYTHON) -m venv --clear $(AUDIT)
	$(AUDIT)/bin/python -m pip install --quiet --require-hashes --requirement $<
	@touch $@

audit: $(AUDIT)/installed ## look up known vulnerabilities of the locked packages (needs the internet)
	$(AUDIT)/bin/pip-audit --strict --require-hashes --disable-pip --requirement packaging/requirements/runtime.txt

package: ## build a folder that needs no Python and a Debian package in build/packages (some 3 minutes)
	@$(PYTHON) packaging/build_package.py

test-package: ## start what `make package` has built, also installed in a bare Debian (needs root for that); ARGS="…"
	@$(SETUP) package
	$(BIN)/python -m pytest -m package tests/package $(ARGS)

sbom: package $(AUDIT)/installed ## build the package and check its CycloneDX list of parts, build/packages/*.cdx.json
	$(AUDIT)/bin/python packaging/check_sbom.py build/packages/*.cdx.json

pictures: ## draw the README's pictures of the window
	@$(SETUP) run
	QT_QPA_PLATFORM=offscreen $(BIN)/python packaging/draw_pictures.py

clean: ## remove all generated files, including the virtual environment
	rm -rf .venv build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find usage_viewer tests packaging -name __pycache__ -type d -prune -exec rm -rf {} +
