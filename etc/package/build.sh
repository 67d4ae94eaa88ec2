#!/usr/bin/env bash
# Makes the Debian package of programs that are built: ./dev package calls it, and the tests do.
# Usage: build.sh ROOT BIN OUT VERSION
set -euo pipefail
root=$1 bin=$(realpath "$2") out=$3 version=$4
mkdir -p "$out"
out=$(realpath "$out")
work=$out/work
rm -rf "$work"
mkdir -p "$work/tree/bin"
cd "$work/tree"

# The source's own time, so that the same source makes the same package.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git -C "$root" log -1 --format=%ct 2>/dev/null || date +%s)}
export SOURCE_DATE_EPOCH
cp "$bin/ententd" "$bin/ententctl" "$bin/entente-conformance" bin/
cp -r "$root/etc" etc
mv etc/debian debian
cp etc/systemd/ententd.service debian/ententd.service
cp etc/systemd/ententd.socket debian/ententd.socket
bash etc/package/describe.sh bin made "$version" "$(date -u -d "@$SOURCE_DATE_EPOCH" +%Y-%m-%d)"
cat >debian/changelog <<TXT
entente ($version) unstable; urgency=medium

  * Version $version; what has changed is in the history of the source.

 -- The Entente project <maintainers@entente.example>  $(date -u -R -d "@$SOURCE_DATE_EPOCH")
TXT
mkdir -p debian/source
echo '3.0 (native)' >debian/source/format
dpkg-buildpackage -b -us -uc -ui >"$work/log" 2>&1 || { tail -n 40 "$work/log" >&2; exit 1; }
mv "$work"/*.deb "$out/"
printf '%s\n' "$out/ententd_${version}_$(dpkg --print-architecture).deb"
