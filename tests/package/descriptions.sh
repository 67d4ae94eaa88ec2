#!/usr/bin/env bash
# Manual pages and completions, made from --help: they have every verb, and a shell takes them.
# Usage: descriptions.sh ROOT BIN
set -euo pipefail
root=$1 bin=$2
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
fail() { printf 'FAILED: %s\n' "$*" >&2; exit 1; }

bash "$root/etc/package/describe.sh" "$bin" "$folder" 0.0.1 2026-01-01

# A verb of each kind, with an option of its own, and what stands above all of them.
for line in '.SS peer list' '.SS channel prove' '.SS user sessions end' '.SS doctor' \
    '.B \-\-secrets\-file FILE' '.TH ENTENTCTL 8 "2026-01-01" "entente 0.0.1" "Entente"'; do
    grep -qxF -e "$line" "$folder/ententctl.8" || fail "ententctl.8 lacks $line"
done
grep -q '^Exit code: 0 done' "$folder/ententctl.8" || fail "ententctl.8 lacks the exit codes"
grep -qxF -e '.SS check' "$folder/ententd.8" || fail "ententd.8 lacks check"
grep -qxF -e '.SS run' "$folder/entente-conformance.1" || fail "entente-conformance.1 lacks run"
if command -v man >/dev/null; then
    for page in "$folder"/*.[18]; do
        said=$(man --warnings -l "$page" 2>&1 >/dev/null) || true
        [[ -z $said ]] || fail "${page##*/}: $said"
    done
fi

# complete WORD...: what bash offers for the last of them.
complete_words() {
    bash -c '
        source "$1"
        shift
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
        _ententctl
        printf "%s\n" "${COMPREPLY[@]}"' complete "$folder/bash/ententctl" "$@" | LC_ALL=C sort | paste -sd ' '
}
# offers "WHAT" WORD...
offers() {
    local what=$1 said
    shift
    said=$(complete_words "$@")
    [[ $said == "$what" ]] || fail "bash offers '$said' for '$*', not '$what'"
}
offers 'settings setup' ententctl set
offers 'list' ententctl peer li
offers 'end' ententctl --json user sessions en
offers '--secrets-file' ententctl setup --se
offers '--all' ententctl peer verify b.test --al
offers '--config' ententctl peer list --con
if command -v zsh >/dev/null; then
    for file in "$folder"/zsh/_*; do zsh -n "$file" || fail "zsh doesn't read ${file##*/}"; done
fi
