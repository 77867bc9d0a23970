#!/usr/bin/env bash
# The same month by this program, by DuckDB, and by what DuckDB, Polars and `wc` need to do much less: side by side.
#
#     benches/peers/run.sh                                  1 M and 10 M records on one and two threads, five rounds
#     SIZES=50000000 ROUNDS=1 benches/peers/run.sh          50 M, once
#
# Also: THREADS ("1 2"), SEED, MONTH, RATING (the program), WORK (where outputs go: a memory file system), PROJECTS (where
# generated projects are kept), ONLY (names of jobs, for a part of them). Records per CPU second and peak memory are what to
# look at; wall seconds mean something on an idle machine only. docs/performance.md says what is compared and why.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

TARGET="${CARGO_TARGET_DIR:-target}"
export SIZES="${SIZES:-1000000 10000000}" THREADS="${THREADS:-1 2}" ROUNDS="${ROUNDS:-5}"
export SEED="${SEED:-1}" MONTH="${MONTH:-2026-10}" ONLY="${ONLY:-}"
export RATING="${RATING:-$TARGET/release/rating}" PROJECTS="${PROJECTS:-$TARGET/peers}"
if [ -z "${WORK:-}" ]; then
    if [ -w /dev/shm ]; then WORK="/dev/shm/rating-peers-$$"; else WORK="$TARGET/peers/work"; fi
fi
export WORK

[ -x "$RATING" ] || cargo build --release --bin rating
VENV="$TARGET/peers/venv"
if ! cmp --silent .ci/requirements.txt "$VENV/requirements.txt"; then
    mkdir -p "$TARGET/peers"
    python3 -m venv --clear "$VENV"
    # The releases that CI reads published files with.
    grep -E '^(duckdb|polars)==' .ci/requirements.txt |
        "$VENV/bin/python" -m pip install --quiet --disable-pip-version-check --only-binary :all: -r /dev/stdin
    cp .ci/requirements.txt "$VENV/requirements.txt"
fi
mkdir -p "$WORK"
trap 'rm -rf "$WORK"' EXIT
"$VENV/bin/python" benches/peers/peers.py
