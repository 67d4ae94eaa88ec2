#!/usr/bin/env bash
# Which test stands for which clause of the specification. Reads the clauses that
# docs/protocol/*.md under ROOT define, and the tests under ROOT/tests that name them in the
# comment directly above:
#
#     // [LOG-1] [LOG-13] Prose may follow, here and on further lines.
#     TEST_F(Follower, ASliceThatIsNotWholeIsRefused)
#
# and writes docs/protocol/clauses.md. Only bash and awk: it runs on a bare machine.
#
#   clauses.sh ROOT            writes the table
#   clauses.sh ROOT --check    changes nothing; fails where the table is stale, where a test
#                              names a clause that there isn't, and where a clause has no
#                              test and no reason for it in tests/clauses/exceptions
#   clauses.sh ROOT --pairs    prints "CLAUSE Suite.Name FILE" lines
set -euo pipefail
cd "$1"
mode=${2:-}
table=docs/protocol/clauses.md
reasons=tests/clauses/exceptions

readme=docs/protocol/README.md
[[ -f $readme ]] || { echo "clauses: no $readme under $1" >&2; exit 2; }
documents=("$readme")
for file in docs/protocol/*.md; do
    [[ $file == "$readme" || $file == "$table" ]] || documents+=("$file")
done
mapfile -t tests < <(find tests -name '*.cpp' | LC_ALL=C sort)
((${#tests[@]} > 0)) || { echo "clauses: no tests under $1" >&2; exit 2; }

# "CLAUSE<tab>FILE<tab>first words", in the order of the specification: that of the README's
# list of parts, then of the numbers.
read_clauses() {
    awk '
    function finish() {
        if (id == "") return
        gsub(/\]\([^)]*\)/, "", text)
        gsub(/\*\*|\[|\]/, "", text)
        gsub(/\|/, "\\|", text)
        count = split(text, words, " ")
        line = words[1]
        for (i = 2; i <= count && length(line) < 84; i++) line = line " " words[i]
        if (i <= count) {
            # Not into the middle of what stands in backticks.
            if (gsub(/`/, "`", line) % 2 == 1) sub(/ ?`[^`]*$/, "", line)
            sub(/[ ,;:(]+$/, "", line)
            line = line " …"
        }
        printf "%03d %03d %04d\t%s\t%s\t%s\n", place, subject[letters], number, id, name, line
        id = ""
    }
    FNR == 1 {
        finish()
        name = FILENAME
        sub(/.*\//, "", name)
        place = (name in part) ? part[name] : 900
    }
    FILENAME ~ /README\.md$/ && /^[0-9]+\. \[/ {
        listed = $0
        sub(/^[0-9]+\. \[/, "", listed)
        sub(/\].*/, "", listed)
        part[listed] = ++parts
    }
    /^- \*\*\[[A-Z]+-[0-9]+\]\*\*/ {
        finish()
        id = $2
        gsub(/[*\[\]]/, "", id)
        if (id in seen) printf "twice\t%s\n", id
        seen[id] = 1
        letters = id
        sub(/-.*/, "", letters)
        if (!(letters in subject)) subject[letters] = ++subjects
        number = substr(id, length(letters) + 2)
        text = $0
        sub(/^- \*\*\[[^]]*\]\*\*/, "", text)
        next
    }
    id != "" && /^  [^ |]/ { text = text " " $0; next }
    { finish() }
    END { finish() }
    ' "${documents[@]}" |
        LC_ALL=C sort | sed 's/^[0-9]* [0-9]* [0-9]*\t//'
}

