#!/usr/bin/env bash
# Manual pages and completions, from what the programs say of themselves with --help: so they have
# every verb and no other. Usage: describe.sh BIN OUT VERSION DATE
# Writes ententd.8, ententctl.8, entente-conformance.1, and bash/NAME and zsh/_NAME of each, to OUT.
set -euo pipefail
bin=$1 out=$2 version=$3 date=$4
mkdir -p "$out/bash" "$out/zsh"
kept=$(mktemp -d)
trap 'rm -rf "$kept"' EXIT

# help_of PROGRAM [WORD...]: asked once; each is asked for many times.
help_of() {
    local file="$kept/$*"
    [[ -e $file ]] || "$bin/$1" "${@:2}" --help >"$file"
    cat "$file"
}

# entries: of a --help on standard input, a line "KIND<TAB>NAME<TAB>TEXT" for each entry, with
# KIND Positionals, Options or Subcommands; "says<TAB><TAB>TEXT" for the description above.
entries() {
    awk '
        function flush() { if (name != "") printf "%s\t%s\t%s\n", kind, name, text; name = text = "" }
        NR == 1 { printf "says\t\t%s\n", $0 }
        /^(Positionals|Options|Subcommands):$/ { flush(); kind = substr($0, 1, length($0) - 1); next }
        /^[^ ]/ || /^$/ { flush(); if ($0 != "") kind = ""; next }
        kind == "" { next }
        /^  [^ ]/ {
            flush()
            line = substr($0, 3)
            # Two spaces part the name from what is said of it.
            at = match(line, /  +/)
            name = at ? substr(line, 1, at - 1) : line
            text = at ? substr(line, at + RLENGTH) : ""
            next
        }
        { sub(/^ +/, ""); text = text (text == "" ? "" : " ") $0 }
        END { flush() }'
}

# What stands below all entries.
footer() { awk '/^[A-Z][a-z]+:$/ { below = 0; next } /^$/ { below = 1; next } below && !/^  / && !/^Before or behind/' ; }

