#!/usr/bin/env bash
# Takes one check at a time out of a copy of the source, and demands that a test which names
# the check's clause fails at an assertion. A mutant is a file CLAUSE-what.mutant in
# tests/mutate, or policy-what.mutant of what no clause speaks of: there any test may fail:
#
#     what is taken out, in a line
#     file: protocol/message_signature.cpp
#     target: protocol_wire_tests          what to build
#     tests: ^Destination\.                a regular expression of ctest's
#     -----
#     the exact text, which stands in the file once
#     +++++
#     what stands in its place; may be nothing
#
#   mutate.sh ROOT --list
#   mutate.sh ROOT --check           without building: does every mutant still fit?
#   mutate.sh ROOT [--resume] [WORD...]
#                                    runs all, or those of a clause (SIG-5), of a file's name
#                                    or of the beginning of one (SIG-); with --resume without
#                                    those that the run before, if it was cut short, has killed
#
# As many mutants as there are cores are tried at once, each in a copy of the source of its own.
# The copies are in ROOT/build/mutate, or in the folder in MUTATE_FOLDER. The lock file in
# MUTATE_LOCK, if any, is held while something is built or tested, and let go of now and then:
# for who shares a machine. Exits with 1 where a mutant survives or doesn't fit any more.
set -euo pipefail
cd "$1"
root=$PWD
shift
mutants=tests/mutate
copies=${MUTATE_FOLDER:-$root/build/mutate}
workers=$(nproc)
share=12                                # mutants of a worker while the lock is held
mutant_seconds=${MUTATE_SECONDS:-120}  # for the tests of a mutant
all_seconds=900                         # for all tests of a target
tests_kib=$((8 << 20))                  # of address space: a mutant may never stop to allocate

