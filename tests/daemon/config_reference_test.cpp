// The documentation and the sample say what the code does.
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>
#include <string>

#include <gtest/gtest.h>

#include "daemon/config.hpp"

namespace entente::daemon {
namespace {

std::string read(const std::string& path)
{
    std::ifstream file(std::string(ENTENTE_SOURCE_DIR) + "/" + path, std::ios::binary);
    EXPECT_TRUE(file.good()) << path;
    return {std::istreambuf_iterator<char>(file), {}};
}

TEST(ConfigReference, ListsEveryKeyWithItsDefaultAndNoOther)
{
    std::set<std::string> rows;
    std::istringstream reference(read("docs/reference/configuration.md"));
    for (std::string line; std::getline(reference, line);) {
        if (!line.starts_with("| `")) continue;
        const auto second = line.find('|', 1);
        const auto third = line.find('|', second + 1);
        rows.insert(line.substr(0, third));
    }
    for (const auto& key : describe_keys()) {
        const auto shown = key.fallback.empty() ? std::string() : "`" + key.fallback + "` ";
        const auto row = "| `" + key.name + "` | " + shown;
        EXPECT_EQ(rows.erase(row), 1U) << "missing in docs/reference/configuration.md: " << row;
    }
    for (const auto& row : rows) ADD_FAILURE() << "no such key, or another default: " << row;
}

// A name of the sample's own would get keys, which others remember.
TEST(ConfigReference, TheSampleLacksNothingButTheName)
{
    const auto config = parse_config(read("etc/ententd.toml"), "etc/ententd.toml", {});
    ASSERT_FALSE(config);
    ASSERT_EQ(config.error().size(), 1U);
    EXPECT_NE(config.error()[0].text.find("server.name is missing"), std::string::npos);
    const auto named = parse_config(read("etc/ententd.toml"), "etc/ententd.toml",
                                    {{"ENTENTE_SERVER_NAME", "b.example"}});
    if (!named) {
        for (const auto& problem : named.error()) ADD_FAILURE() << problem.str();
    }
}

// What the sample shows behind a # must be right as well.
TEST(ConfigReference, TheSamplesCommentedLinesAreRight)
{
    std::string opened;
    std::istringstream sample(read("etc/ententd.toml"));
    for (std::string line; std::getline(sample, line);) {
        const auto text = line.starts_with("# ") ? line.substr(2) : line;
        const bool is_toml = text.starts_with("[") || text.find(" = ") != std::string::npos;
        opened += (line.starts_with("# ") && is_toml ? text : line) + "\n";
    }
    const auto config = parse_config(opened, "etc/ententd.toml", {});
    if (!config) {
        for (const auto& problem : config.error()) ADD_FAILURE() << problem.str() << "\n" << opened;
    }
}

}  // namespace
}  // namespace entente::daemon
