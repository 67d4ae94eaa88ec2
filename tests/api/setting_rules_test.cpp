// What each setting may be, from both sides of every bound.
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "api/setting_rules.hpp"

namespace entente::api {
namespace {

SettingValues defaults()
{
    SettingValues values;
    values.media_bytes = 1'000;
    return values;
}

std::string text(std::size_t octets)
{
    return '"' + std::string(octets, 'x') + '"';
}

TEST(SettingRules, EachTakesWhatItSaysAndNothingElse)
{
    struct Row {
        std::vector<std::string> good, bad;
    };
    const std::map<std::string, Row> rows{
        {"registration.mode",
         {{R"("open")", R"("invite")", R"("closed")"}, {R"("Open")", R"("")", "1", "null"}}},
        {"branding.name",
         {{R"("J\u00fcrgens Garten")", text(256)}, {R"("")", text(257), R"("a\nb")", "1", "[]"}}},
        {"branding.description",
         {{R"("a\nb")", text(2048)}, {R"("")", text(2049), R"("a\u001bb")", R"("a\u007f")"}}},
        {"branding.colour",
         {{R"("#00ff9a")"}, {R"("#00FF9a")", R"("#00ff9")", R"("#00ff9ag")", R"("00ff9aa")"}}},
        {"branding.contact",
         {{R"("mailto:root@a.example")", R"("https://a.example")",
           R"("https://)" + std::string(312, 'x') + '"'},
          {R"("mailto:")", R"("https://")", R"("http://a.example")", R"("javascript:x")",
           R"("https://a b")", R"("https://)" + std::string(313, 'x') + '"'}}},
        {"limits.requests_per_user", {{"1", "1000000"}, {"0", "1000001", R"("5")", "true"}}},
        {"limits.channels_per_user_and_day", {{"0", "1000000"}, {"-1", "1000001"}}},
        {"limits.reports_per_user_and_day", {{"0", "1000000"}, {"-1", "1000001"}}},
        {"limits.media_bytes", {{"0", "1000"}, {"-1", "1001"}}},
        {"limits.media_bytes_per_user_and_day", {{"0", "1000000000000"}, {"-1", "1000000000001"}}},
    };
    ASSERT_EQ(rows.size(), setting_rules().size());
    for (const auto& [key, row] : rows) {
        const auto* rule = find_setting(key);
        ASSERT_NE(rule, nullptr) << key;
        for (const auto& json : row.good) {
            auto values = defaults();
            EXPECT_TRUE(take_setting(values, defaults(), *rule, json)) << key << " " << json;
        }
        for (const auto& json : row.bad) {
            auto values = defaults();
            const auto taken = take_setting(values, defaults(), *rule, json);
            ASSERT_FALSE(taken) << key << " " << json;
            EXPECT_EQ(taken.error().hint, std::string(rule->allowed) + " is needed");
            EXPECT_EQ(values, defaults()) << key << " " << json;
        }
    }
    EXPECT_EQ(find_setting("registration"), nullptr);
}

// What one takes is what it shows, and nothing but its own is touched.
TEST(SettingRules, EachShowsWhatItTook)
{
    const std::map<std::string, std::string> others{
        {"registration.mode", R"("invite")"},
        {"branding.name", R"("Garden \"A\"")"},
        {"branding.description", R"("two\nlines")"},
        {"branding.colour", R"("#123456")"},
        {"branding.contact", R"("mailto:x@a.example")"},
        {"limits.requests_per_user", "7"},
        {"limits.channels_per_user_and_day", "8"},
        {"limits.reports_per_user_and_day", "9"},
        {"limits.media_bytes", "10"},
        {"limits.media_bytes_per_user_and_day", "11"},
    };
    for (const auto& [key, json] : others) {
        auto values = defaults();
        ASSERT_TRUE(take_setting(values, defaults(), *find_setting(key), json)) << key;
        for (const auto& rule : setting_rules())
            EXPECT_EQ(rule.show(values), rule.key == key ? json : rule.show(defaults()))
                << key << " and " << rule.key;
    }
    EXPECT_EQ(find_setting("branding.name")->show(defaults()), "null");
}

}  // namespace
}  // namespace entente::api