roff() {
    local text=${1//\\/\\e}
    text=${text//-/\\-}
    [[ $text != [.\']* ]] || text="\\&$text"
    printf '%s\n' "$text"
}

options_of_page() {
    local kind name text
    while IFS=$'\t' read -r kind name text; do
        [[ $kind == Options || $kind == Positionals ]] || continue
        [[ $name != -h,--help* ]] || continue
        printf '.TP\n.B %s\n%s\n' "$(roff "$name")" "$(roff "$text")"
    done
}

# verbs_of PROGRAM: each path of words that the program takes, a line each.
verbs_of() {
    [[ -e $kept/verbs-$1 ]] || verbs_below "$1" >"$kept/verbs-$1"
    cat "$kept/verbs-$1"
}

verbs_below() {
    local program=$1 kind name text
    shift
    while IFS=$'\t' read -r kind name text; do
        [[ $kind == Subcommands ]] || continue
        printf '%s\n' "${*:+$* }$name"
        verbs_below "$program" "$@" "$name"
    done < <(help_of "$program" "$@" | entries)
}

# page PROGRAM SECTION "SEE ALSO" FILE...: what FILES has stands on standard input.
page() {
    local program=$1 section=$2 see=$3 said path
    said=$(help_of "$program")
    printf '.TH %s %s "%s" "entente %s" "Entente"\n' "${program^^}" "$section" "$date" "$version"
    printf '.SH NAME\n%s \\- %s\n' "$(roff "$program")" "$(roff "$(head -n 1 <<<"$said" | sed "s/^$program: //")")"
    printf '.SH SYNOPSIS\n.B %s\n' "$(roff "$program")"
    printf '%s\n' "$(roff "$(sed -n "s/^Usage: $program //p" <<<"$said" | head -n 1)")"
    printf '.SH OPTIONS\n'
    entries <<<"$said" | options_of_page
    printf '.SH COMMANDS\n'
    while IFS= read -r path; do
        # shellcheck disable=SC2086 -- words of ours, without spaces in them
        verb "$program" $path
    done < <(verbs_of "$program")
    printf '.SH NOTES\n'
    footer <<<"$said" | while IFS= read -r path; do printf '%s\n.br\n' "$(roff "$path")"; done
    printf '.SH FILES\n'
    cat
    printf '.SH SEE ALSO\n%s\n' "$see"
}

verb() {
    local program=$1 said
    shift
    said=$(help_of "$program" "$@")
    printf '.SS %s\n%s\n' "$(roff "$*")" "$(roff "$(head -n 1 <<<"$said")")"
    printf '.PP\n.B %s\n' "$(roff "$(sed -n 's/^Usage: //p' <<<"$said" | head -n 1)")"
    entries <<<"$said" | options_of_page
}

# words PROGRAM [WORD...]: what may come next, verbs and options.
words() {
    local program=$1
    shift
    help_of "$program" "$@" | entries | awk -F'\t' '
        $1 == "Subcommands" { print $2 }
        $1 == "Options" {
            count = split($2, parts, /[ ,=]/)
            for (i = 1; i <= count; i++) if (parts[i] ~ /^--/) print parts[i]
        }' | paste -sd ' '
}

# cases PROGRAM: "  'PATH') words='…' ;;" of each path, the empty one too.
cases() {
    local program=$1 path common
    common=$(words "$program")
    printf "        '') words='%s' ;;\n" "$common"
    while IFS= read -r path; do
        # shellcheck disable=SC2086
        printf "        ' %s') words='%s %s' ;;\n" "$path" "$(words "$program" $path)" \
            "$(tr ' ' '\n' <<<"$common" | grep -e '^--config$' -e '^--json$' | paste -sd ' ')"
    done < <(verbs_of "$program")
}

paths_pattern() { verbs_of "$1" | sed "s/.*/' &'/" | paste -sd '|'; }

bash_completion() {
    local program=$1 name=_${1//-/_}
    cat <<TXT
# bash completion of $program; made from its --help.
$name() {
    local cur=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD - 1]} path= words= i
    for ((i = 1; i < COMP_CWORD; i++)); do
        case "\$path \${COMP_WORDS[i]}" in
        $(paths_pattern "$program")) path="\$path \${COMP_WORDS[i]}" ;;
        esac
    done
    case \$previous in
        --config | --*-file | --*-folder | --report | --output) mapfile -t COMPREPLY < <(compgen -f -- "\$cur"); return ;;
    esac
    case \$path in
$(cases "$program")
    esac
    mapfile -t COMPREPLY < <(compgen -W "\$words" -- "\$cur")
    ((\${#COMPREPLY[@]} > 0)) || mapfile -t COMPREPLY < <(compgen -f -- "\$cur")
}
complete -o filenames -F $name $program
TXT
}

zsh_completion() {
    local program=$1
    cat <<TXT
#compdef $program
# zsh completion of $program; made from its --help.
local path_=''
local words_=''
local -i i
for ((i = 2; i < CURRENT; i++)); do
    case "\$path_ \${words[i]}" in
        $(paths_pattern "$program")) path_="\$path_ \${words[i]}" ;;
    esac
done
case \${words[CURRENT - 1]} in
    --config | --*-file | --*-folder | --report | --output) _files; return ;;
esac
case \$path_ in
$(cases "$program" | sed 's/words=/words_=/')
esac
compadd -- \${=words_} || _files
TXT
}

ententd_files() {
    cat <<'TXT'
.TP
.I /etc/ententd/ententd.toml
The configuration.
.TP
.I /var/lib/ententd
Database, keys and the control socket.
.TP
.I /run/ententd
How far the database has come.
TXT
}

page ententd 8 $'.BR ententctl (8),\n.BR systemd.service (5)' < <(ententd_files) >"$out/ententd.8"
page ententctl 8 '.BR ententd (8)' < <(ententd_files) >"$out/ententctl.8"
page entente-conformance 1 '.BR ententd (8)' >"$out/entente-conformance.1" <<'TXT'
None but those that are named.
TXT
for program in ententd ententctl entente-conformance; do
    bash_completion "$program" >"$out/bash/$program"
    zsh_completion "$program" >"$out/zsh/_$program"
done
