#!/usr/bin/env bash
# The life of the package on a bare Debian 12 whose systemd is really booted: installed, set up, run in
# its whole sandbox, reloaded, hung and started again, upgraded with its data, removed, purged.
# Usage: lifecycle.sh ROOT BIN, as root, with Debian's mirror in reach. PACKAGE_BASE: a tar of a
# debootstrapped root with systemd, in place of fetching one; PACKAGE_DEB: the package, in place of
# making it. Needs debootstrap, lintian, curl.
set -euo pipefail
root=$(realpath "$1") bin=$2
here=$root/tests/package
folder=$(mktemp -d /tmp/entente-package-XXXXXX)
debian=$folder/root
booted=

say() { printf '== %s\n' "$*"; }
fail() { printf 'FAILED: %s\n' "$*" >&2; exit 1; }

end() {
    local code=$?
    if ((code != 0)) && [[ -n $booted ]]; then
        inside journalctl --no-pager -n 60 -u ententd.service -u ententd.socket || true
    fi
    [[ -z $booted ]] || { kill -9 "$booted" 2>/dev/null; wait "$booted" 2>/dev/null; } || true
    rm -rf --one-file-system "$folder"
    exit "$code"
}
trap end EXIT

# In the booted system; at its loopback, with our own curl.
inside() { nsenter -t "$init" -m -p -u -i -n -C -r -w env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"; }
as_ententd() { inside runuser -u ententd -- "$@"; }
ask() { nsenter -t "$init" -n curl -ksS --max-time 10 "https://127.0.0.1$1"; }

# until_so "WHAT" COMMAND...: for 60 s.
until_so() {
    local what=$1 i
    shift
    for ((i = 0; i < 600; i++)); do
        ! "$@" >/dev/null 2>&1 || return 0
        sleep 0.1
    done
    fail "waited in vain until $what"
}
# guide: the commands of install.md's first start, a line each.
guide() {
    awk '/^## / { within = ($0 == "## The first start") } !within { next }
        /^ *```/ { box = !box; next } box { sub(/^ +/, ""); print }' "$root/docs/operate/install.md"
}
# follow COMMAND: as the guide's reader, who has sudo. No terminal shows the secrets here, and no
# DNS has the name.
follow() {
    local command=${1#sudo }
    printf '$ %s\n' "$1"
    case $command in
        *' ententctl setup') command+=' --secrets-file /var/lib/ententd/secrets' ;;
    esac
    [[ $command != '-u ententd '* ]] || command="runuser -u ententd -- ${command#-u ententd }"
    inside bash -c "$command" >"$folder/followed" 2>&1 || [[ $command == *' ententctl doctor' ]] ||
        { cat "$folder/followed"; return 1; }
    [[ $command != *' ententctl doctor' ]] || grep -q 'it is ready' "$folder/followed"
}
property() { inside systemctl show -P "$1" ententd.service; }
is_ready() { [[ $(ask /ready) == *ready* && $(property ActiveState) == active ]]; }

boot() {
    bash "$here/boot.sh" "$debian" </dev/null >"$folder/console" 2>&1 &
    booted=$!
    until_so "systemd is there" pgrep -P "$booted"
    init=$(pgrep -P "$booted" | head -n 1)
    until_so "systemd has booted" is_booted
}
is_booted() { [[ $(inside systemctl is-system-running) == @(running|degraded) ]]; }

((EUID == 0)) || fail "needs root"
for program in dh fakeroot lintian debootstrap curl nsenter unshare; do
    command -v "$program" >/dev/null || fail "$program is missing (CI=1 ./dev test installs all)"
done
version=$(sed -n 's/^project(entente VERSION \([0-9.]*\).*/\1/p' "$root/CMakeLists.txt")

say "package"
new=${PACKAGE_DEB:-$(bash "$root/etc/package/build.sh" "$root" "$bin" "$folder/out" "$version")}
lintian --allow-root --fail-on error "$new"
# What was there before: the same with a lower version.
dpkg-deb -R "$new" "$folder/before"
sed -i "s/^Version: .*/Version: $version~before/" "$folder/before/DEBIAN/control"
dpkg-deb -Znone -b "$folder/before" "$folder/before.deb" >/dev/null

say "bare Debian"
mkdir "$debian"
if [[ -n ${PACKAGE_BASE:-} ]]; then
    tar -C "$debian" -xf "$PACKAGE_BASE"
else
    debootstrap --variant=minbase --include=systemd,systemd-sysv,dbus,ca-certificates bookworm "$debian" \
        http://deb.debian.org/debian >"$folder/debootstrap.log" || fail "debootstrap"
fi

say "installed"
cp "$folder/before.deb" "$new" "$debian/root/"
# With the machine's network, for what it depends on.
unshare --mount bash -euc 'mount -t proc proc "$1/proc"; exec chroot "$@"' install "$debian" \
    env DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends /root/before.deb >"$folder/install.log" 2>&1 || { tail "$folder/install.log"; fail "install"; }
[[ $(stat -c '%U:%a' "$debian/etc/ententd/ententd.toml") == root:644 ]] || fail "the configuration's mode"
[[ $(chroot "$debian" stat -c '%U:%G:%a' /var/lib/ententd) == ententd:ententd:700 ]] || fail "the data folder"
[[ $(chroot "$debian" stat -c '%U:%a' /etc/ententd/tls) == ententd:700 ]] || fail "the certificates' folder"
grep -qx /etc/ententd/ententd.toml "$debian/var/lib/dpkg/info/ententd.conffiles" || fail "no conffile"
[[ ! -e $debian/etc/systemd/system/sockets.target.wants/ententd.socket ]] || fail "the socket is enabled"
[[ ! -e $debian/etc/systemd/system/multi-user.target.wants/ententd.service ]] || fail "the service is enabled"

boot
say "set up"
# It lacks the name, and says so.
! as_ententd ententd check >"$folder/said" || fail "a server without a name would start"
grep -q 'server.name is missing' "$folder/said" || fail "check says nothing of the name"
sed -i 's/^# name = .*/name = "a.example"/' "$debian/etc/ententd/ententd.toml"
as_ententd ententctl certificate
mapfile -t commands < <(guide)
((${#commands[@]} == 6)) || fail "the guide has ${#commands[@]} commands"
for command in "${commands[@]}"; do follow "$command" || fail "$command"; done

say "runs in its sandbox, at a port below 1024"
until_so "it is ready" is_ready
[[ $(property StatusText) == "serving a.example" ]] || fail "status: $(property StatusText)"
main=$(property MainPID)
status=$(inside cat "/proc/$main/status")
for line in 'Seccomp:[[:space:]]2' 'NoNewPrivs:[[:space:]]1' 'CapEff:[[:space:]]0000000000000000' \
    'CapBnd:[[:space:]]0000000000000000'; do
    grep -q "^$line" <<<"$status" || fail "not in force: $line"
done
inside systemctl status --no-pager ententd.service | head -n 8
as_ententd ententctl settings set registration.mode closed >/dev/null
# Root, from outside of its user namespace, is answered too.
inside ententctl user list --json >"$folder/users" || fail "root isn't answered"
grep -q admin "$folder/users" || fail "no administrator"

say "reloads"
inside systemctl reload ententd.service
[[ $(property ActiveState) == active ]] || fail "not active behind the reload"
inside journalctl -q --no-pager -u ententd.service | grep -q 'reload is done' || fail "no word of the reload"
[[ $(property MainPID) == "$main" ]] || fail "a reload has restarted it"

say "is started again where it hangs"
mkdir -p "$debian/etc/systemd/system/ententd.service.d"
printf '[Service]\nWatchdogSec=3\n' >"$debian/etc/systemd/system/ententd.service.d/hang.conf"
inside systemctl daemon-reload
inside systemctl restart ententd.service
until_so "it is ready" is_ready
[[ $(property NRestarts) == 0 ]] || fail "restarts: $(property NRestarts)"
inside bash -c "kill -STOP $(property MainPID)"
was_restarted() { [[ $(property NRestarts) == 1 ]] && is_ready; }
until_so "the watchdog has started it again" was_restarted
rm -r "$debian/etc/systemd/system/ententd.service.d"
inside systemctl daemon-reload

say "no system call was refused"
if inside journalctl -q --no-pager -u ententd.service | grep -i 'not permitted\|permission denied\|SIGSYS'; then
    fail "something was"
fi

say "upgraded, with its data"
main=$(property MainPID)
inside dpkg -i "/root/${new##*/}" >"$folder/upgrade.log" 2>&1 || { cat "$folder/upgrade.log"; fail "upgrade"; }
until_so "it is ready" is_ready
[[ $(property MainPID) != "$main" ]] || fail "the old program goes on"
grep -q '^name = "a.example"' "$debian/etc/ententd/ententd.toml" || fail "the configuration was replaced"
as_ententd ententctl settings --help >/dev/null
as_ententd ententctl settings show --json | grep -q '"set": "closed"' || fail "the data is gone"
[[ $(inside systemctl is-active ententd.socket) == active ]] || fail "the socket was closed"

say "removed: it stops, and leaves configuration and data"
inside dpkg -r ententd >"$folder/remove.log" 2>&1 || { cat "$folder/remove.log"; fail "remove"; }
[[ $(inside systemctl is-active ententd.service) != active ]] || fail "it runs on"
! ask /ready >/dev/null 2>&1 || fail "the port is open"
[[ -f $debian/etc/ententd/ententd.toml && -f $debian/var/lib/ententd/keys/identity.json ]] || fail "too much is gone"

say "purged: keys and database stay, and it says so"
inside dpkg -P ententd >"$folder/purge.log" 2>&1 || { cat "$folder/purge.log"; fail "purge"; }
grep -q 'stay in /var/lib/ententd' "$folder/purge.log" || fail "nothing is said of the keys"
[[ ! -e $debian/etc/ententd/ententd.toml ]] || fail "the configuration stays"
[[ -f $debian/var/lib/ententd/keys/identity.json ]] || fail "the keys are gone"

say "a package that was never set up leaves nothing"
rm -r "$debian/var/lib/ententd" "$debian/etc/ententd"
{ inside dpkg -i "/root/${new##*/}" && inside dpkg -P ententd; } >"$folder/again.log" 2>&1 ||
    { cat "$folder/again.log"; fail "installing and purging it again"; }
[[ ! -e $debian/var/lib/ententd && ! -e $debian/etc/ententd ]] || fail "something is left"

kill -9 "$booted"
wait "$booted" 2>/dev/null || true
booted=
say "all of it held"
