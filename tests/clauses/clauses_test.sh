#!/usr/bin/env bash
# Proves that clauses.sh finds what it is there for: each tree with a fault must fail with its
# sentence, and the good one must pass. Usage: clauses_test.sh
set -uo pipefail
clauses=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/clauses.sh
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failed=0

fail() {
    echo "FAILED: $*"
    failed=1
}

# tree NAME: three clauses, of which two have tests and one has a reason.
tree() {
    root=$scratch/$1
    mkdir -p "$root/docs/protocol" "$root/tests/clauses" "$root/tests/log"
    cat >"$root/docs/protocol/README.md" <<'TXT'
1. [second.md](second.md): what comes first for the reader
2. [first.md](first.md): the rest
TXT
    cat >"$root/docs/protocol/first.md" <<'TXT'
- **[LOG-10]** The tenth is a | b, with `code` and [a link](second.md).
- **[LOG-2]** A follower takes what is proven to be the home's, and **never** takes anything
  else, whatever it is told by whomever.
TXT
    printf -- '- **[EVT-1]** An event has a sender.\n' >"$root/docs/protocol/second.md"
    printf '# a remark\n\nLOG-10 none nobody has built it yet\n' >"$root/tests/clauses/exceptions"
    cat >"$root/tests/log/follower_test.cpp" <<'TXT'
// [LOG-10] What heads a file names no test.
#include <string>

// [LOG-2] Prose may follow,
// and go on [EVT-1].
TEST_F(Follower, TakesWhatIsProven)
{
    // [LOG-10] Inside of a test it is only a remark.
}

// --- [LOG-10] -----------------------------------------------------------

TEST(Follower, NamesNothing) {}

// [EVT-1, LOG-2]
RC_GTEST_PROP(FollowerProperty,
              TakesAnyCut, (int size))
{
}
TXT
    bash "$clauses" "$root" >/dev/null 2>&1
}

# refuses WHAT SENTENCE: what was done to the tree of that name must be found.
refuses() {
    local said
    if said=$(bash "$clauses" "$root" --check 2>&1); then
        fail "clauses.sh lets pass: $1"
    elif [[ $said != *"$2"* ]]; then
        fail "clauses.sh on '$1' doesn't say '$2', but: $said"
    fi
}

tree good
bash "$clauses" "$root" --check || fail "clauses.sh refuses a good tree"
table=$(<"$root/docs/protocol/clauses.md")
for row in \
    '| [LOG-2](first.md) | A follower takes what is proven to be the home'"'"'s, and never takes anything else, whatever … | [tests/log/follower_test.cpp](../../tests/log/follower_test.cpp): Follower.TakesWhatIsProven, FollowerProperty.TakesAnyCut |' \
    '| [LOG-10](first.md) | The tenth is a \| b, with `code` and a link. | *nobody has built it yet* |' \
    '| [EVT-1](second.md) | An event has a sender. | [tests/log/follower_test.cpp](../../tests/log/follower_test.cpp): Follower.TakesWhatIsProven, FollowerProperty.TakesAnyCut |'; do
    [[ $table == *"$row"* ]] || fail "the table has no row '$row', but: $table"
done
[[ $table == *EVT-1*LOG-2*LOG-10* ]] || fail "the rows aren't in the order of the specification"
[[ $(bash "$clauses" "$root" --pairs | wc -l) == 4 ]] || fail "--pairs doesn't print four pairs"

tree stale
printf '\n// [EVT-1]\nTEST(Event, Other) {}\n' >>"$root/tests/log/follower_test.cpp"
refuses 'a table that is not that of the tests' 'is stale'

tree missing
rm "$root/docs/protocol/clauses.md"
refuses 'no table at all' 'is stale'

tree unknown
printf '\n// [LOG-3]\nTEST(Follower, Other) {}\n' >>"$root/tests/log/follower_test.cpp"
refuses 'a test that names no clause' 'tests/log/follower_test.cpp: Follower.Other names LOG-3'

tree hole
printf -- '- **[EVT-2]** An event has a type.\n' >>"$root/docs/protocol/second.md"
refuses 'a clause without a test' 'EVT-2 has no test'

tree apart
sed -i 's/^TEST_F/\n&/; s/\[EVT-1, LOG-2\]/[EVT-1]/' "$root/tests/log/follower_test.cpp"
refuses 'a comment that stands apart from its test' 'LOG-2 has no test'

tree twice
printf -- '- **[EVT-1]** It has two.\n' >>"$root/docs/protocol/first.md"
refuses 'a clause that is defined twice' 'EVT-1 is defined twice'

tree obsolete
printf 'EVT-1 none not yet\n' >>"$root/tests/clauses/exceptions"
refuses 'a reason where there is a test' 'EVT-1 has a test now'

tree partly
printf 'EVT-1 part the rest not yet\n' >>"$root/tests/clauses/exceptions"
bash "$clauses" "$root" 2>/dev/null
bash "$clauses" "$root" --check || fail "clauses.sh refuses a word on a clause with tests"
grep -q 'TakesAnyCut<br>\*the rest not yet\*' "$root/docs/protocol/clauses.md" ||
    fail "the table lacks the word on a clause with tests"

tree partless
printf -- '- **[EVT-2]** An event has a type.\n' >>"$root/docs/protocol/second.md"
printf 'EVT-2 part the rest not yet\n' >>"$root/tests/clauses/exceptions"
refuses 'a part without any test' 'EVT-2 has no test'

tree reasonless
printf 'EVT-1 part\n' >>"$root/tests/clauses/exceptions"
refuses 'an exception without a reason' 'not "CLAUSE none|part REASON"'

tree no-clause
printf 'EVT-7 none there is none\n' >>"$root/tests/clauses/exceptions"
refuses 'an exception for no clause' 'no clause EVT-7'

if bash "$clauses" "$scratch/nothing" --check >/dev/null 2>&1; then
    fail "clauses.sh passes a folder that isn't there"
fi
exit "$failed"
