#include "tests/e2e/support/guide.hpp"

#include <fstream>

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