# "CLAUSE<tab>Suite.Name<tab>FILE" for each clause that a test names.
read_pairs() {
    awk '
    FNR == 1 { named = ""; macro = "" }
    /^[ \t]*\/\// {
        if (macro == "") named = named " " $0
        next
    }
    /^[ \t]*(TEST|TEST_F|TEST_P|TYPED_TEST|RC_GTEST_PROP|RC_GTEST_FIXTURE_PROP)\(/ { macro = " " }
    macro != "" {
        # The names may be on several lines.
        macro = macro $0
        if (macro !~ /\([^,]*,[^,)]*[,)]/) next
        sub(/^[^(]*\(/, "", macro)
        split(macro, names, /[ \t]*[,)][ \t]*/)
        while (match(named, /\[[A-Z]+-[0-9]+(, [A-Z]+-[0-9]+)*\]/)) {
            count = split(substr(named, RSTART + 1, RLENGTH - 2), ids, ", ")
            named = substr(named, RSTART + RLENGTH)
            for (i = 1; i <= count; i++)
                if (!((ids[i], names[1], names[2]) in told)) {
                    told[ids[i], names[1], names[2]] = 1
                    printf "%s\t%s.%s\t%s\n", ids[i], names[1], names[2], FILENAME
                }
        }
        macro = ""
    }
    { named = "" }
    ' "${tests[@]}"
}

# Prints the table; faults go to the third descriptor.
write_table() {
    cat <<'TXT'
# Which test stands for which clause

Written by `./dev clauses` from the comments above the tests; `tests/clauses/clauses.sh` says
how. Every clause has a test, or says why it has none. `./dev mutate` takes the checks out of
the source one by one and shows that a test fails for each.

| clause | says | tests |
|---|---|---|
TXT
    awk -F '\t' -v reasons="$reasons" '
    FILENAME == reasons {
        if ($0 ~ /^(#|$)/) next
        split($0, field, " ")
        why = $0
        sub(/^[^ ]+ +[^ ]+ +/, "", why)
        if (field[2] != "none" && field[2] != "part" || why == $0)
            print reasons ":" FNR ": not \"CLAUSE none|part REASON\"" > "/dev/fd/3"
        kind[field[1]] = field[2]
        reason[field[1]] = why
        place[field[1]] = FNR
        next
    }
    FILENAME == "/dev/fd/4" {
        if ($1 == "twice") { print $2 " is defined twice" > "/dev/fd/3"; next }
        order[++clauses] = $1
        document[$1] = $2
        words[$1] = $3
        next
    }
    {
        if (!($1 in document)) {
            print $3 ": " $2 " names " $1 ", which is no clause" > "/dev/fd/3"
            next
        }
        if (last[$1] == $3) {
            cell[$1] = cell[$1] ", " $2
        } else {
            link = "[" $3 "](../../" $3 ")"
            cell[$1] = cell[$1] (cell[$1] == "" ? "" : "<br>") link ": " $2
            last[$1] = $3
        }
    }
    END {
        for (i = 1; i <= clauses; i++) {
            id = order[i]
            if (cell[id] == "" && kind[id] != "none")
                print id " has no test, and no reason for it in " reasons > "/dev/fd/3"
            if (cell[id] != "" && kind[id] == "none")
                print reasons ":" place[id] ": " id " has a test now" > "/dev/fd/3"
            text = cell[id]
            if (id in reason) text = text (text == "" ? "" : "<br>") "*" reason[id] "*"
            printf "| [%s](%s) | %s | %s |\n", id, document[id], words[id], text
        }
        for (id in reason)
            if (!(id in document)) print reasons ":" place[id] ": no clause " id > "/dev/fd/3"
    }
    ' "$reasons" /dev/fd/4 /dev/fd/5 4< <(read_clauses) 5< <(read_pairs)
}

if [[ $mode == --pairs ]]; then
    read_pairs
    exit 0
fi
[[ -z $mode || $mode == --check ]] || { echo "clauses: unknown argument $mode" >&2; exit 2; }

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
write_table >"$scratch/table" 3>"$scratch/faults"
if [[ -z $mode ]]; then
    cp "$scratch/table" "$table"
elif ! cmp -s "$scratch/table" "$table"; then
    echo "$table is stale: ./dev clauses writes it anew" >>"$scratch/faults"
    diff "$table" "$scratch/table" 2>/dev/null | grep '^[<>]' | cut -c 1-160 | head -n 6 >>"$scratch/faults" || true
fi
[[ ! -s $scratch/faults ]] || { cat "$scratch/faults" >&2; exit 1; }
