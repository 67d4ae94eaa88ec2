#!/usr/bin/env bash
# Starts one ententd in a folder of its own and lets the conformance runner judge it.
#
#   judge_ententd.sh BIN_FOLDER [ARGUMENTS OF run…]
#
# Exits as `entente-conformance run` does. KEEP=1 leaves the folder behind and names it.
set -euo pipefail
bin=$(cd "$1" && pwd)
shift
self=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/$(basename "${BASH_SOURCE[0]}")

# start FOLDER: until it listens; stop SIGNAL FOLDER.
start() {
    (cd "$1" && exec "$bin/ententd" --config ententd.toml >>log 2>&1) &
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

# The hooks of target.toml call this file.
case ${1:-} in
    --hook-restart) stop TERM "$2"; start "$2"; exit ;;
    --hook-kill9) stop KILL "$2"; start "$2"; exit ;;
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
metrics = "'$self' '$bin' --hook-metrics '$folder'"
TXT
(
    cd "$folder"
    "$bin/ententctl" certificate --config ententd.toml
    "$bin/ententctl" setup --config ententd.toml --secrets-file secrets
) >"$folder/setup.log" 2>&1 || { cat "$folder/setup.log" >&2; exit 1; }
start "$folder"
code=0
"$bin/entente-conformance" run --target "$folder/target.toml" "$@" || code=$?
exit "$code"
