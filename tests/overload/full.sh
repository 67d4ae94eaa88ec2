#!/usr/bin/env bash
# Overload in its full size, for the night: full.sh [SECONDS [BIN]], 60 seconds a flood by
# default, with the programs of BIN (build/dev/bin): 5,000 slow connections, 10,000 idle
# ones, a peer that answers after 29 s; p99 of everybody else's messages under 200 ms.
set -euo pipefail
usage="full.sh [SECONDS [BIN]]: SECONDS a whole number from 1 (60), BIN a folder of programs (build/dev/bin)"
if (($# == 1)) && [[ $1 == -h || $1 == --help ]]; then
    echo "$usage"
    exit 0
fi
seconds=${1:-60}
if (($# > 2)) || [[ ! $seconds =~ ^[1-9][0-9]{0,5}$ ]]; then
    echo "$usage" >&2
    exit 2
fi
bin=${2:-$(dirname "${BASH_SOURCE[0]}")/../../build/dev/bin}
# The limit is each process's own: the test has one end of each of the 10,000 connections, the
# server the other, and of the server's files 1,160 are for its stores and for other servers.
needed=12000
if [[ ! -x $bin/overload_tests ]]; then
    echo "overload: there is no $bin/overload_tests; ./dev build dev overload_tests makes it" >&2
    exit 2
fi
files=$(ulimit -Hn)
if [[ $files != unlimited ]] && ((files < needed)); then
    echo "overload: $files files a process are too few for 10,000 connections: $needed it takes" >&2
    exit 2
fi
OVERLOAD_SECONDS=$seconds exec "$bin/overload_tests"
