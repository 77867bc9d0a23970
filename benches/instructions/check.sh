#!/usr/bin/env bash
# Counts instructions of parse, rate and a whole small month, and compares them with recorded.txt.
#
#     benches/instructions/check.sh                   fails if one of them has grown by more than 5 %
#     benches/instructions/check.sh record 'reason'   counts anew and writes them down, with the reason in one line
#
# Counts repeat to 0.1 %, on a busy machine as on an idle one: callgrind runs one thread at a time and looks at no clock, the
# compiler is that of rust-toolchain.toml, and it compiles for any x86-64 (so RUSTFLAGS must be empty). A change that costs more for
# a good reason records the new counts in the same commit; the reason stands beside them.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

MODE="${1:-check}"
REASON="${2:-}"
RECORDED=benches/instructions/recorded.txt
GROWTH=5
TARGET="${CARGO_TARGET_DIR:-target}"
WORK="$TARGET/instructions"

if [ -n "${RUSTFLAGS:-}${CARGO_ENCODED_RUSTFLAGS:-}" ]; then
    echo "RUSTFLAGS are set: the counts would be those of another program" >&2
    exit 2
fi
case "$MODE" in
check) ;;
record) [ -n "$REASON" ] || { echo "say why: check.sh record 'reason'" >&2; exit 2; } ;;
*) echo "what is \`$MODE\`? nothing, or \`record 'reason'\`" >&2; exit 2 ;;
esac

# The profile as it is in the repository, whatever somebody has set for faster builds.
unset CARGO_PROFILE_RELEASE_INCREMENTAL CARGO_PROFILE_RELEASE_CODEGEN_UNITS CARGO_PROFILE_RELEASE_OPT_LEVEL
cargo build --quiet --release -p rating-service --bin rating -p rating-benches --bin instructions
rm -rf "$WORK"
mkdir -p "$WORK"
"$TARGET/release/rating" generate "$WORK/project" --records 20000 --seed 1 --month 2026-10 >"$WORK/log"

# Prints the instructions of a command; with a function's name, only those within it.
count() {
    local within=()
    [ -z "$1" ] || within=("--toggle-collect=$1")
    shift
    if ! valgrind --tool=callgrind --callgrind-out-file=/dev/null "${within[@]}" "$@" >"$WORK/log" 2>&1; then
        cat "$WORK/log" >&2
        return 1
    fi
    sed -n 's/^==[0-9]*== Collected : \([0-9]*\).*/\1/p' "$WORK/log"
}

parse=$(count 'instructions::counted_parse' "$TARGET/release/instructions" parse)
rate=$(count 'instructions::counted_rate' "$TARGET/release/instructions" rate)
month=$(count '' "$TARGET/release/rating" run "$WORK/project" --threads 1 --out "$WORK/out")
for counted in "parse $parse" "rate $rate" "month $month"; do
    # A month is millions of instructions at least: nothing counted is a mistake of this script.
    if [ "${counted#* }" -lt 1000000 ]; then
        echo "counted ${counted#* } instructions of ${counted% *}: that cannot be" >&2
        exit 1
    fi
done

if [ "$MODE" = record ]; then
    {
        echo "# Instructions for 20,000 records, by benches/instructions/check.sh record: what, how many, why they changed."
        printf '%s\t%s\t%s\n' parse "$parse" "$REASON" rate "$rate" "$REASON" month "$month" "$REASON"
    } >"$RECORDED"
    cat "$RECORDED"
    exit 0
fi

# What was recorded last may be more than before only with another reason.
unexplained=0
changed=$(git log -1 --format=%H -- "$RECORDED" 2>/dev/null || true)
if [ -n "$changed" ] && before=$(git show "$changed~1:$RECORDED" 2>/dev/null); then
    while IFS=$'\t' read -r name now why; do
        IFS=$'\t' read -r _ then because < <(grep -P "^$name\t" <<<"$before") || continue
        if [ "$((now * 100))" -gt "$((then * (100 + GROWTH)))" ] && [ "$why" = "$because" ]; then
            echo "$name: recorded with $now instructions after $then, for the same reason as before: \`$why\`"
            unexplained=1
        fi
    done < <(git show "$changed:$RECORDED" | grep -v '^#')
fi

failed=$unexplained
for counted in "parse $parse" "rate $rate" "month $month"; do
    name="${counted% *}" now="${counted#* }"
    then=$(awk -F '\t' -v name="$name" '$1 == name { print $2 }' "$RECORDED")
    verdict=$(awk -v now="$now" -v then="$then" -v growth="$GROWTH" 'BEGIN {
        change = (now / then - 1) * 100
        word = change > growth ? "GROWN" : change < -growth ? "less: record it" : "as recorded"
        printf "%+.2f %%, %s", change, word }')
    printf '%-6s %12d instructions, %6d a record, recorded %12d: %s\n' "$name" "$now" "$((now / 20000))" "$then" "$verdict"
    case "$verdict" in *GROWN) failed=1 ;; esac
done
if [ "$failed" -ne 0 ]; then
    echo "more instructions than recorded: mend it, or run \`benches/instructions/check.sh record 'reason'\` and commit what it writes"
    exit 1
fi
