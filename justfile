# What people type. `just check` is what CI runs.

set shell := ["bash", "-euo", "pipefail", "-c"]

# The list of recipes.
default:
    @just --list

# Everything a change must pass: format, lints, tests, docs, licences, benches that build, the demo read by outsiders.
check:
    bash .ci/run

# All tests; `just test layering` runs those whose name holds the word.
test *filter:
    cargo test --workspace {{ filter }}

# Documentation with warnings as errors, opened in the browser.
docs:
    RUSTDOCFLAGS=-Dwarnings cargo doc --workspace --no-deps --open

# Criterion benches, then records per second over generated projects of 1 M and 10 M records.
bench:
    cargo bench --workspace
    bash benches/throughput.sh

# The same months by DuckDB and Polars, side by side (docs/performance.md); an hour.
peers:
    bash benches/peers/run.sh

# Instructions of parse, rate and a small month against what is recorded (needs valgrind).
instructions *arguments:
    bash benches/instructions/check.sh {{ arguments }}

# The small month that docs/demo.md checks by hand.
demo:
    cargo run --release -- run testdata/demo

# Fuzz every target for `seconds` each (needs the nightly toolchain and cargo-fuzz).
fuzz seconds="60":
    for target in $(cargo +nightly fuzz list --fuzz-dir fuzz); do \
        echo "== $target"; \
        cargo +nightly fuzz run --fuzz-dir fuzz "$target" -- -max_total_time={{ seconds }} -rss_limit_mb=2048; \
    done

# Change the arithmetic line by line and see whether a test notices (needs cargo-mutants; hours). See docs/mutants.md.
mutants *arguments:
    cargo mutants --timeout 120 {{ arguments }} -- --lib -- rating:: tariff:: money::

# Take the service's guards out one by one and see which tests notice (a quarter of an hour). See docs/mutants.md.
guards *arguments:
    rating-service/tests/guards.py {{ arguments }}

# Calls by generated tariffs, priced by this program and by the oracle in Python (testdata/oracle).
oracle calls="50000":
    cargo build --release --bin rating
    python3 testdata/oracle/compare.py --binary target/release/rating --calls {{ calls }} --jobs 2

# Numbers described by the numbering table and by its oracle in Python (needs phonenumbers, .ci/requirements.txt).
numbers count="50000":
    cargo build --release --bin rating
    python3 testdata/numbering/compare.py --binary target/release/rating --numbers {{ count }} --self-test
    python3 testdata/numbering/plans.py --binary target/release/rating

# Faults planted in a generated month and found, by a script that knows inputs and outputs alone.
faults records="20000":
    cargo build --release --bin rating
    python3 testdata/checker/planted_faults.py --binary target/release/rating --records {{ records }}

# Too long for CI: 10 M records on one and two threads, a million calls priced and a million numbers described twice, faults planted in a million records, mutation tests, then half an hour of fuzzing for each target.
soak:
    SIZES=10000000 ROUNDS=1 bash benches/throughput.sh
    just oracle 1000000
    just numbers 1000000
    just faults 1000000
    CGRATES_FOLDERS=500 cargo test -p rating-core --no-default-features --test it cgrates
    just mutants
    just fuzz 1800
