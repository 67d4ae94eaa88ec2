#!/usr/bin/env bash
# Takes one check at a time out of a copy of the source, and demands that a test which names
# the check's clause fails at an assertion. A mutant is a file CLAUSE-what.mutant in
# tests/mutate:
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
#   mutate.sh ROOT [WORD...]         runs all, or those of a clause (SIG-5), of a file's name
#                                    or of the beginning of one (SIG-)
#
# The copy is ROOT/build/mutate, or the folder in MUTATE_FOLDER. Exits with 1 where a mutant
# survives or doesn't fit any more.
set -euo pipefail
cd "$1"
root=$PWD
shift
mutants=tests/mutate
copy=${MUTATE_FOLDER:-$root/build/mutate}

# read_mutant FILE: fills what, file, target, tests, clause, from, to.
read_mutant() {
    local text head
    text=$(<"$1")
    what='' file='' target='' tests='' clause=''
    [[ ${1##*/} =~ ^([A-Z]+-[0-9]+)-.+\.mutant$ ]] || return 1
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

# why_not FILE: in `why`, nothing where the mutant fits. Needs `pairs`, what clauses.sh finds.
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
        elif ! grep -rqE "(entente_test|add_executable)\\($target( |\$)" tests --include=CMakeLists.txt; then
            why="there is no target $target"
        elif ! grep -E "^$clause"$'\t' <<<"$pairs" | cut -f 2 | grep -qE -e "$tests"; then
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
            name=$(basename "$path" .mutant)
            if [[ $name == "$word" || $name == "$word"-* || ($word == *- && $name == "$word"*) ]]; then
                chosen+=("$path")
                found=1
            fi
        done
        ((found)) || { echo "mutate: no mutant $word" >&2; exit 2; }
    done
}

pairs=$(bash tests/clauses/clauses.sh "$root" --pairs)
mode=run
case ${1:-} in
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
        printf '%-42s %s\n' "$(basename "$path" .mutant)" "$what"
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

# --- the copy -----------------------------------------------------------------------------

# Only what differs is written, so that what was built before stays built.
bring_copy() {
    mkdir -p "$copy"
    git ls-files -z --cached --others --exclude-standard >"$copy/.files"
    local path
    while IFS= read -r -d '' path; do
        [[ -f $path ]] || continue
        cmp -s "$path" "$copy/$path" && continue
        mkdir -p "$copy/$(dirname "$path")"
        cp "$path" "$copy/$path"
    done <"$copy/.files"
    (cd "$copy" && find . -path ./build -prune -o -type f ! -path ./.files -printf '%P\0') |
        LC_ALL=C sort -z |
        LC_ALL=C comm -z -23 - <(LC_ALL=C sort -z "$copy/.files") |
        (cd "$copy" && xargs -0 -r rm -f --)
}

build() { (cd "$copy" && bash ./dev build dev "$1") >"$copy/build/log" 2>&1; }

# run_tests REGEX: what ctest says is then in build/log.
run_tests() {
    ctest --test-dir "$copy/build/dev" -R "$1" -j 2 --timeout 120 --output-on-failure \
        --no-tests=error >"$copy/build/log" 2>&1
}

# Says how a mutant ended, in `verdict`.
try_mutant() {
    read_mutant "$1"
    local text
    text=$(<"$root/$file")
    printf '%s\n' "${text/"$from"/"$to"}" >"$copy/$file"
    changed=$file
    if ! build "$target"; then
        verdict='DOES NOT BUILD'
    elif run_tests "$tests"; then
        verdict=SURVIVED
    else
        # gtest's word for an assertion; a crash says none.
        local failed
        failed=$(grep -c '^[^ ]*: Failure$' "$copy/build/log" || true)
        verdict="killed, $failed assertions"
        ((failed > 0)) || verdict='NO ASSERTION FAILED'
    fi
    [[ $verdict == killed* ]] || cp "$copy/build/log" "$copy/build/$(basename "$1" .mutant).log"
    restore
}

changed=''
restore() {
    [[ -z $changed ]] || cp "$root/$changed" "$copy/$changed"
    changed=''
}
trap restore EXIT

export CCACHE_DIR=${CCACHE_DIR:-$root/build/.ccache}
bring_copy
mkdir -p "$copy/build"

# Without a mutant every one of these tests has to pass: else a failure would say nothing.
declare -A of_target=()
for path in "${chosen[@]}"; do
    read_mutant "$path"
    of_target[$target]+="${of_target[$target]:+|}$tests"
done
for target in "${!of_target[@]}"; do
    if ! build "$target" || ! run_tests "${of_target[$target]}"; then
        tail -n 30 "$copy/build/log"
        echo "mutate: $target fails without any mutant" >&2
        exit 1
    fi
done

survivors=0
killed=0
for path in "${chosen[@]}"; do
    try_mutant "$path"
    printf '%-42s %s\n' "$(basename "$path" .mutant)" "$verdict"
    if [[ $verdict == killed* ]]; then
        killed=$((killed + 1))
    else
        survivors=$((survivors + 1))
    fi
done
printf '\n%d mutants: %d killed, %d not\n' "${#chosen[@]}" "$killed" "$survivors"
((survivors == 0)) || { echo "what the others said is in $copy/build/*.log" >&2; exit 1; }
