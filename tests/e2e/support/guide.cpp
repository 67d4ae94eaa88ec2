#include "tests/e2e/support/guide.hpp"

#include <fstream>
#include <regex>
#include <utility>

namespace entente::e2e {

std::vector<std::string> commands_of(const std::string& file)
{
    std::ifstream guide(file);
    std::vector<std::string> commands;
    bool is_inside = false;
    for (std::string line; std::getline(guide, line);) {
        if (line.starts_with("```"))
            is_inside = line == "```sh";
        else if (is_inside)
            commands.push_back(line);
    }
    return commands;
}

std::vector<GuideStep> steps_of(const std::string& file)
{
    std::ifstream guide(file);
    std::vector<GuideStep> steps;
    enum class Box { none, commands, output, other } box = Box::none;
    for (std::string line; std::getline(guide, line);) {
        if (line.starts_with("```")) {
            const auto opened = line == "```sh"     ? Box::commands
                                : line == "```text" ? Box::output
                                                    : Box::other;
            box = box == Box::none ? opened : Box::none;
            if (box == Box::output && !steps.empty()) steps.back().output = "";
        } else if (box == Box::commands) {
            steps.push_back({line});
        } else if (box == Box::output && !steps.empty()) {
            *steps.back().output += line + "\n";
        }
    }
    return steps;
}

std::string comparable(std::string text)
{
    static const std::pair<std::regex, const char*> alike[] = {
        {std::regex(R"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} UTC)"), "TIME"},
        {std::regex("[A-Za-z0-9_-]{43}|[A-Za-z0-9_-]{4}…"), "ID"},
        {std::regex(R"(\.test\b)"), ".example"},
        {std::regex("  +"), "  "},
    };
    for (const auto& [what, with] : alike) text = std::regex_replace(text, what, with);
    return text;
}

std::vector<GuideFile> files_of(const std::string& file)
{
    std::ifstream guide(file);
    std::vector<GuideFile> files;
    std::string name;
    bool is_inside = false;
    for (std::string line; std::getline(guide, line);) {
        const auto end = line.rfind(".json`:");
        const auto begin = line.rfind('`', end);
        if (line.starts_with("```")) {
            is_inside = line == "```json" && !name.empty();
            if (is_inside) files.push_back({std::exchange(name, {}), {}});
        } else if (is_inside) {
            files.back().text += line + "\n";
        } else if (end != std::string::npos && end + 7 == line.size()) {
            name = line.substr(begin + 1, end + 5 - begin - 1);
        }
    }
    return files;
}

std::vector<std::string> words_of(const std::string& line)
{
    std::vector<std::string> words(1);
    bool is_quoted = false;
    for (const char c : line) {
        if (c == '"')
            is_quoted = !is_quoted;
        else if (c == ' ' && !is_quoted)
            words.emplace_back();
        else
            words.back() += c;
    }
    return words;
}

}  // namespace entente::e2e
