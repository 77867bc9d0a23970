#!/usr/bin/env bash
# The program compiled once more with what a month of generated calls has told the compiler: which branches are taken, what
# is called often. The same program, and the same bytes; docs/performance.md says what it wins.
#
#     benches/fastest.sh                    leaves target/fastest/release/rating
#     CPU=native benches/fastest.sh         for processors like this one alone
#
# Needs `llvm-profdata` of the compiler's own LLVM: `rustup component add llvm-tools`, or name it by LLVM_PROFDATA. Compiles
# everything twice: a quarter of an hour on two cores.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

HOST="$(rustc -vV | sed -n 's/^host: //p')"
LLVM_PROFDATA="${LLVM_PROFDATA:-$(rustc --print sysroot)/lib/rustlib/$HOST/bin/llvm-profdata}"
if ! "$LLVM_PROFDATA" --version > /dev/null; then
    echo "error: $LLVM_PROFDATA does not run. Help: rustup component add llvm-tools, or set LLVM_PROFDATA." >&2
    exit 1
fi
TARGET="$PWD/${CARGO_TARGET_DIR:-target}/fastest"
case "${CARGO_TARGET_DIR:-}" in /*) TARGET="$CARGO_TARGET_DIR/fastest" ;; esac
LEARNT="$TARGET/learnt"
WORK="$(mktemp -d)"
trap 'rm -rf "$WORK"' EXIT

# One target named by hand, so that build scripts and macros are compiled as ever.
build() { RUSTFLAGS="$1${CPU:+ -Ctarget-cpu=$CPU}" CARGO_TARGET_DIR="$TARGET/$2" cargo build --release --bin rating --target "$HOST"; }

rm -rf "$LEARNT" && mkdir -p "$LEARNT"
build "-Cprofile-generate=$LEARNT" learning
LEARNING="$TARGET/learning/$HOST/release/rating"
"$LEARNING" generate "$WORK/month" --records 200000 --prefixes 60000 > "$WORK/log"
for options in "" "--retail-only"; do
    # shellcheck disable=SC2086
    "$LEARNING" run "$WORK/month" $options --threads 2 --out "$WORK/out$options" > "$WORK/log"
done
"$LEARNING" run testdata/demo --out "$WORK/demo" > "$WORK/log"
"$LLVM_PROFDATA" merge -o "$LEARNT/merged.profdata" "$LEARNT"/*.profraw
build "-Cprofile-use=$LEARNT/merged.profdata" built

mkdir -p "$TARGET/release"
cp "$TARGET/built/$HOST/release/rating" "$TARGET/release/rating"
echo "$TARGET/release/rating"
