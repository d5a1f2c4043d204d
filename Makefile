# `make` lists what there is to do. Everything runs in .venv, which `make setup` makes.

SHELL := /bin/bash
MAKEFLAGS += --no-print-directory
# Atlas is many processes: what one of them compiles, the others need not compile again.
unexport PYTHONDONTWRITEBYTECODE
BIN := .venv/bin
PIP := scripts/pip-install .venv
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-annotate \
	--custom-compile-command 'make lock' --extra server pyproject.toml
# What PyTorch needs for graphics cards is several GB, and no test uses it.
NO_GRAPHICS_CARD := /^\(torch\|triton\|cuda-\|nvidia-\)/d
# On SQLite, whatever database its caller uses.
PYTEST := env -u DATABASE_URL $(BIN)/python -m pytest

# What Atlas is for, as `make demo` does it; it takes both cores.
MAIN_JOB := tests/e2e/test_main_job.py

AS_OTHER_USERS := tests/benchmark_engine/attacks/test_as_other_users.py

# Long tests that measure no time and end no process of others.
BESIDE_EACH_OTHER := $(addprefix tests/benchmark_engine/test_,coverage.py node.py) \
	$(addprefix tests/,atlas atlas_web backups bags collector docs explainability ingestion_engine monitoring \
	telemetry training_engine ui) $(filter-out $(MAIN_JOB),$(wildcard tests/e2e/test_*.py)) \
	$(addprefix tests/benchmark_engine/sandbox/test_,bubblewrap.py spare.py) \
	$(addprefix tests/benchmarks/test_,dashboard.py explain.py ingestion.py) \
	$(filter-out $(AS_OTHER_USERS),$(wildcard tests/benchmark_engine/attacks/test_*.py))

# Long tests that wait more than they compute, and have processes of their own.
WAITING := $(AS_OTHER_USERS) tests/e2e/chaos

# All of Atlas in containers; prints how large the images are. Chaos comes last, as it is left out where time is short.
ON_COMPOSE := $(addprefix tests/compose/test_,circle.py outside.py chaos.py)

.DEFAULT_GOAL := help
.PHONY: help setup setup-dev demo docs test test-system programs images collector-install case \
	audit bench bench-explain bench-dashboard bench-ingestion bench-bags bench-drift lighthouse pictures openapi lint \
	lock clean distclean

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: .venv/.installed ## make .venv with everything that Atlas needs to run (PYTHON=... chooses the interpreter)
	@:

setup-dev: .venv/.installed-dev ## the same, and what its tests and checks need
	@:

.venv/bin/python:
	@scripts/make-venv

.venv/.installed: requirements.txt pyproject.toml | .venv/bin/python
	@scripts/step "Packages of requirements.txt" $(PIP) --no-deps -r requirements.txt
	@scripts/step "Atlas itself" $(PIP) --no-deps --editable .
	@touch $@

.venv/.installed-dev: requirements-dev.txt .venv/.installed
	@scripts/step "Packages of requirements-dev.txt" $(PIP) --no-deps -r requirements-dev.txt
	@touch $@

.venv/.installed-system: requirements-formats.txt .venv/.installed-dev
	@scripts/step "Packages of requirements-formats.txt" $(PIP) --no-deps -r requirements-formats.txt
	@scripts/step "PyTorch" $(PIP) --no-deps -r requirements-torch.txt
	@touch $@

# What does not fit beside our packages, or is too large for everybody, has an environment of its own.
.venv-%/.installed: requirements-%.txt
	@scripts/make-venv .venv-$*
	@scripts/step "Packages of $<" scripts/pip-install .venv-$* --no-deps -r $<
	@touch $@

demo: setup ## run all of Atlas on this machine with real data (ONCE=1: end when everything is benchmarked)
	@$(BIN)/python -m demo $(if $(ONCE),--once)

test: setup-dev lint ## check the code, then run the tests on SQLite
	@scripts/test-programs
	$(PYTEST) -n 2 --dist loadfile

