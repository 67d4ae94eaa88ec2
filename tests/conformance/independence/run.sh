#!/usr/bin/env bash
# Installs the libraries of package-lock.json into the folder WORK and lets them judge what the runner
# writes. Usage: run.sh RUNNER WORK
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
mkdir -p "$2"
cp "$here"/{package.json,package-lock.json,.npmrc,check.mjs} "$2"
samples=$("$1" samples)
cd "$2"
npm ci --no-audit --no-fund --ignore-scripts >npm.log 2>&1 || { cat npm.log >&2; exit 1; }
node check.mjs <<<"$samples"
