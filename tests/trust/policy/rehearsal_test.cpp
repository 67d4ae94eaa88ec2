// Records of decisions, and other policies tried on them.
#include <gtest/gtest.h>

#include "tests/trust/policy/policy_rig.hpp"
#include "trust/policy/rehearsal.hpp"

namespace entente::trust::policy {
namespace {

using testing::document;
using testing::ready;
using testing::rule;
using testing::source;
using A = Attribute;

const std::string posting = R"("message.create")";

std::string message_of(Tier tier)
{
    Request request{Action::message_create};
    request.word(A::subject_tier, tier).in_channel("c");
    return write_record(request).value();
}

TEST(Records, AreReadAsTheyWereWritten)
{
    const std::string_view groups[] = {"staff", "a \"quoted\" é"};
    Request request{Action::member_join};
    request.word(A::subject_kind, SubjectKind::user)
        .word(A::subject_tier, Tier::guest)
        .text(A::subject_id, "eve@b.example")
        .flag(A::subject_invited, true)
        .groups(groups)
        .at(1'700'000'000'000)
        .in_category("k")
        .in_channel("c");
    const auto text = write_record(request).value();
    EXPECT_EQ(text,
              R"({"point":"join","action":"member.join","scope":{"category":"k","channel":"c"},)"
              R"("attributes":{"subject.kind":"user","subject.id":"eve@b.example",)"
              R"("subject.tier":"guest","subject.group":["staff","a \"quoted\" é"],)"
              R"("subject.invited":true,"context.time":1700000000000,"context.hour":22}})");
    auto read = parse_record(text);
    ASSERT_TRUE(read) << read.error().hint;
    const RecordedRequest moved = std::move(*read);
    EXPECT_EQ(write_record(moved.request).value(), text);
}

TEST(Records, WhatIsUnknownOrNotOfThisActionIsRefused)
{
    const std::string good = R"({"point":"service","action":"report.make","attributes":{)";
    EXPECT_TRUE(parse_record(good + "}}"));
    EXPECT_TRUE(parse_record(good + R"("subject.tier":"guest","context.size":5}})"));
    for (
        const auto& text : std::vector<std::string>{
            "",
            "[]",
            "{}",
            R"({"point":"join","action":"report.make","attributes":{}})",
            R"({"point":"service","action":"report.mak","attributes":{}})",
            R"({"point":"service","action":"report.make"})",
            R"({"point":"service","action":"report.make","attributes":[]})",
            R"({"point":"service","action":"report.make","attributes":{},"more":1})",
            R"({"point":"service","action":"report.make","attributes":{},"scope":{"channel":"c"}})",
            good + R"("subject.teir":"guest"}})",
            good + R"("subject.tier":"guests"}})",
            good + R"("subject.tier":2}})",
            good + R"("subject.local":"true"}})",
            good + R"("context.size":"5"}})",
            good + R"("subject.id":5}})",
            good + R"("subject.group":"a"}})",
            good + R"("subject.group":[1]}})",
            good + R"("resource.own":true}})",
        }) {
        EXPECT_FALSE(parse_record(text)) << text;
    }
}

TEST(Records, AreBounded)
{
    const auto with = [](std::size_t octets) {
        const std::string id(octets, 'a');
        Request request{Action::report_make};
        return write_record(request.text(A::subject_id, id));
    };
    const auto frame = with(0).value().size();
    const auto whole = with(max_record_octets - frame);
    ASSERT_TRUE(whole);
    EXPECT_TRUE(parse_record(*whole));
    EXPECT_FALSE(with(max_record_octets - frame + 1));
    EXPECT_FALSE(parse_record(*whole + " "));
    const auto with_groups = [](std::size_t count) {
        std::string list;
        for (std::size_t i = 0; i < count; ++i) list += (i == 0 ? "" : ",") + std::string(R"("g")");
        return parse_record(R"({"point":"service","action":"report.make","attributes":)"
                            R"({"subject.group":[)" +
                            list + "]}}");
    };
    EXPECT_TRUE(with_groups(max_record_groups));
    EXPECT_FALSE(with_groups(max_record_groups + 1));
}

