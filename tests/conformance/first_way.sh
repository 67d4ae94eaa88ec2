#!/usr/bin/env bash
# What somebody sees who has nothing but the runner and a server: mistakes are named where they are,
# a hook that does nothing lets nothing pass, what is printed can be called, and a dead server ends
# a run. The server is the runner's own reference peer.
#
#   first_way.sh RUNNER
set -euo pipefail
runner=$(realpath "$1")

folder=$(mktemp -d)
peer=
finish() {
    stop_peer
    if [[ -n ${KEEP:-} ]]; then echo "kept: $folder"; else rm -rf "$folder"; fi
}
# The peer as it runs now: hooks start it anew.
stop_peer() {
    [[ -z $peer ]] || kill -KILL "$(cat "$peer/pid")" 2>/dev/null || true
}
trap finish EXIT
cd "$folder"
# Called as somebody calls it who has it beside him, in a folder whose name wants quotes.
ln -s "$runner" ./runner
peer="my server"

failures=0
# expect CODE WORDS COMMAND…: it exits so, and says so.
expect() {
    local code=0
    "${@:3}" >said 2>&1 || code=$?
    if [[ $code != "$1" ]] || ! grep -qF -- "$2" said; then
        echo "exit $code, where $1 is expected, with: $2"
        printf '    %q' "${@:3}"
        echo
        sed 's/^/    /' said
        failures=$((failures + 1))
    fi
}
# target EXPRESSION: the peer's file, changed.
target() {
    sed -E "$1" "$peer/target.toml" >"$peer/changed.toml"
}

port=$((23000 + RANDOM % 4000 * 2))
start_peer() {
    rm -f "$peer/control"
    ./runner reference --folder "$peer" "$@" >>log 2>&1 &
    local attempt
    for ((attempt = 0; attempt < 400; ++attempt)); do
        [[ ! -S $peer/control ]] || return 0
        sleep 0.05
    done
    echo "the peer doesn't start:"
    cat log
    exit 1
}
# Over-old requests are let in: a failure to look at.
start_peer --port $port --flags no-window-past
ok="$peer/target.toml"
bad="$peer/changed.toml"

# --- the command line
expect 2 'there is no verb frob' ./runner frob
expect 2 'there is no "full"; write core, hardened, or durable' ./runner run --target "$ok" --profile full
expect 3 'no case fits' ./runner list --only 'zz*'
expect 2 'is no server name' ./runner init --folder new --name https://a.example
expect 2 'is no folder' ./runner init --folder log --name a.example
expect 0 "./runner doctor --target 'a new one/target.toml'" ./runner init --folder 'a new one' --name a.example
expect 2 'is there already; nothing was changed' ./runner init --folder 'a new one' --name a.example

# --- the file
target 's/alice@reference.test/alice@other.test/'
expect 2 'accounts.first is "alice@other.test", no account of reference.test' ./runner doctor --target "$bad"
target 's/^ca_file = .*/ca_file = "peers.pem"/'
expect 4 'target.ca_file has to be of the authority that signed it' ./runner doctor --target "$bad"
target 's/password = "[^"]*"/password = "x"/'
expect 4 "accounts.first, alice@reference.test, can't log in" ./runner doctor --target "$bad"

# --- the way to the runner
cp 'a new one/authority.pem' "$peer/other.pem"
cp 'a new one/authority.key' "$peer/other.key"
target 's/"peers.pem"/"other.pem"/; s/"peers.key"/"other.key"/'
expect 4 'TLS was broken off (tlsv1 alert unknown ca): let it trust my server/other.pem' \
    ./runner doctor --target "$bad"
target 's/^listen = .*/listen = "127.0.0.1:'$((port - 1))'"/'
expect 4 "Nobody has connected to the runner at 127.0.0.1:$((port - 1))" ./runner doctor --target "$bad"
expect 0 'untried hook restart: --hooks tries it' ./runner doctor --target "$ok"
expect 0 "Next: ./runner run --target 'my server/target.toml'" ./runner doctor --target "$ok" --hooks

# --- hooks that do nothing
target 's/^(restart|kill9|clock) = .*/\1 = "true"/'
expect 4 'failed  hook kill9: the hook kill9 has done nothing' ./runner doctor --target "$bad" --hooks
durable=(--profile durable --only 'rep-16,rep-17,rep-19' --jobs 2)
expect 4 "3 could not run; 0 graded" ./runner run --target "$bad" "${durable[@]}"
cp said of_hooks
expect 0 "Mend \`clock\`, \`kill9\`, \`restart\` in [hooks] of my server/changed.toml" cat of_hooks
expect 0 "3 pass; 3 graded" ./runner run --target "$ok" "${durable[@]}"

# --- a failure, and its own command
expect 1 '[  1/1] fail           win-02 [SIG-3 MUST] A request that was created 305 s ago is refused as clock-skew: ' \
    ./runner run --target "$ok" --only win-02 --out json=report.json,html=report.html
expect 0 'The target asked' cat report.html
expect 0 'GET /.well-known/entente at win-02-' cat report.html
repro=$(sed -n 's/^ *"repro": "\(.*\)",*$/\1/p' report.json)
expect 1 'at "refused"' bash -c "$repro"
expect 1 'the target: GET /.well-known/entente at win-02-' bash -c "$repro"

# --- a server that dies: `restart` ends it for good
echo "kill -KILL \$(cat '$folder/$peer/pid')" >die.sh
target 's|^restart = .*|restart = "sh '"$folder"'/die.sh"|'
expect 6 'the target has stopped answering, at rep-16: ' ./runner run --target "$bad" \
    --profile durable --only 'rep-16,rep-17,rep-19,win-03' --out junit=report.xml
expect 0 'failures="1" errors="0" skipped="2"' cat report.xml
expect 4 'is the target running' ./runner run --target "$ok"

((failures == 0)) || { echo "$failures of what is expected isn't so"; exit 1; }
echo "all is said as it should be"
