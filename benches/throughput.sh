#!/usr/bin/env bash
# Records per second of a whole month, from the switches' files to published reports, on generated projects.
#
#     benches/throughput.sh                          1 M and 10 M records on one and two threads, five rounds
#     SIZES=1000000 ROUNDS=9 benches/throughput.sh   other sizes, rounds; also THREADS, SEED, MONTH, WORK, RATING
#
# Runs are interleaved (1 thread, 2 threads, 1 thread, ...) so that a busy neighbour slows all alike; figures are medians.
# Inputs are read once before, so they are in the page cache. Trust CPU seconds more than wall seconds on a machine that
# others use. Reports are compared byte by byte between all runs of a size.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

SIZES="${SIZES:-1000000 10000000}"
THREADS="${THREADS:-1 2}"
ROUNDS="${ROUNDS:-5}"
SEED="${SEED:-1}"
MONTH="${MONTH:-2026-10}"
WORK="${WORK:-${CARGO_TARGET_DIR:-target}/throughput}"
RATING="${RATING:-${CARGO_TARGET_DIR:-target}/release/rating}"

run() {
    printf '$ %s\n' "$*"
    "$@"
}

# Runs a command; leaves "wall user system peak-KiB" in MEASURED. Its own output goes to a file, shown if it fails.
measure() {
    local log="$WORK/log" times="$WORK/times" code=0 peak=0 seen pid
    printf '$ %s' "$*"
    if [ -x /usr/bin/time ]; then
        /usr/bin/time -f '%e %U %S %M' -o "$times" "$@" >"$log" 2>&1 || code=$?
        MEASURED=$(tail -n 1 "$times")
    else
        # Without GNU time the kernel's own high-water mark is read until the process ends.
        local TIMEFORMAT='%R %U %S'
        {
            time {
                "$@" >"$log" 2>&1 &
                pid=$!
                while seen=$(awk '/^VmHWM/ { print $2 }' "/proc/$pid/status" 2>/dev/null) && [ -n "$seen" ]; do
                    peak=$seen
                    sleep 0.02
                done
                wait "$pid" || code=$?
            }
        } 2>"$times"
        MEASURED="$(cat "$times") $peak"
    fi
    printf '   -> wall %s s, user %s s, system %s s, peak %s KiB\n' $MEASURED
    if [ "$code" -ne 0 ]; then
        cat "$log"
        printf 'exit code %d\n' "$code"
        exit 1
    fi
}

median() {
    sort -g | awk '{ line[NR] = $1 } END { print (line[int((NR + 1) / 2)] + line[int(NR / 2) + 1]) / 2 }'
}

# One digest of all published files; the manifest tells when and where, so it may differ.
digest() {
    (cd "$1" && find -L current -type f ! -name 'manifest*' -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum)
}

if [ ! -x "$RATING" ]; then run cargo build --release; fi
mkdir -p "$WORK"
load() { printf 'load of the machine %s: %s\n' "$1" "$(cut -d ' ' -f 1-3 /proc/loadavg)"; }
printf '%s\n' "$(uname -srm), $(nproc) cores, $("$RATING" --version)"
load before
TABLE="$WORK/table"
: >"$TABLE"
for size in $SIZES; do
    project="$WORK/$size-$SEED-$MONTH"
    if [ ! -e "$project/generated" ]; then
        rm -rf "$project"
        measure "$RATING" generate "$project" --records "$size" --seed "$SEED" --month "$MONTH"
        touch "$project/generated"
    fi
    bytes=$(find "$project" -type f -path '*/cdr/*' -exec cat {} + | wc -c)
    printf '%d records, %d bytes of CDRs, %d bytes a record\n' "$size" "$bytes" $((bytes / size))
    first=""
    for threads in $THREADS; do : >"$WORK/$size-$threads"; done
    for round in $(seq "$ROUNDS"); do
        for threads in $THREADS; do
            rm -rf "$WORK/out"
            measure "$RATING" run "$project" --month "$MONTH" --threads "$threads" --out "$WORK/out"
            echo "$MEASURED" >>"$WORK/$size-$threads"
            this=$(digest "$WORK/out")
            if [ "${first:=$this}" != "$this" ]; then
                printf 'round %d on %d threads published other bytes than the first run\n' "$round" "$threads"
                exit 1
            fi
        done
    done
    for threads in $THREADS; do
        wall=$(awk '{ print $1 }' "$WORK/$size-$threads" | median)
        cpu=$(awk '{ print $2 + $3 }' "$WORK/$size-$threads" | median)
        peak=$(awk '{ print $4 / 1024 }' "$WORK/$size-$threads" | median)
        awk -v size="$size" -v threads="$threads" -v wall="$wall" -v cpu="$cpu" -v peak="$peak" -v bytes="$bytes" 'BEGIN {
            printf "| %d | %d | %.2f | %.2f | %.0f | %.0f | %.0f | %.0f |\n",
                size, threads, wall, cpu, size / wall, size / cpu, bytes / wall / 1e6, peak }' >>"$TABLE"
    done
done
load after
printf '\nmedians of %d rounds\n\n' "$ROUNDS"
echo '| records | threads | wall s | CPU s | records/s | records per CPU s | MB/s of CDRs | peak MiB |'
echo '| --- | --- | --- | --- | --- | --- | --- | --- |'
cat "$TABLE"
