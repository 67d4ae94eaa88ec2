#!/usr/bin/env bash
# Overload in its full size, for the night: full.sh [SECONDS [BIN]], 60 seconds a flood by
# default, with the programs of BIN (build/dev/bin): 5,000 slow connections, 10,000 idle
# ones, a peer that answers after 29 s; p99 of everybody else's messages under 200 ms.
set -euo pipefail
seconds=${1:-60}
bin=${2:-$(dirname "${BASH_SOURCE[0]}")/../../build/dev/bin}
files=$(ulimit -Hn)
if [[ $files != unlimited ]] && ((files < 24000)); then
    echo "overload: $files files are too few for 10,000 connections and their other ends" >&2
    exit 2
fi
OVERLOAD_SECONDS=$seconds exec "$bin/overload_tests"
