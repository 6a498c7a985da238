# The two commands that matter: `make run` and `make test`. Both set everything up first, as far as it is missing.

PYTHON  ?= python3
LIBRARY ?=
MOUNT   ?= $(CURDIR)/mnt
STATE   ?= $(CURDIR)/.state
HTTP    ?= 127.0.0.1:8440
WRITABLE ?=
JOBS    ?= 2

# Programs are started by the thousand in a run of the tests, and their start is measured: compile them once.
unexport PYTHONDONTWRITEBYTECODE

BIN   := .venv/bin
DONE  := .cache/setup
UI    := $(filter-out web/ui/node_modules/% web/ui/coverage/%,$(shell find web/ui -type f -not -path '*/node_modules/*' 2>/dev/null))
NPM   := PATH="$(CURDIR)/$(BIN):$$PATH" npm --prefix web/ui

.PHONY: help run setup test check bench training clean
.DELETE_ON_ERROR:

help:
	@echo "make run [LIBRARY=~/Pictures] [MOUNT=~/Haven] [WRITABLE=1]"
	@echo "               index a folder and mount it (without LIBRARY: a drawn sample library; WRITABLE: files/ may be changed)"
	@echo "make setup      all that is needed, leaves $(BIN)/havenfs"
	@echo "make test       linters and all tests"
	@echo "make check      linters and type checks alone"
	@echo "make bench      the benchmarks"
	@echo "make bench-mount  the one of the mount alone, beside its peers (as root)"
	@echo "make training   the tests that train and export a model (installs torch beside, about 1 GB)"
	@echo "make model      train the miniature model anew, about 15 minutes on two cores that nobody else uses"
	@echo "make model-faces  the same for that of faces"

# --- setting up: each step leaves a stamp and is skipped while nothing that it depends on has changed -------------------

setup: $(DONE)/package $(DONE)/page

$(DONE)/debian: packaging/setup/debian-run.txt packaging/setup/debian
	packaging/setup/debian packaging/setup/debian-run.txt
	@mkdir -p $(DONE) && touch $@

$(DONE)/debian-test: packaging/setup/debian-test.txt packaging/setup/debian-source $(DONE)/debian
	packaging/setup/debian packaging/setup/debian-test.txt
	packaging/setup/debian-source .cache/debian-source tree
	@touch $@

$(BIN)/python: | $(DONE)/debian
	$(PYTHON) -m venv .venv

# The tests' lock is a superset of the service's: once it is installed, the smaller one has nothing to do.
$(DONE)/locked: requirements.lock $(DONE)/debian | $(BIN)/python
	$(BIN)/python -m pip install --quiet --no-deps --require-hashes -r requirements.lock
	@touch $@

$(DONE)/locked-dev: requirements-dev.lock $(DONE)/locked
	$(BIN)/python -m pip install --quiet --no-deps --require-hashes -r requirements-dev.lock
	@touch $@

$(DONE)/package: pyproject.toml $(DONE)/locked
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(DONE)/node: web/ui/package-lock.json $(DONE)/locked
	$(NPM) ci --no-audit --no-fund --loglevel=error
	@touch $@

$(DONE)/page: $(UI) $(DONE)/node
	$(NPM) run build --silent
	@touch $@

# --- the main job -------------------------------------------------------------------------------------------------------

ifeq ($(LIBRARY),)
SOURCE := $(CURDIR)/library
run: sample
else
SOURCE := $(LIBRARY)
endif

run: setup
	@exec $(BIN)/havenfs up $(if $(WRITABLE),--writable,--source) "$(SOURCE)" --mount "$(MOUNT)" --state "$(STATE)" --http $(HTTP)

.PHONY: sample
sample: setup
	@$(BIN)/havenfs demo "$(SOURCE)"

# --- checking -----------------------------------------------------------------------------------------------------------

check: setup $(DONE)/locked-dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports
	$(BIN)/pyright
	$(NPM) run check --silent

# Files of tests, two at a time and in their order: the longest stand at the front, and half of each waits for something.
test: check $(DONE)/debian-test
	$(BIN)/python -m pytest -m "not training and not alone" -n $(JOBS) --dist loadfile --no-loadscope-reorder --durations 20
	$(BIN)/python -m pytest -m alone

# An environment of its own: torch is a gigabyte and decides for itself which versions it wants beside it.
TRAINING := .cache/training

$(DONE)/training: pyproject.toml $(DONE)/debian
	$(PYTHON) -m venv $(TRAINING)
	$(TRAINING)/bin/python -m pip install --quiet --editable ".[training]" hypothesis pytest pytest-timeout pytest-trio scikit-image scikit-learn
	@touch $@

# Half a minute a test on a machine of its own; loading torch, training and exporting wait for whoever else works.
training: $(DONE)/training
	$(TRAINING)/bin/python -m pytest -m training --timeout 600 tests/miniature tests/export tests/extract/test_open_clip.py

model: $(DONE)/training
	$(TRAINING)/bin/python -m havenfs.miniature --out havenfs/models/mini-clip

model-faces: $(DONE)/training
	$(TRAINING)/bin/python -m havenfs.miniature.faces --out havenfs/models/mini-faces
.PHONY: model model-faces

bench: setup $(DONE)/locked-dev $(DONE)/debian-test bench-mount
	@for bench in $(filter-out %/bench_mount.py,$(wildcard tests/bench/bench_*.py)); do echo "== $$bench"; $(BIN)/python $$bench || exit 1; done

# As root: peers and the direct transport mount by themselves.
bench-mount: setup $(DONE)/locked-dev $(DONE)/debian-test $(DONE)/debian-bench
	@$(BIN)/python tests/bench/bench_mount.py
.PHONY: bench-mount

$(DONE)/debian-bench: packaging/setup/debian-bench.txt $(DONE)/debian
	packaging/setup/debian packaging/setup/debian-bench.txt
	@touch $@

lock:
	uv pip compile pyproject.toml --group build --universal --python-version 3.11 --generate-hashes --no-header --no-annotate -q -o requirements.lock
	uv pip compile pyproject.toml --group build --group dev --universal --python-version 3.11 --generate-hashes --no-header --no-annotate -q -c requirements.lock -o requirements-dev.lock
.PHONY: lock

clean:
	rm -rf .venv .cache .state library web/ui/node_modules web/havenweb/static
