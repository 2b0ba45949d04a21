#!/usr/bin/env bash
# The main job, start to end, on the embedded simulator: build, build again, lose a region, remove.
set -euo pipefail
drctl=${BIN:-.venv/bin}/drctl
folder=$(mktemp -d)
report=${REPORT:-demo-report}
export DRCTL_STATE_DIR=$folder/state
trap '"$drctl" sim stop >/dev/null || true; rm -rf "$folder"' EXIT

say() { printf '\n== %s\n' "$*"; }

say "drctl sim start"
"$drctl" sim start
say "drctl --sim up: the whole environment, two regions at once"
"$drctl" --sim up --yes
say "drctl --sim up: a second time, which changes nothing"
"$drctl" --sim up --yes
say "drctl --sim status"
"$drctl" --sim status
say "drctl --sim drill --simulate-outage: the primary region is lost, and comes back"
"$drctl" --sim drill --simulate-outage --yes --report "$report"
say "drctl --sim destroy: all of it goes"
"$drctl" --sim destroy --yes
say "drctl --sim plan: what is left to build is everything, what is left on AWS is nothing"
"$drctl" --output json --sim plan | "${BIN:-.venv/bin}"/python -c 'import json, sys; print(json.load(sys.stdin)["summary"])'
say "the drill's report: $(realpath "$report")/report.html"
