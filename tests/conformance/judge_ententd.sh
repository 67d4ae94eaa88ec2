#!/usr/bin/env bash
# Starts one ententd in a folder of its own and lets the conformance runner judge it.
#
#   judge_ententd.sh BIN_FOLDER [ARGUMENTS OF run…]
#
# GRADED is a --min-graded without the public vector sets; with them there are two cases more. Where
# SANITIZE isn't empty, the daemon's memory isn't judged.
# Exits as `entente-conformance run` does. KEEP=1 leaves the folder behind and names it. Where
# ENTENTE_VECTORS names a folder with the public Ed25519 sets, they are judged too.
set -euo pipefail
bin=$(cd "$1" && pwd)
shift
self=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/$(basename "${BASH_SOURCE[0]}")

# Debian's libfaketime; nothing where it isn't installed.
faketime=$(find /usr/lib -name libfaketimeMT.so.1 -print -quit 2>/dev/null || true)

# start FOLDER [VARIABLE=VALUE…]: until it listens; stop SIGNAL FOLDER.
start() {
    (cd "$1" && exec env "${@:2}" "$bin/ententd" --config ententd.toml >>log 2>&1) &
    echo $! >"$1/pid"
    local attempt
    for ((attempt = 0; attempt < 600; ++attempt)); do
        if (exec 3<>"/dev/tcp/127.0.0.1/$(cat "$1/port")") 2>/dev/null; then return 0; fi
        kill -0 "$(cat "$1/pid")" 2>/dev/null || break
        sleep 0.05
    done
    echo "ententd doesn't start:" >&2
    tail -n 5 "$1/log" >&2
    return 1
}
stop() {
    local pid
    pid=$(cat "$2/pid")
    kill "-$1" "$pid" 2>/dev/null || return 0
    while kill -0 "$pid" 2>/dev/null; do sleep 0.02; done
}

# set_clock FOLDER: as standard input says, while it runs. The daemon has to be started once with
# libfaketime, and goes on without it from the next restart: nothing but the case that sets a clock
# is judged under it. Its steady clock, and so its timers, stay the system's.
set_clock() {
    local ahead
    ahead=$(sed -n 's/.*"ahead_ms": *\(-\{0,1\}[0-9]*\).*/\1/p')
    [[ -n $faketime ]] || exit 89
    # libfaketime reads it at each look at the clock, so it is exchanged at once.
    awk -v ms="$ahead" 'BEGIN { printf "%+.3f\n", ms / 1000 }' >"$1/clock.new"
    mv "$1/clock.new" "$1/clock"
    grep -q libfaketime "/proc/$(cat "$1/pid")/maps" && return 0
    stop TERM "$1"
    start "$1" LD_PRELOAD="$faketime" FAKETIME_TIMESTAMP_FILE="$1/clock" FAKETIME_NO_CACHE=1 \
        DONT_FAKE_MONOTONIC=1 NO_FAKE_STAT=1
}

# The hooks of target.toml call this file.
case ${1:-} in
    --hook-restart) stop TERM "$2"; start "$2"; exit ;;
    --hook-kill9) stop KILL "$2"; start "$2"; exit ;;
    --hook-clock) set_clock "$2"; exit ;;
    --hook-metrics)
        awk '/^VmRSS/ {printf "{\"rss_bytes\":%d}\n", $2 * 1024}' "/proc/$(cat "$2/pid")/status"
        exit ;;
esac

free_port() {
    local port
    while :; do
        port=$((20000 + RANDOM % 12000))
        (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
    done
    echo "$port"
}

folder=$(mktemp -d)
cleanup() {
    [[ ! -e $folder/pid ]] || stop TERM "$folder"
    if [[ -n ${KEEP:-} ]]; then echo "kept: $folder"; else rm -rf "$folder"; fi
}
trap cleanup EXIT

port=$(free_port)
peers=$(free_port)
echo "$port" >"$folder/port"
"$bin/entente-conformance" init --folder "$folder" --name target.test >/dev/null
cat >"$folder/ententd.toml" <<TXT
[server]
name = "target.test"
data = "data"
runtime = "run"

[[listener]]
address = "127.0.0.1:$port"
certificate = "tls/certificate.pem"
key = "tls/key.pem"

[federation]
allow_test_names = true
allow_networks = ["127.0.0.1/32"]
ca_file = "authority.pem"
resolve = { "*.peers.test" = "127.0.0.1:$peers" }

[registration]
mode = "open"
TXT
cat >"$folder/target.toml" <<TXT
[target]
name = "target.test"
base = "https://target.test"
connect = "127.0.0.1:$port"
ca_file = "tls/certificate.pem"

[peers]
listen = "127.0.0.1:$peers"
authority_certificate = "authority.pem"
authority_key = "authority.key"

[accounts]
client_api = "https://target.test"
register = true
first = { user = "alice@target.test", password = "alice's own words" }
second = { user = "bob@target.test", password = "bob's own words" }

[hooks]
restart = "'$self' '$bin' --hook-restart '$folder'"
kill9 = "'$self' '$bin' --hook-kill9 '$folder'"
clock = "'$self' '$bin' --hook-clock '$folder'"
TXT
[[ -n ${SANITIZE:-} ]] || echo "metrics = \"'$self' '$bin' --hook-metrics '$folder'\"" >>"$folder/target.toml"
# A test's own program, and not there where only the products are.
[[ ! -x $bin/conformance_verify ]] || echo "verify = \"'$bin/conformance_verify'\"" >>"$folder/target.toml"
options=()
[[ -z ${GRADED:-} ]] || options=(--min-graded "$GRADED")
if [[ -n ${ENTENTE_VECTORS:-} ]]; then
    options=(--vectors "$ENTENTE_VECTORS/wycheproof-ed25519.json,$ENTENTE_VECTORS/cctv-ed25519.json")
    [[ -z ${GRADED:-} ]] || options+=(--min-graded $((GRADED + 2)))
fi
(
    cd "$folder"
    "$bin/ententctl" certificate --config ententd.toml
    "$bin/ententctl" setup --config ententd.toml --secrets-file secrets
) >"$folder/setup.log" 2>&1 || { cat "$folder/setup.log" >&2; exit 1; }
start "$folder"
code=0
"$bin/entente-conformance" run --target "$folder/target.toml" "${options[@]}" "$@" || code=$?
exit "$code"
