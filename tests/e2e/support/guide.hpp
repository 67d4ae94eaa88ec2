// The commands in a guide of the documentation, for tests that run them.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace entente::e2e {

// The lines of its boxes of commands.
[[nodiscard]] std::vector<std::string> commands_of(const std::string& file);
// One of those, and what the guide shows that it says: the box of text right below, if any.
struct GuideStep {
    std::string command;
    std::optional<std::string> output{};
};
[[nodiscard]] std::vector<GuideStep> steps_of(const std::string& file);
// What is shown and what is said, made alike where they may differ: times, ids of events (in a
// guide their first four characters and an ellipsis), the width of columns, and that a test's
// servers are named .test.
[[nodiscard]] std::string comparable(std::string text);
// Its files: boxes of JSON behind a line that ends with "`name.json`:".
struct GuideFile {
    std::string name, text;
};
[[nodiscard]] std::vector<GuideFile> files_of(const std::string& file);
// Divided at blanks outside of double quotes.
[[nodiscard]] std::vector<std::string> words_of(const std::string& line);

}  // namespace entente::e2e
