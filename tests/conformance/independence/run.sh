#!/usr/bin/env bash
# Installs the libraries of package-lock.json into the folder WORK and lets them judge what the runner
# writes. Usage: run.sh RUNNER WORK
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
mkdir -p "$2"
cp "$here"/{package.json,package-lock.json,.npmrc,check.mjs,webcrypto.mjs} "$2"
samples=$("$1" samples)
cd "$2"
# Nothing outside of WORK is written, and a registry that can't be reached is said, not waited for.
export npm_config_cache=$PWD/npm-cache npm_config_update_notifier=false
export npm_config_fetch_timeout=15000 npm_config_fetch_retries=1
export npm_config_fetch_retry_mintimeout=1000 npm_config_fetch_retry_maxtimeout=2000
code=0
timeout --kill-after=5 50 npm ci --no-audit --no-fund --ignore-scripts >npm.log 2>&1 || code=$?
if ((code != 0)); then
    cat npm.log >&2
    # 124 and 137: cut off by timeout.
    if ((code == 124 || code == 137)); then why="has not ended in 50 s"; else why="failed with code $code"; fi
    printf 'independence: npm ci %s; the libraries of package-lock.json come from %s: can this machine reach it?\n' \
        "$why" "$(npm config get registry)" >&2
    exit 1
fi
node check.mjs <<<"$samples"