test-system: setup-dev ## run all of Atlas with its real processes, on PostgreSQL and S3, and in a browser
	@$(MAKE) --jobs 3 .venv/.installed-system .venv-casing/.installed .venv-evidently/.installed
	@$(MAKE) programs
	$(PYTEST) -m system --capture=no $(ON_COMPOSE)
	$(BIN)/python -m tests.with_postgres $(BIN)/python -m pytest -n 2 --dist loadfile -m "database and not system"
	$(PYTEST) -m system $(MAIN_JOB)
	$(PYTEST) -m system -n 2 --dist worksteal $(BESIDE_EACH_OTHER)
	$(PYTEST) -m system $(addprefix --ignore=,$(MAIN_JOB) $(BESIDE_EACH_OTHER) $(WAITING) tests/compose)
	$(PYTEST) -m system -n 3 --dist loadgroup $(WAITING)

programs: ## install what the tests need of Debian (as root; otherwise say what is missing)
	@scripts/test-programs
	@scripts/ros-programs
	@scripts/docker-programs

images: ## build the container images, and print how large they are
	@scripts/build-images

collector-install: ## install the collector on a Raspberry Pi (as root), or bring it up to date
	@collector/install

case: .venv-casing/.installed ## build and check the collector's casing: STL and STEP in build/casing (SIZES=... names your sizes)
	.venv-casing/bin/python -m collector.casing build/casing $(if $(SIZES),--sizes $(SIZES),--picture docs/images/casing.png)

bench: setup-dev ## measure what a benchmark costs through the engine (as root, on a machine that does nothing else)
	$(BIN)/python -m benchmarks.engine

bench-explain: setup-dev ## measure what an explanation costs beside shap's explainers (on a machine that does nothing else)
	$(BIN)/python -m benchmarks.explain

bench-dashboard: setup-dev ## measure how long pages take over a large database (on a machine that does nothing else)
	$(BIN)/python -m benchmarks.dashboard

bench-ingestion: setup-dev ## measure queries beside SQL, and versions beside copies (on a machine that does nothing else)
	$(BIN)/python -m benchmarks.ingestion

bench-drift: setup-dev ## measure what the drift of a table costs beside a forest's predictions
	$(BIN)/python -m benchmarks.drift

bench-bags: setup-dev ## measure reading bags beside ROS' own rosbag (on a machine that does nothing else)
	@test -f /usr/lib/python3/dist-packages/rosbag/__init__.py || scripts/apt-install python3-rosbag python3-sensor-msgs
	$(BIN)/python -m benchmarks.bags

lighthouse: setup-dev ## let Lighthouse judge the pages that people open first (on a machine that does nothing else)
	@command -v npm >/dev/null || scripts/apt-install nodejs npm || true
	@$(BIN)/python -m benchmarks.lighthouse

pictures: setup-dev ## take the pictures in docs/images anew (URL=... is where `make demo` says that the dashboard runs)
	@$(BIN)/python -m docs.pictures $(URL)

openapi: setup ## write the OpenAPI document of the ingestion engine anew, after a change of its API
	$(BIN)/python manage.py export_openapi_schema --settings ingestion_engine.settings \
		--api ingestion_engine.api.api --indent 2 --sorted --output docs/reference/ingestion-openapi.json

docs: setup-dev ## build the documentation as a site in build/site, with every link checked
	@NO_MKDOCS_2_WARNING=1 scripts/step "The documentation in build/site" $(BIN)/mkdocs build

audit: setup-dev ## look for known vulnerabilities, unfit licences and leaked secrets, and write build/sbom.json
	$(BIN)/python -m audit

lint: setup-dev docs ## check style, types, import rules and the documents' links
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

lock: setup-dev ## write the requirements files anew from pyproject.toml
	$(LOCK) -o requirements.txt
	$(LOCK) --extra dev -c requirements.txt -o requirements-dev.txt
	$(LOCK) --extra ldap -c requirements.txt -o requirements-ldap.txt
	$(LOCK) --extra image -c requirements.txt -o requirements-image.txt
	$(LOCK) --extra image --extra training -c requirements-image.txt -c requirements-dev.txt -o requirements-training.txt
	$(subst --extra server,--extra casing,$(LOCK)) -c requirements.txt -o requirements-casing.txt
	$(subst --extra server,--extra evidently,$(LOCK)) -o requirements-evidently.txt
	$(LOCK) --extra formats --extra dask -c requirements-dev.txt -o requirements-formats.txt
	sed -i '$(NO_GRAPHICS_CARD)' requirements-formats.txt

clean: ## remove everything that Atlas keeps on this machine
	rm -rf .data

distclean: clean ## remove .venv and all caches too
	rm -rf .venv .venv-casing .venv-evidently build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
