#!/usr/bin/env bash
# The lines of docs/quick-start.md that talk to a server, run as a reader types them: in one shell,
# from top to bottom. Usage: quick_start.sh ROOT BIN; exit code 77 where curl or openssl is missing.
set -euo pipefail
root=$1 bin=$2
command -v curl >/dev/null && command -v openssl >/dev/null || exit 77
folder=$(mktemp -d)
daemon=
end() {
    [[ -z $daemon ]] || kill -TERM "$daemon" 2>/dev/null || true
    [[ -z $daemon ]] || wait "$daemon" || true
    rm -rf "$folder"
}
trap end EXIT

# blocks INFO: the lines of the guide's boxes of that kind.
blocks() { awk -v begin="\`\`\`$1" '/^```/ { inside = ($0 == begin) && !inside; next } inside' "$root/docs/quick-start.md"; }

mkdir "$folder/var"
port=$((20000 + RANDOM % 10000))
cat >"$folder/var/ententd.toml" <<TXT
[server]
name = "entente.test"
data = "data"
runtime = "run"
[[listener]]
address = "127.0.0.1:$port"
certificate = "tls/certificate.pem"
key = "tls/key.pem"
[federation]
api = "https://localhost:$port"
allow_test_names = true
[registration]
mode = "open"
TXT
cd "$folder"
# Relative paths on purpose: all of it has to be below var.
"$bin/ententctl" certificate --config var/ententd.toml
"$bin/ententctl" setup --config var/ententd.toml --secrets-file var/secrets
[[ -f var/data/keys/identity.json && ! -e var/var ]] || { echo "the keys aren't in var/data/keys"; exit 1; }
mkfifo log
"$bin/ententd" --config var/ententd.toml 2>log &
daemon=$!
exec 3<log
while IFS= read -r line <&3; do
    echo "$line"
    [[ $line != *' daemon: ready' ]] || break
done
cat <&3 &

{
    echo 'set -euo pipefail'
    blocks sh
    # The administrator's part, by what setup has shown and with another device.
    echo 'password=$(sed -n "s/^password: //p" var/secrets)'
    echo 'device="{\"id\":\"$(uuid)\",\"key\":\"$key\"}"'
    blocks 'sh invite'
} | sed "s/localhost:8448/localhost:$port/" >guide.sh
bash guide.sh >said
cat said
grep -q '"text":"hello"' said || { echo "the message isn't in the answer"; exit 1; }
grep -q '"code":"' said || { echo "no code was made"; exit 1; }
