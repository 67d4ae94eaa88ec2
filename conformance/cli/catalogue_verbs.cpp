// list and explain: what the catalogue says.
#include <algorithm>
#include <cstdio>
#include <string_view>

#include "conformance/cli/options.hpp"
#include "conformance/report/clauses.hpp"
#include "conformance/report/visible.hpp"

namespace entente::conformance {

namespace {

std::string cell(const std::string& text)
{
    std::string written;
    for (const char one : text) {
        if (one == '|') written += '\\';
        written += one;
    }
    return written;
}

// docs/conformance/cases.md.
void print_markdown(const std::vector<const Case*>& cases)
{
    std::printf(
        "# The cases\n\n"
        "Written by `entente-conformance list --markdown`; a test compares. %zu cases. The clauses "
        "are those of\n"
        "[the protocol](../protocol/README.md); README.md tells how to run them.\n",
        cases.size());
    std::string group;
    for (const auto* one : cases) {
        if (one->group != group) {
            group = one->group;
            std::printf(
                "\n## %s\n\n%s\n\n| id | clause | | profile | proves | from "
                "|\n|---|---|---|---|---|---|\n",
                group.c_str(), std::string(about_group(group)).c_str());
        }
        std::string notes;
        for (const auto& hook : one->hooks) notes += " (hook `" + hook + "`)";
        if (one->destructive) notes += " (only with `--destructive`)";
        std::printf("| %s | %s | %s | %s | %s%s | %s |\n", one->id.c_str(), one->clause.c_str(),
                    std::string(name_of(one->level)).c_str(),
                    std::string(name_of(one->profile)).c_str(), cell(one->proves).c_str(),
                    notes.c_str(), cell(one->descends_from).c_str());
    }
}

// `text` a little to the right; lines longer than `width` are wrapped between words.
void print_indented(std::string_view text, std::size_t width = std::string_view::npos)
{
    while (!text.empty()) {
        auto line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(text.size(), line.size() + 1));
        while (line.size() > width && line.rfind(' ', width) != std::string_view::npos) {
            const auto end = line.rfind(' ', width);
            std::printf("    %s\n", std::string(line.substr(0, end)).c_str());
            line.remove_prefix(end + 1);
        }
        std::printf("%s%s\n", line.empty() ? "" : "    ", std::string(line).c_str());
    }
}

}  // namespace

int do_list(const ListCommand& command)
{
    const auto cases = select(command.options);
    if (cases.empty()) return no_case_fits(command);
    if (command.markdown) {
        print_markdown(cases);
    } else {
        for (const auto* one : cases)
            std::printf("%-8s %-6s %-8s %-9s %s\n", one->id.c_str(),
                        std::string(name_of(one->level)).c_str(), one->clause.c_str(),
                        std::string(name_of(one->profile)).c_str(), one->proves.c_str());
    }
    return static_cast<int>(Exit::all_pass);
}

int no_case_fits(const Program& program)
{
    std::fprintf(stderr,
                 "no case fits --only, --skip, --profile and --level; `%s list` prints all\n",
                 shell_word(program.program).c_str());
    return static_cast<int>(Exit::incomplete);
}

int do_explain(const Program& program, const std::string& id)
{
    const auto* one = find_case(id);
    if (one == nullptr) {
        std::fprintf(stderr, "there is no case %s; `%s list` prints them\n", visible(id).c_str(),
                     shell_word(program.program).c_str());
        return static_cast<int>(Exit::usage);
    }
    std::printf("%s: %s\n\n  clause   %s (%s)\n  group    %s\n  profile  %s\n", one->id.c_str(),
                one->proves.c_str(), one->clause.c_str(), std::string(name_of(one->level)).c_str(),
                one->group.c_str(), std::string(name_of(one->profile)).c_str());
    if (!one->descends_from.empty()) std::printf("  from     %s\n", one->descends_from.c_str());
    for (const auto& hook : one->hooks) std::printf("  hook     %s\n", hook.c_str());
    if (one->destructive) std::printf("  runs only with --destructive\n");
    for (const auto& mutant : one->mutants)
        std::printf("  proven   by the reference peer with `%s`, which fails at \"%s\"\n",
                    mutant.flag.c_str(), mutant.assertion.c_str());
    std::printf("\n  In the group %s:\n\n", one->group.c_str());
    print_indented(about_group(one->group), 96);
    if (const auto* clause = find_clause(one->clause)) {
        std::printf("\n  %s says in %s:\n\n", one->clause.c_str(), clause->document.c_str());
        print_indented(clause->text);
    }
    return 0;
}

}  // namespace entente::conformance