# name_of FILE: in `name`.
name_of() {
    name=${1##*/}
    name=${name%.mutant}
}

# read_mutant FILE: fills what, file, target, tests, clause, from, to.
read_mutant() {
    local text head
    text=$(<"$1")
    what='' file='' target='' tests='' clause=''
    [[ ${1##*/} =~ ^([A-Z]+-[0-9]+|policy)-.+\.mutant$ ]] || return 1
    clause=${BASH_REMATCH[1]}
    head=${text%%$'\n-----\n'*}
    to=${text#*$'\n-----\n'}
    [[ $to != "$text" && $'\n'$to == *$'\n+++++'* ]] || return 1
    from=${to%%$'\n+++++'*}
    to=${to#*$'\n+++++'}
    to=${to#$'\n'}
    local line
    while IFS= read -r line; do
        case $line in
            'file: '*) file=${line#file: } ;;
            'target: '*) target=${line#target: } ;;
            'tests: '*) tests=${line#tests: } ;;
            *) what+=${what:+ }$line ;;
        esac
    done <<<"$head"
    [[ -n $what && -n $file && -n $target && -n $tests && -n $clause && -n $from ]]
}

# why_not FILE: in `why`, nothing where the mutant fits. Needs `targets` and `named_by`.
why_not() {
    why=''
    if ! read_mutant "$1"; then
        why='is no mutant: see the head of tests/mutate/mutate.sh'
    elif [[ ! -f $file ]]; then
        why="changes $file, which isn't there"
    elif [[ $from == "$to" ]]; then
        why='changes nothing'
    else
        local text without
        text=$(<"$file")
        without=${text/"$from"/$'\1'}
        if [[ $without == "$text" ]]; then
            why="no longer fits: its text isn't in $file"
        elif [[ $without == *"$from"* ]]; then
            why="its text stands in $file more than once"
        elif [[ $'\n'$targets$'\n' != *$'\n'"$target"$'\n'* ]]; then
            why="there is no target $target"
        elif ! grep -qE -e "$tests" <<<"${named_by[$clause]:-}"; then
            why="no test that names $clause fits '$tests'"
        fi
    fi
    [[ -z $why ]]
}

# The files that a word of the command line means; all where there is none.
chosen=()
choose() {
    local all=("$mutants"/*.mutant) word path name found
    [[ -f ${all[0]} ]] || { echo "mutate: no mutants in $mutants" >&2; exit 2; }
    (($# > 0)) || { chosen=("${all[@]}"); return; }
    for word in "$@"; do
        found=0
        for path in "${all[@]}"; do
            name_of "$path"
            if [[ $name == "$word" || $name == "$word"-* || ($word == *- && $name == "$word"*) ]]; then
                chosen+=("$path")
                found=1
            fi
        done
        ((found)) || { echo "mutate: no mutant $word" >&2; exit 2; }
    done
}

targets=$(find tests -name CMakeLists.txt -exec \
    sed -nE 's/.*(entente_test|add_executable)\(([a-z_]+).*/\2/p' {} +)
declare -A named_by=()  # the tests that name a clause, one a line
while IFS=$'\t' read -r clause name _; do
    named_by[$clause]+=$name$'\n'
done < <(bash tests/clauses/clauses.sh "$root" --pairs)
named_by[policy]=$(find tests -name '*.cpp' -exec \
    sed -nE 's/^TEST(_F)?\(([A-Za-z0-9]+), *([A-Za-z0-9]+)\).*/\2.\3/p' {} +)
mode=run resume=0
case ${1:-} in
    --resume) resume=1; shift ;;
    --check | --list)
        mode=${1#--}
        (($# == 1)) || { echo "mutate: $1 stands alone" >&2; exit 2; }
        shift
        ;;
    -*) echo "mutate: unknown argument $1" >&2; exit 2 ;;
esac
choose "$@"

if [[ $mode == list ]]; then
    for path in "${chosen[@]}"; do
        read_mutant "$path" || true
        name_of "$path"
        printf '%-42s %s\n' "$name" "$what"
    done
    exit 0
fi

unfit=0
for path in "${chosen[@]}"; do
    why_not "$path" && continue
    echo "$path: $why" >&2
    unfit=1
done
if [[ $mode == check ]] || ((unfit)); then exit "$unfit"; fi

# --- the copies ---------------------------------------------------------------------------

lock() { [[ -z ${MUTATE_LOCK:-} ]] || flock "$locked"; }
unlock() { [[ -z ${MUTATE_LOCK:-} ]] || flock -u "$locked"; }
[[ -z ${MUTATE_LOCK:-} ]] || exec {locked}>>"$MUTATE_LOCK"

# hashes FOLDER: "HASH  FILE" of each file of the source that is there.
hashes() { (cd "$1" && xargs -0 sha256sum -- <"$copies/files" 2>/dev/null || true) | LC_ALL=C sort; }

# bring_copy COPY: only what differs is written, so that what was built before stays built.
bring_copy() {
    mkdir -p "$1/build"
    LC_ALL=C comm -23 <(hashes "$root") <(hashes "$1") | cut -c 67- |
        tar -C "$root" -c -T - | tar -C "$1" -x -m
    (cd "$1" && find . -path ./build -prune -o -type f -printf '%P\0') | LC_ALL=C sort -z |
        LC_ALL=C comm -z -23 - <(LC_ALL=C sort -z "$copies/files") |
        (cd "$1" && xargs -0 -r rm -f --)
}

# build COPY TARGET. What ccache has of one copy is good for the others.
build() { (cd "$1" && CCACHE_BASEDIR=${CCACHE_BASEDIR:-$1} bash ./dev build mutate "$2") >"$1/build/log" 2>&1; }

# run_tests COPY TARGET REGEX SECONDS: the tests that ctest would choose, in one process, until
# one fails. What they say is then in COPY/build/log.
run_tests() {
    local program=$1/build/mutate/bin/$2 names
    names=$("$program" --gtest_list_tests | awk '/^[^ ]/ {suite = $1} /^ / {print suite $1}' |
        grep -E -e "$3" | paste -s -d :) || return 1
    (ulimit -v "$tests_kib" && timeout -k 5 "$4" "$program" --gtest_filter="$names" \
        --gtest_fail_fast --gtest_brief=1) >"$1/build/log" 2>&1
}

# Says how a mutant ended, in `verdict`.
try_mutant() {
    local copy=$1 text name
    name_of "$2"
    read_mutant "$2"
    text=$(<"$root/$file")
    printf '%s\n' "${text/"$from"/"$to"}" >"$copy/$file"
    if ! build "$copy" "$target"; then
        verdict='DOES NOT BUILD'
    elif run_tests "$copy" "$target" "$tests" "$mutant_seconds"; then
        verdict=SURVIVED
    # gtest's word for an assertion; a crash says none.
    elif grep -q '^[^ ]*: Failure$' "$copy/build/log"; then
        verdict="killed by $(sed -n 's/^\[  FAILED  \] \([^ ,]*\).*/\1/p;T;q' "$copy/build/log")"
    else
        verdict='NO ASSERTION FAILED'
    fi
    [[ $verdict == killed* ]] || cp "$copy/build/log" "$copies/$name.log"
    # Newer than what was built of the mutant, so it is built again, which ccache remembers.
    cp "$root/$file" "$copy/$file"
}

# work COPY MUTANT...: a line of each goes to the results, "NAME<tab>VERDICT".
work() {
    local copy=$1 path name
    shift
    for path in "$@"; do
        try_mutant "$copy" "$path"
        name_of "$path"
        printf '%s\t%s\n' "$name" "$verdict" >>"$results"
        printf '%-42s %s\n' "$name" "$verdict"
    done
}

export CCACHE_DIR=${CCACHE_DIR:-$root/build/.ccache}
mkdir -p "$copies"
rm -f "$copies"/*.log
git ls-files -z --cached --others --exclude-standard >"$copies/files"
for ((worker = 0; worker < workers; ++worker)); do bring_copy "$copies/$worker"; done

results=$copies/results
((resume)) || : >"$results"
sed -i '/\tkilled/!d' "$results"
left=()
for path in "${chosen[@]}"; do
    name_of "$path"
    grep -q "^$name"$'\t' "$results" || left+=("$path")
done

fails_without() {
    tail -n 30 "$1/build/log"
    echo "mutate: $2 fails without any mutant" >&2
    exit 1
}

# Without a mutant every one of a target's tests has to pass: else a failure would say nothing.
build_and_pass() {
    local target=$1 worker
    for ((worker = 0; worker < workers; ++worker)); do
        build "$copies/$worker" "$target" || fails_without "$copies/$worker" "$target"
    done
    run_tests "$copies/0" "$target" "$2" "$all_seconds" || fails_without "$copies/0" "$target"
}

declare -A mutants_of=() tests_of=()
for path in "${left[@]}"; do
    read_mutant "$path"
    mutants_of[$target]+="$path"$'\n'
    tests_of[$target]+="${tests_of[$target]:+|}$tests"
done
for target in "${!mutants_of[@]}"; do
    lock
    build_and_pass "$target" "${tests_of[$target]}"
    unlock
    mapfile -t paths <<<"${mutants_of[$target]%$'\n'}"
    for ((first = 0; first < ${#paths[@]}; first += workers * share)); do
        lock
        for ((worker = 0; worker < workers; ++worker)); do
            work "$copies/$worker" "${paths[@]:first + worker * share:share}" &
        done
        wait
        unlock
    done
done

count() { grep -cE $'\t'"$1" "$results" || true; }
killed=$(count killed) survived=$(count SURVIVED) all=$(count '')
printf '\n%d mutants: %d killed, %d survived, %d unfit\n' \
    "$all" "$killed" "$survived" $((all - killed - survived))
((killed == all)) || { echo "what the others said is in $copies/*.log" >&2; exit 1; }
