#!/usr/bin/env bash
# Runs conformance cases in the sealed topology: a network namespace without a way out, in which the
# runner's peers have a globally routable address and port 443, and the runner answers the target's
# DNS. So our daemon runs there with its address guard on: no allow_networks, no resolve.
#
# Every address that the cases forbid leads to the runner's listener too. A daemon without a guard
# would get there, and find a right document.
set -euo pipefail

usage="usage: sealed.sh BIN [ARGUMENTS OF run]
BIN holds ententd, ententctl and entente-conformance (or SEALED_RUNNER names that). Without
arguments the cases disc-* run. SEALED_GUARD=off allows the daemon all addresses, to see the
cases fail. Needs iproute2, and to be allowed a network namespace: exits with 77 where it isn't,
and where this machine is too busy to measure."
(($# > 0)) || { echo "$usage" >&2; exit 2; }
if [[ ${SEALED_INSIDE:-} != yes ]]; then
    if ! refused=$(unshare --map-root-user --net --mount ip link set lo up 2>&1); then
        echo "skipped: no network namespace can be had here: $refused"
        exit 77
    fi
    SEALED_INSIDE=yes exec unshare --map-root-user --net --mount "$0" "$@"
fi

bin=$(cd "$1" && pwd)
shift
runner=${SEALED_RUNNER:-$bin/entente-conformance}
(($# > 0)) || set -- --profile hardened --only 'disc-*'

peers=93.184.216.34
dns=93.184.216.53
forbidden4=(10.0.0.1 100.64.0.1 169.254.169.254 192.0.0.8 198.18.0.1 240.0.0.1)
forbidden6=(fe80::1 fc00::1 ::127.0.0.1 64:ff9b::7f00:1 2002:7f00:1::1 2001::1)

ip link set lo up
for address in $peers $dns; do ip addr add $address/32 dev lo; done
for address in "${forbidden4[@]}"; do ip route add local $address/32 dev lo; done
# Where there is no IPv6 the runner can't be reached there, and those cases are not applicable.
for address in "${forbidden6[@]}"; do
    ip -6 addr add $address/128 dev lo nodad 2>/dev/null || echo "no $address here" >&2
done

folder=$(mktemp -d)
daemon=
finish() {
    [[ -z $daemon ]] || kill "$daemon" 2>/dev/null || true
    [[ -z $daemon ]] || wait "$daemon" 2>/dev/null || true
    rm -rf "$folder"
}
trap finish EXIT
cd "$folder"
echo "nameserver $dns" > resolv.conf
mount --bind resolv.conf /etc/resolv.conf

"$runner" init --folder . --name target.test > init.log
cat > ententd.toml <<'TOML'
[server]
name = "target.test"
data = "data"
runtime = "run"
[[listener]]
address = "127.0.0.1:8448"
certificate = "tls/certificate.pem"
key = "tls/key.pem"
serves = ["federation", "client", "metrics"]
[federation]
api = "https://target.test"
allow_test_names = true
ca_file = "authority.pem"
[registration]
mode = "open"
TOML
if [[ ${SEALED_GUARD:-on} == off ]]; then
    sed -i 's/^\[federation\]$/&\nallow_networks = ["0.0.0.0\/0", "::\/0"]/' ententd.toml
fi
"$bin/ententctl" certificate --config ententd.toml > setup.log
"$bin/ententctl" setup --config ententd.toml --secrets-file secrets >> setup.log
"$bin/ententd" --config ententd.toml > daemon.log 2>&1 &
daemon=$!

for ((attempt = 0; attempt < 600; ++attempt)); do
    (exec 3<>/dev/tcp/127.0.0.1/8448) 2>/dev/null && break
    sleep 0.05
done

cat > target.toml <<TOML
[target]
name = "target.test"
base = "https://target.test"
connect = "127.0.0.1:8448"
ca_file = "tls/certificate.pem"
[peers]
domain = "peers.test"
topology = "sealed"
listen = "[::]:443"
address = "$peers"
dns = "$dns:53"
authority_certificate = "authority.pem"
authority_key = "authority.key"
[accounts]
client_api = "https://target.test"
connect = "127.0.0.1:8448"
register = true
first = { user = "alice@target.test", password = "password-alice" }
second = { user = "bob@target.test", password = "password-bob" }
TOML
[[ -e /proc/net/if_inet6 ]] || sed -i 's/\[::\]:443/0.0.0.0:443/' target.toml
status=0
"$runner" run --target target.toml "$@" || status=$?
if ((status != 0)) && [[ -n ${SEALED_LOG:-} ]]; then cp daemon.log "$SEALED_LOG"; fi
# Nothing is wrong, but this machine was too busy to measure some cases.
((status != 7)) || exit 77
exit $status
