// The commands in a guide of the documentation, for tests that run them.
#pragma once

#include <string>
#include <vector>

namespace entente::e2e {

// The lines of its boxes of commands.
[[nodiscard]] std::vector<std::string> commands_of(const std::string& file);
// Its files: boxes of JSON behind a line that ends with "`name.json`:".
struct GuideFile {
    std::string name, text;
};
[[nodiscard]] std::vector<GuideFile> files_of(const std::string& file);
// Divided at blanks outside of double quotes.
[[nodiscard]] std::vector<std::string> words_of(const std::string& line);

}  // namespace entente::e2e
