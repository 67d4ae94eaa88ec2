#!/usr/bin/env bash
# Proves that mutate.sh finds mutants that don't fit, and tells one that is killed from one that
# isn't. The trees are made up; a script stands in for the build and one for the tests.
# Usage: mutate_test.sh
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failed=0

fail() {
    echo "FAILED: $*"
    failed=1
}

# In place of a test program: its "test" wants a guard and a wall in code.cpp.
cat >"$scratch/code_tests" <<'TXT'
#!/usr/bin/env bash
fail() { printf '/x/code_test.cpp:7: Failure\n[  FAILED  ] Code.HasAGuard (0 ms)\n'; exit 1; }
code=${0%/build/mutate/bin/*}/code.cpp
[[ $1 != --gtest_list_tests ]] || { printf 'Code.\n  HasAGuard\n  HasAWall\n'; exit 0; }
[[ $1 == --gtest_filter=Code.HasAGuard ]] || { echo "no test"; exit 1; }
grep -q 'guard' "$code" || fail
grep -q 'wall' "$code" || { echo "Aborted"; exit 1; }
! grep -q 'endless' "$code" || sleep 60
TXT
chmod +x "$scratch/code_tests"

# tree NAME: one clause, one test that names it, one mutant that fits.
tree() {
    root=$scratch/$1
    mkdir -p "$root/docs/protocol" "$root/tests/clauses" "$root/tests/mutate"
    printf '1. [code.md](code.md)\n' >"$root/docs/protocol/README.md"
    printf -- '- **[EVT-1]** There is a guard.\n' >"$root/docs/protocol/code.md"
    cp "$here/../clauses/clauses.sh" "$root/tests/clauses/"
    printf '// [EVT-1]\nTEST(Code, HasAGuard) {}\n\nTEST(Code, HasAWall) {}\n' >"$root/tests/code_test.cpp"
    printf 'entente_test(code_tests SOURCES code_test.cpp)\n' >"$root/tests/CMakeLists.txt"
    printf 'guard;\nwall;\nfloor;\nstone;\nstone;\n' >"$root/code.cpp"
    # In place of the build: what is broken doesn't compile.
    printf 'mkdir -p build/mutate/bin; cp %q build/mutate/bin; ! grep -q broken code.cpp\n' \
        "$scratch/code_tests" >"$root/dev"
    printf 'build/\n' >"$root/.gitignore"
    mutant EVT-1-guard 'guard;' ''
    git -C "$root" init -q
}

# mutant NAME FROM TO [TARGET] [TESTS]
mutant() {
    printf 'What it takes out.\nfile: code.cpp\ntarget: %s\ntests: %s\n-----\n%s\n+++++\n%s\n' \
        "${4:-code_tests}" "${5:-^Code\.HasAGuard}" "$2" "$3" >"$root/tests/mutate/$1.mutant"
}

# refuses WHAT SENTENCE: --check must say it.
refuses() {
    local said
    if said=$(bash "$here/mutate.sh" "$root" --check 2>&1); then
        fail "mutate.sh lets pass: $1"
    elif [[ $said != *"$2"* ]]; then
        fail "mutate.sh on '$1' doesn't say '$2', but: $said"
    fi
}

# ends CODE SENTENCE [WORD...]: a run must end so and say so.
ends() {
    local code=$1 sentence=$2 said status=0
    shift 2
    said=$(bash "$here/mutate.sh" "$root" "$@" 2>&1) || status=$?
    [[ $status == "$code" && $said == *"$sentence"* ]] ||
        fail "mutate.sh $* ends with $status in place of $code, or doesn't say '$sentence': $said"
}

tree good
bash "$here/mutate.sh" "$root" --check || fail "mutate.sh refuses a good mutant"
[[ $(bash "$here/mutate.sh" "$root" --list) == *'EVT-1-guard '*'What it takes out.' ]] ||
    fail "--list doesn't show the mutant"
ends 0 'killed by Code.HasAGuard'
ends 0 '1 mutants: 1 killed, 0 survived, 0 unfit' EVT-1
ends 2 'no mutant EVT-2' EVT-2
cmp -s "$root/code.cpp" "$root/build/mutate/0/code.cpp" || fail "a mutant stays in the copy"
[[ $(<"$root/code.cpp") == guard* ]] || fail "a mutant was made in the tree itself"

mutant EVT-1-floor 'floor;' 'ceiling;'
ends 1 'SURVIVED' EVT-1-floor
ends 1 '2 mutants: 1 killed, 1 survived, 0 unfit'
mutant EVT-1-floor 'floor;' 'broken'
ends 1 'DOES NOT BUILD' EVT-1-floor
mutant EVT-1-floor 'wall;' ''
ends 1 'NO ASSERTION FAILED' EVT-1-floor
mutant EVT-1-floor 'floor;' 'endless;'
MUTATE_SECONDS=1 ends 1 'NO ASSERTION FAILED' EVT-1-floor

mutant EVT-1-floor 'floor;' 'ceiling;'
ends 1 '2 mutants: 1 killed, 1 survived, 0 unfit'
said=$(bash "$here/mutate.sh" "$root" --resume 2>&1)
[[ $said != *EVT-1-guard* && $said == *EVT-1-floor* && $said == *'1 killed, 1 survived'* ]] ||
    fail "--resume doesn't leave out what was killed: $said"
sed -i 's/guard/gate/' "$root/code.cpp"
mutant EVT-1-floor 'floor;' ''
ends 1 'fails without any mutant' EVT-1-floor
ends 1 'no longer fits' EVT-1-guard

tree gone
sed -i 's/guard;/gate;/' "$root/code.cpp"
refuses 'a mutant whose text is gone' 'no longer fits'

tree twice
mutant EVT-1-stone 'stone;' ''
refuses 'a mutant whose text stands twice' 'more than once'

tree nothing
mutant EVT-1-same 'floor;' 'floor;'
refuses 'a mutant that changes nothing' 'changes nothing'

tree target
mutant EVT-1-target 'floor;' '' code
refuses 'a mutant of no target' 'no target code'

tree test
mutant EVT-1-test 'floor;' '' code_tests '^Code\.HasAWall'
refuses 'a mutant whose test does not name its clause' 'no test that names EVT-1 fits'

tree policy
mutant policy-wall 'wall;' '' code_tests '^Code\.HasAWall'
bash "$here/mutate.sh" "$root" --check || fail 'mutate.sh wants a clause of a policy mutant'
mutant policy-door 'floor;' '' code_tests '^Code\.HasADoor'
refuses 'a policy mutant that no test fits' 'no test that names policy fits'

tree file
sed -i 's/^file: code/file: core/' "$root/tests/mutate/EVT-1-guard.mutant"
refuses 'a mutant of no file' "changes core.cpp, which isn't there"

tree form
sed -i '/^+++++/d' "$root/tests/mutate/EVT-1-guard.mutant"
refuses 'a mutant without a replacement' 'is no mutant'

tree name
mv "$root/tests/mutate/EVT-1-guard.mutant" "$root/tests/mutate/guard.mutant"
refuses 'a mutant that names no clause' 'is no mutant'

exit "$failed"
