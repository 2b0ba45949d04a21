# Everything here sets itself up: python3 (3.11 or newer, with venv), make and a package index are all it takes.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# The program is started hundreds of times: it is compiled once, as where it is installed.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: setup demo tools test rehearse torture check bench format clean

setup: $(READY)

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "drctl needs Python 3.11 or newer; say which with PYTHON=python3.12" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[sim,dev]'
	@touch $@

# The main job against the embedded simulator, each step shown as it happens.
demo: setup
	@BIN=$(BIN) bash scripts/demo.sh

# What the tests drive beside Python, on Debian: a browser for the report's page, dig for the name server.
tools:
	command -v chromium >/dev/null && command -v dig >/dev/null && command -v pdftotext >/dev/null \
	  || { apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium bind9-dnsutils poppler-utils; }

test: setup
	$(BIN)/python -m pytest -n 3 --dist loadgroup

# Every runbook killed before and after every step: about an hour.
rehearse: setup
	$(BIN)/python -m pytest -n 3 --dist loadgroup -x tests/exhaustive/every_kill.py tests/exhaustive/team_failover.py

# up and destroy on a day of throttling and errors, then killed a thousand times and more, counted after each way:
# an hour for the first thousand, two for every write of the journal; ARGS="--resume" goes on.
torture: setup
	$(BIN)/python -m pytest -n 2 tests/exhaustive/bad_weather.py tests/exhaustive/lost_places.py
	$(BIN)/python -m tests.torture $(ARGS)

check: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: setup
	$(BIN)/python -m bench

format: setup
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
