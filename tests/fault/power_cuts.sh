#!/usr/bin/env bash
# Power cuts under load, for the night: power_cuts.sh [COUNT [SEED [BIN]]], 500 cuts by
# default, with the programs of BIN (build/dev/bin). Prints the seed, by which a failure can
# be looked for again; exits non-zero where anything was lost or doubled.
set -euo pipefail
count=${1:-500}
seed=${2:-$(date +%s)}
bin=${3:-$(dirname "${BASH_SOURCE[0]}")/../../build/dev/bin}
echo "power cuts: $count, seed $seed"
FAULT_CUTS=$count FAULT_SEED=$seed exec "$bin/fault_e2e_tests" \
    --gtest_filter='PowerCuts.LoseNothingThatWasAcknowledged'
