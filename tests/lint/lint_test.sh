#!/usr/bin/env bash
# Proves that lint.sh finds what it is there for: each bad tree must fail with its
# sentence, and the good one must pass. Usage: lint_test.sh
set -uo pipefail
lint=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/lint.sh
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failed=0

# tree NAME FILE TEXT: a tree that is fine but for one file.
tree() {
    mkdir -p "$scratch/$1/protocol" "$scratch/$1/net" "$scratch/$1/federation" "$scratch/$1/tests"
    printf '#include <string>\n' >"$scratch/$1/protocol/names.hpp"
    printf '#include "protocol/names.hpp"\n#include <boost/beast/core.hpp>\n' >"$scratch/$1/net/server.cpp"
    printf '#include "net/server.hpp"\n' >"$scratch/$1/federation/inbox.cpp"
    local room
    for room in protocol trust net storage federation api daemon tests; do
        mkdir -p "$scratch/$1/$room"
        printf 'add_library(%s bad.cpp server.cpp inbox.cpp names_test.cpp)\n' "$room" \
            >"$scratch/$1/$room/CMakeLists.txt"
    done
    mkdir -p "$scratch/$1/$(dirname "$2")"
    printf '%b' "$3" >"$scratch/$1/$2"
}

# refuses WHAT SENTENCE FILE TEXT
refuses() {
    tree "$1" "$3" "$4"
    local said
    if said=$(bash "$lint" "$scratch/$1" 2>&1); then
        echo "FAILED: lint.sh lets pass: $1"
        failed=1
    elif [[ $said != *"$3:"*"$2"* ]]; then
        echo "FAILED: lint.sh on $1 doesn't name $3 and '$2', but says: $said"
        failed=1
    fi
}

tree good tests/protocol/names_test.cpp '#include "protocol/names.hpp"\n'
if ! said=$(bash "$lint" "$scratch/good" 2>&1); then
    echo "FAILED: lint.sh refuses a good tree: $said"
    failed=1
fi

placeholder='// TO''DO: later\n'
refuses up-from-protocol 'runs up a floor' protocol/bad.cpp '#include "net/server.hpp"\n'
refuses up-from-storage 'runs up a floor' storage/bad.hpp '#pragma once\n#include "federation/inbox.hpp"\n'
refuses up-in-federation 'runs up a floor' federation/log/inbox.cpp '#include "federation/links/batch.hpp"\n'
refuses up-from-the-ground 'runs up a floor' federation/bad.cpp '#include "federation/gate/gate.hpp"\n'
refuses no-floor 'has no floor' federation/misc/bad.cpp '#include <string>\n'
refuses across 'runs up a floor' net/bad.cpp '#include "storage/driver.hpp"\n'
refuses up-with-spaces 'runs up a floor' api/bad.cpp '  #  include  "daemon/config.hpp" // why\n'
refuses up-in-angles 'runs up a floor' trust/bad.cpp '#include <storage/driver.hpp>\n'
refuses relative 'relative path' federation/bad.cpp '#include "../net/server.hpp"\n'
refuses test-in-room 'a test' net/bad.cpp '#include "tests/net/fake.hpp"\n'
refuses io-in-protocol 'does no I/O' protocol/bad.cpp '#include <boost/asio/post.hpp>\n'
refuses beast-in-header 'Beast' net/bad.hpp '#include <boost/beast/http.hpp>\n'
refuses beast-in-api 'Beast' api/bad.cpp '#include <boost/beast/http.hpp>\n'
refuses unlisted 'neither built nor run' tests/api/new_test.cpp 'int a;\n'
refuses placeholder 'placeholder' daemon/bad.cpp "$placeholder"
refuses long 'longer than 500' tests/api/bad.cpp "$(printf 'int a;\\n%.0s' {1..501})"

if bash "$lint" "$scratch/nothing" >/dev/null 2>&1; then
    echo "FAILED: lint.sh passes a folder that isn't there"
    failed=1
fi
exit "$failed"
