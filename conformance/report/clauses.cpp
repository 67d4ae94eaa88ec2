#include "conformance/report/clauses.hpp"

#include <cctype>
#include <utility>

#include "conformance/report/protocol_texts.hpp"

namespace entente::conformance {

namespace {

constexpr std::string_view clause_begins = "- **[";
constexpr std::string_view id_ends = "]**";
// Of the lines that belong to a clause.
constexpr std::string_view indentation = "  ";

std::string_view take_line(std::string_view& rest)
{
    const auto end = rest.find('\n');
    const auto line = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    return line;
}

// "LOG-4", "INBOX-3, INBOX-4": these keep their brackets.
bool names_clauses(std::string_view text)
{
    const auto hyphen = text.find('-');
    return hyphen != std::string_view::npos && hyphen > 0 && hyphen + 1 < text.size() &&
           std::isupper(static_cast<unsigned char>(text[0])) != 0 &&
           std::isdigit(static_cast<unsigned char>(text[hyphen + 1])) != 0;
}

std::string without_links(std::string_view text)
{
    std::string plain;
    while (true) {
        const auto middle = text.find("](");
        const auto open = text.rfind('[', middle);
        const auto close = text.find(')', middle);
        if (middle == std::string_view::npos || open == std::string_view::npos ||
            close == std::string_view::npos)
            return plain + std::string(text);
        const auto shown = text.substr(open + 1, middle - open - 1);
        plain += text.substr(0, open);
        plain += names_clauses(shown) ? "[" + std::string(shown) + "]" : std::string(shown);
        text.remove_prefix(close + 1);
    }
}

std::string without_emphasis(std::string text)
{
    for (auto at = text.find("**"); at != std::string::npos; at = text.find("**", at))
        text.erase(at, 2);
    return text;
}

std::string plain_text(std::string_view markdown)
{
    auto text = without_emphasis(without_links(markdown));
    text.erase(text.find_last_not_of(" \n") + 1);
    text.erase(0, text.find_first_not_of(" \n"));
    return text;
}

std::map<std::string, Clause, std::less<>> read_all()
{
    std::map<std::string, Clause, std::less<>> all;
    for (const auto& [name, octets] : protocol_texts())
        for (auto& [id, text] : clauses_in(octets))
            all.emplace(id, Clause{"docs/protocol/" + std::string(name), text});
    return all;
}

}  // namespace

std::map<std::string, std::string, std::less<>> clauses_in(std::string_view document)
{
    std::map<std::string, std::string, std::less<>> found;
    std::string id;
    std::string markdown;
    const auto finish = [&] {
        if (!id.empty()) found.emplace(id, plain_text(markdown));
        id.clear();
        markdown.clear();
    };
    while (!document.empty()) {
        const auto line = take_line(document);
        const auto end = line.find(id_ends);
        if (line.starts_with(clause_begins) && end != std::string_view::npos) {
            finish();
            id = line.substr(clause_begins.size(), end - clause_begins.size());
            markdown = line.substr(end + id_ends.size());
        } else if (line.empty() || line.starts_with(indentation)) {
            markdown += "\n";
            if (!line.empty()) markdown += line.substr(indentation.size());
        } else {
            finish();
        }
    }
    finish();
    return found;
}

const Clause* find_clause(std::string_view id)
{
    static const auto all = read_all();
    const auto found = all.find(id);
    return found == all.end() ? nullptr : &found->second;
}

}  // namespace entente::conformance
