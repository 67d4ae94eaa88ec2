#!/usr/bin/env bash
# Reads the sources under ROOT and fails on: an include that runs up a floor, I/O in the
# rooms that do none, Beast outside of net's sources, a file over 500 lines, a placeholder, a
# source that no CMakeLists.txt above it names: it would be neither built nor run.
# Only bash, find and awk: it runs on a bare machine. Usage: lint.sh ROOT
set -euo pipefail
cd "$1"

rooms=(protocol trust net storage federation api daemon conformance)
folders=()
for folder in "${rooms[@]}" tests; do
    [[ -d $folder ]] && folders+=("$folder")
done
((${#folders[@]} > 0)) || { echo "lint: no sources under $1" >&2; exit 2; }

mapfile -t files < <(find "${folders[@]}" -name '*.[ch]pp' | sort)
((${#files[@]} > 0)) || { echo "lint: no sources under $1" >&2; exit 2; }
failed=0

awk '
function fault(text) { printf "%s:%d: %s\n", FILENAME, FNR, text; faults++ }

BEGIN {
    # What a room may use: itself and what stands below it.
    below["protocol"] = "protocol"
    below["trust"] = "trust protocol"
    below["net"] = "net protocol"
    below["storage"] = "storage trust protocol"
    below["federation"] = "federation storage net trust protocol"
    below["api"] = "api federation storage net trust protocol"
    below["daemon"] = "daemon api federation storage net trust protocol"
    below["conformance"] = "conformance"
    # The rooms of federation from the ground up; what lies beside them is for all.
    count = split("discovery gate direct log links queries people conduct inbox channels", order)
    for (i = 1; i <= count; i++) floor["federation/" order[i]] = i
    placeholder = "(^|[^A-Za-z_])(TO" "DO|FIX" "ME|X" "XX)([^A-Za-z_]|$)"
}

function room_in(name, parts) { return split(name, parts, "/") > 2 ? parts[1] "/" parts[2] : parts[1] }

FNR == 1 {
    split(FILENAME, path, "/")
    room = path[1]
    inner = room_in(FILENAME)
    if (inner ~ /^federation\// && !(inner in floor)) fault(inner " has no floor in tests/lint/lint.sh")
}
FNR == 501 { fault("is longer than 500 lines: perhaps two ideas") }
$0 ~ placeholder { fault("has a placeholder: finish it") }

/^[ \t]*#[ \t]*include/ {
    rest = $0
    sub(/^[ \t]*#[ \t]*include[ \t]*/, "", rest)
    quote = substr(rest, 1, 1)
    name = substr(rest, 2)
    sub(/[">].*/, "", name)
    first = name
    sub(/\/.*/, "", first)

    if (name ~ /\.\.\//) fault("includes by a relative path: write it from the root")
    if (room in below && first in below && index(" " below[room] " ", " " first " ") == 0)
        fault(room " includes " name ", which runs up a floor")
    if (room == "federation" && first == room && floor[room_in(name)] > floor[inner])
        fault(inner " includes " name ", which runs up a floor")
    if (room in below && first == "tests") fault(room " includes " name ", a test")
    if ((room == "protocol" || room == "trust") &&
        name ~ /^(boost\/asio|boost\/beast|sys\/socket|fstream|sqlite3|rocksdb|thread)/)
        fault(room " does no I/O, but includes " name)
    if (name ~ /^boost\/beast/ && room in below && !(room == "net" && FILENAME ~ /\.cpp$/))
        fault("Beast is included outside of net/*.cpp")
}

END { exit (faults > 0) }
' "${files[@]}" || failed=1

mapfile -t lists < <(find "${folders[@]}" -name CMakeLists.txt)
awk '
function folder_of(path) { return sub(/\/[^\/]*$/, "", path) ? path : "" }

FILENAME ~ /CMakeLists\.txt$/ {
    sub(/#.*/, "")
    count = split($0, words, /[ \t()"]+/)
    for (i = 1; i <= count; i++) {
        sub(/.*\//, "", words[i])
        sub(/\.cpp$/, "", words[i])
        named[folder_of(FILENAME), words[i]] = 1
    }
    next
}

{
    stem = $0
    sub(/.*\//, "", stem)
    sub(/\.cpp$/, "", stem)
    for (folder = folder_of($0); folder != "" && !((folder, stem) in named);)
        folder = folder_of(folder)
    if (folder == "") {
        print $0 ": no CMakeLists.txt names it: it is neither built nor run"
        faults++
    }
}

END { exit (faults > 0) }
' "${lists[@]}" <(find "${folders[@]}" -name '*.cpp' | sort) || failed=1
exit "$failed"