TEST(Rehearse, SaysWhatWouldHaveGoneOtherwise)
{
    const auto before = ready(
        std::vector<Source>{source("p", document({rule("all", posting, "", R"("allow")")}), 1)});
    const auto after = ready(std::vector<Source>{
        source("p",
               document({rule("all", posting, "", R"("allow")"),
                         rule("low", posting, R"({"le":["subject.tier","guest"]})", R"("deny")"),
                         rule("mark", posting, R"({"eq":["subject.tier","trusted"]})",
                              R"({"tag":"trusted"})")}),
               2)});
    const std::vector<std::string> records{message_of(Tier::guest), message_of(Tier::known), "{}",
                                           message_of(Tier::trusted)};
    const auto rehearsal = rehearse(records, *before, *after);
    EXPECT_EQ(rehearsal.decided, 3U);
    EXPECT_EQ(rehearsal.unreadable, 1U);
    EXPECT_EQ(rehearsal.differing, 2U);
    ASSERT_EQ(rehearsal.differences.size(), 2U);
    const auto& denied = rehearsal.differences[0];
    EXPECT_EQ(denied.record, 0U);
    EXPECT_EQ(denied.action, Action::message_create);
    EXPECT_EQ(denied.before, Outcome::permitted);
    EXPECT_EQ(denied.after, Outcome::denied);
    EXPECT_EQ(denied.rule_before, "p@1/all");
    EXPECT_EQ(denied.rule_after, "p@2/low");
    EXPECT_FALSE(denied.only_effects);
    EXPECT_EQ(rehearsal.differences[1].record, 3U);
    EXPECT_TRUE(rehearsal.differences[1].only_effects);
    EXPECT_EQ(rehearse(records, *before, *before).differing, 0U);
}

// What is in force may have changed since: the record says what happened.
TEST(Rehearse, ComparesWithWhatWasRecordedAndSaysWhereTodayDiffersToo)
{
    const auto allowing = ready({rule("all", posting, "", R"("allow")")});
    const auto denying = ready({rule("no", posting, "", R"("deny")")});
    Request request{Action::message_create};
    const std::vector<std::string> records{
        write_record(request, Decided{Outcome::permitted, "old@7/r"}).value()};
    const auto same = rehearse(records, *denying, *allowing);
    EXPECT_EQ(same.differing, 0U);
    EXPECT_EQ(same.drifted, 1U);
    const auto other = rehearse(records, *denying, *denying);
    ASSERT_EQ(other.differences.size(), 1U);
    EXPECT_EQ(other.differences[0].before, Outcome::permitted);
    EXPECT_EQ(other.differences[0].rule_before, "old@7/r");
    EXPECT_TRUE(other.differences[0].is_drifted);
    const auto changed = rehearse(records, *allowing, *denying);
    EXPECT_EQ(changed.differing, 1U);
    EXPECT_EQ(changed.drifted, 0U);
    EXPECT_FALSE(changed.differences[0].is_drifted);
}

TEST(Records, KeepOutcomeAndRuleTogether)
{
    const Decided decided{Outcome::held, "own@3/wait"};
    const auto text = write_record(Request{Action::member_join}, decided).value();
    EXPECT_EQ(parse_record(text)->decided, decided);
    EXPECT_EQ(parse_record(write_record(Request{Action::member_join}).value())->decided,
              std::nullopt);
    const auto with = [](const std::string& members) {
        return parse_record(R"({"point":"join","action":"member.join",)" + members +
                            R"("attributes":{}})");
    };
    EXPECT_TRUE(with(R"("outcome":"held","rule":"a@1/b",)"));
    EXPECT_FALSE(with(R"("outcome":"held",)"));
    EXPECT_FALSE(with(R"("rule":"a@1/b",)"));
    EXPECT_FALSE(with(R"("outcome":"later","rule":"a@1/b",)"));
}

TEST(Rehearse, AnotherVersionOrNameOfARuleIsNoDifference)
{
    const auto version = [](std::int64_t number, const std::string& name) {
        return ready(std::vector<Source>{
            source("p", document({rule(name, posting, "", R"("allow",{"tag":"t"})")}), number)});
    };
    const std::vector<std::string> records{message_of(Tier::guest)};
    EXPECT_EQ(rehearse(records, *version(1, "a"), *version(2, "b")).differing, 0U);
}

TEST(Rehearse, CountsAllDifferencesAndShowsTheFirst)
{
    const auto none = ready(std::vector<std::string>{});
    const auto all = ready({rule("all", posting, "", R"("allow")")});
    std::vector<std::string> records(max_differences, message_of(Tier::guest));
    EXPECT_EQ(rehearse(records, *none, *all).differences.size(), max_differences);
    records.push_back(records.front());
    const auto rehearsal = rehearse(records, *none, *all);
    EXPECT_EQ(rehearsal.differing, max_differences + 1);
    EXPECT_EQ(rehearsal.differences.size(), max_differences);
}

}  // namespace
}  // namespace entente::trust::policy
