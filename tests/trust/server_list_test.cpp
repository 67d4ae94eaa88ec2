// The CSV that ActivityPub servers share: what is taken, what is left out and told, and that what
// is written reads back.
#include "trust/server_list.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace entente::trust {
namespace {

using protocol::ServerName;

constexpr protocol::NameRules rules{};

ServerList parsed(std::string_view csv)
{
    return parse_server_list(csv, rules).value();
}
ListEntry entry(const char* server, Tier tier, const char* comment = "")
{
    return {ServerName::trusted(server), tier, comment};
}
// The first line's fault, "" where it has none.
std::string fault_of(std::string_view csv)
{
    const auto list = parsed(csv);
    return list.bad.empty() ? "" : list.bad.front().why;
}
std::string named(std::size_t i)
{
    return "s" + std::to_string(i) + ".example";
}

TEST(ServerList, ReadsWhatMastodonExports)
{
    const auto list = parsed(
        "#domain,#severity,#reject_media,#reject_reports,#public_comment,#obfuscate\r\n"
        "spam.example,suspend,False,False,\"sends \"\"offers\"\", daily\",False\r\n"
        "loud.example,silence,True,True,,True\r\n"
        "fine.example,noop,False,False,checked,False\r\n");
    EXPECT_EQ(list.entries,
              (std::vector{entry("spam.example", Tier::blocked, "sends \"offers\", daily"),
                           entry("loud.example", Tier::quarantined)}));
    EXPECT_EQ(list.ignored, 1U);
    EXPECT_EQ(list.bad_lines, 0U);
}

TEST(ServerList, TheHeaderMayBeAbsentAndItsColumnsMayStandInAnyOrder)
{
    EXPECT_EQ(parsed("a.example,suspend\n").entries,
              std::vector{entry("a.example", Tier::blocked)});
    EXPECT_EQ(parsed("\xef\xbb\xbfpublic_comment,severity,other,domain\nloud,silence,x,a.example")
                  .entries,
              std::vector{entry("a.example", Tier::quarantined, "loud")});
    EXPECT_TRUE(parsed("").entries.empty());
    EXPECT_TRUE(parsed("\r\n\n").entries.empty());
    // A header that names no severity is no header, and no entry either.
    EXPECT_EQ(fault_of("#domain,#comment\n"), "has no server's name");
}

TEST(ServerList, BadLinesAreLeftOutAndToldAndTheOthersStay)
{
    const auto list = parsed(
        "#domain,#severity,#reject_media,#reject_reports,#public_comment\n"
        "first.example,suspend,,,\"over\ntwo lines\"\n"
        "Upper.example,suspend\n"    // 4
        "exa**le.example,suspend\n"  // 5
        "severe.example,severe\n"    // 6
        "alone.example\n"            // 7
        "\"open.example,suspend\n"   // 8
        "first.example,silence\n"    // 9
        "a\"b.example,suspend\n"     // 10
        "\n"
        "\"x\"y,suspend\n"  // 12
        "last.example,silence\n");
    EXPECT_EQ(list.entries, (std::vector{entry("first.example", Tier::blocked, "over\ntwo lines"),
                                         entry("last.example", Tier::quarantined)}));
    const std::vector<BadLine> expected{
        {4, "has no server's name"},
        {5, "has no server's name"},
        {6, "has another severity than silence, suspend and noop"},
        {7, "has no severity"},
        {8, "has text behind a quote"},
        {9, "names a server of line 2 again"},
        {10, "has a quote within a field"},
        {12, "has text behind a quote"},
    };
    EXPECT_EQ(list.bad_lines, expected.size());
    for (std::size_t i = 0; i < std::min(expected.size(), list.bad.size()); ++i) {
        EXPECT_EQ(list.bad[i].line, expected[i].line);
        EXPECT_EQ(list.bad[i].why, expected[i].why) << list.bad[i].line;
    }
}

TEST(ServerList, AQuoteThatNeverEndsCostsItsLineAlone)
{
    const auto list = parsed("\"a.example,suspend\nb.example,suspend\n");
    EXPECT_EQ(list.entries, std::vector{entry("b.example", Tier::blocked)});
    EXPECT_EQ(list.bad, (std::vector<BadLine>{{1, "has a quote that doesn't end"}}));
}

TEST(ServerList, LinesAndCommentsAreBoundedFromBothSides)
{
    const std::string beginning = "a.example,suspend,,,";
    const auto line = [&](std::size_t octets) {
        return beginning + std::string(octets - beginning.size(), 'c') + "\n";
    };
    EXPECT_EQ(fault_of(line(max_list_line_octets)), "");
    EXPECT_EQ(fault_of(line(max_list_line_octets + 1)), "is longer than 8,192 octets");
    EXPECT_EQ(fault_of(beginning + "\"" + std::string(max_list_line_octets + 1, 'c') + "\"\n"),
              "is longer than 8,192 octets");
    const auto comment = [&](std::size_t octets) {
        return parsed(beginning + std::string(octets, 'c')).entries.at(0).comment.size();
    };
    EXPECT_EQ(comment(max_comment_octets), max_comment_octets);
    EXPECT_EQ(comment(max_comment_octets + 1), max_comment_octets);
    // Not within a character.
    const auto list = parsed(beginning + std::string(max_comment_octets - 1, 'c') + "\xc3\xa9");
    EXPECT_EQ(list.entries.at(0).comment.size(), max_comment_octets - 1);
}

TEST(ServerList, EntriesBadLinesAndTheWholeAreBounded)
{
    std::string csv;
    for (std::size_t i = 0; i < max_list_entries; ++i) csv += named(i) + ",suspend\n";
    EXPECT_EQ(parsed(csv).bad_lines, 0U);
    const auto list = parsed(csv + "more.example,suspend\n");
    EXPECT_EQ(list.entries.size(), max_list_entries);
    EXPECT_EQ(list.bad,
              (std::vector<BadLine>{{max_list_entries + 1, "is beyond 100,000 entries"}}));

    std::string bad;
    for (std::size_t i = 0; i < max_bad_lines; ++i) bad += "x\n";
    EXPECT_EQ(parsed(bad).bad.size(), max_bad_lines);
    EXPECT_EQ(parsed(bad + "x\n").bad.size(), max_bad_lines);
    EXPECT_EQ(parsed(bad + "x\n").bad_lines, max_bad_lines + 1);
    for (auto i = max_bad_lines; i < max_list_entries; ++i) bad += "x\n";
    EXPECT_TRUE(parse_server_list(bad, rules));
    EXPECT_EQ(parse_server_list(bad + "x\n", rules).error().code, Code::malformed);

    EXPECT_TRUE(parse_server_list(std::string(max_list_octets, '\n'), rules));
    EXPECT_EQ(parse_server_list(std::string(max_list_octets + 1, '\n'), rules).error().code,
              Code::too_large);
    EXPECT_EQ(parse_server_list("a.example,suspend,,,\xff", rules).error().code, Code::malformed);
}

TEST(ServerList, TestNamesAreTakenWhereTheConfigurationAllowsThem)
{
    EXPECT_EQ(fault_of("a.test,suspend"), "has no server's name");
    EXPECT_EQ(parse_server_list("a.test,suspend", {.allow_test_names = true})->entries.size(), 1U);
}

TEST(ServerList, AListsNameIsPlainAndOfOneTo64Octets)
{
    EXPECT_TRUE(is_list_name("Blocked_2026-05.v1"));
    EXPECT_TRUE(is_list_name(std::string(max_list_name_octets, 'a')));
    EXPECT_FALSE(is_list_name(std::string(max_list_name_octets + 1, 'a')));
    for (const auto* bad : {"", "a b", "a,b", "a\n", "\xc3\xa9", "a/b"})
        EXPECT_FALSE(is_list_name(bad)) << bad;
}

TEST(ServerList, WhatIsWrittenReadsBack)
{
    auto listed = entry("b.example", Tier::quarantined);
    listed.origin = "garden-2026";
    EXPECT_EQ(
        write_server_list({entry("a.example", Tier::blocked, "x, \"y\""), listed}),
        "#domain,#severity,#reject_media,#reject_reports,#public_comment,#obfuscate,#origin\r\n"
        "a.example,suspend,False,False,\"x, \"\"y\"\"\",False,\r\n"
        "b.example,silence,False,False,,False,garden-2026\r\n");
    EXPECT_TRUE(rc::check("any comment comes back", [] {
        const auto letters =
            *rc::gen::container<std::string>(rc::gen::element('a', ',', '"', '\n', '\r', ' ', '#'));
        const std::vector<ListEntry> entries{
            {ServerName::trusted("a.example"), Tier::blocked, letters.substr(0, 500)},
            {ServerName::trusted("b.example"), Tier::quarantined, ""}};
        const auto read = parse_server_list(write_server_list(entries), rules);
        RC_ASSERT(read.has_value());
        RC_ASSERT(read->entries == entries);
        RC_ASSERT(read->bad_lines == 0U);
    }));
}

}  // namespace
}  // namespace entente::trust
