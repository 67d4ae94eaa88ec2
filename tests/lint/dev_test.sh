#!/usr/bin/env bash
# ./dev judges its arguments before it installs, builds or writes anything, and ./dev run says where
# the server is when that server is ready, not when anybody answers. Usage: dev_test.sh ROOT
set -uo pipefail
root=$1
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failed=0

# A tree of its own, in which all is installed and built, by programs that do nothing.
tree=$scratch/tree
fakes=$scratch/fakes
mkdir -p "$tree/build/release/bin" "$fakes"
cp "$root/dev" "$tree/dev"
fake() {
    printf '#!/usr/bin/env bash\n%s\n' "$2" >"$1"
    chmod +x "$1"
}
# shellcheck disable=SC2016
fake "$fakes/dpkg-query" 'shift 2; for package in "$@"; do echo "$package|installed"; done'
fake "$fakes/cmake" "echo built >>'$scratch/built'"
fake "$tree/build/release/bin/ententctl" 'exit 0'
touch "$scratch/built"

complain() {
    echo "FAILED: $1"
    failed=1
}

# dev ARGUMENT...: what it says is in $said, its exit code in $code.
dev() {
    code=0
    : >"$scratch/built"
    said=$(cd "$scratch" && PATH=$fakes:$PATH bash "$tree/dev" "$@" 2>&1 </dev/null) || code=$?
}

# refuses WORDS ARGUMENT...
refuses() {
    local words=$1
    shift
    dev "$@"
    ((code != 0)) || complain "./dev $* passes"
    [[ $said == *"$words"* ]] || complain "./dev $* doesn't say '$words', but: $said"
    [[ ! -s $scratch/built ]] || complain "./dev $* builds before it looks at its arguments"
    [[ ! -e $scratch/node && ! -e $tree/var ]] || complain "./dev $* has written its folder"
}

refuses 'unknown argument --sed' sim --sed 3
refuses '--seed needs a value' sim --seed
refuses 'x is no number' sim --seeds x
refuses 'unknown argument --fast' demo --fast
refuses 'unknown argument now' package now
refuses 'unknown argument --quik' bench --quik
refuses '--json needs a value' bench --json --quick
refuses 'unknown argument --quick' bench --storage --quick
refuses 'unknown argument foo' run foo
refuses '--port needs a value' run --port
refuses 'a number from 1 to 65535' run --port 65536 --folder node
refuses 'a number from 1 to 65535' run --port 0 --folder node
refuses 'a lower-case DNS name' run --name A.test --folder node
refuses 'a lower-case DNS name' run --name alone --folder node

# The port is another's: the server says so and ends.
daemon=$tree/build/release/bin/ententd
fake "$daemon" 'echo "1 error   daemon: can'"'"'t start detail=in-use" >&2; exit 70'
dev run --folder node --name a.test --port 65535
((code == 70)) || complain "./dev run ends with $code where ententd ends with 70"
[[ $said == *"can't start"* ]] || complain "./dev run hides what ententd says: $said"
[[ $said != *'is at https'* ]] || complain "./dev run says that a server is there which isn't: $said"
[[ -s $scratch/built ]] || complain "./dev run builds nothing"
[[ -f $scratch/node/ententd.toml ]] || complain "--folder isn't below the folder in which ./dev was started"

fake "$daemon" 'echo "1 info    daemon: ready" >&2'
dev run --folder node
((code == 0)) || complain "./dev run ends with $code"
[[ $said == *'a.test is at https://localhost:65535'* ]] || complain "./dev run doesn't say where it is: $said"

# What is written once isn't silently kept against what is asked for.
for other in '--port 8449' '--name b.test'; do
    # shellcheck disable=SC2086
    dev run --folder node $other
    ((code != 0)) || complain "./dev run $other passes the second time"
    [[ $said == *"$scratch/node/ententd.toml has the "* ]] || complain "./dev run $other says: $said"
done
dev run --folder node --name a.test --port 65535
((code == 0)) || complain "./dev run refuses what is so already: $said"

for wrong in --halp 0 1x '3 build more'; do
    # shellcheck disable=SC2086
    said=$(bash "$root/tests/overload/full.sh" $wrong 2>&1)
    (($? == 2)) && [[ $said == full.sh* ]] || complain "full.sh $wrong says: $said"
done
said=$(bash "$root/tests/overload/full.sh" --help) || complain "full.sh --help fails"
exit "$failed"
