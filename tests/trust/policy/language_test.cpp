// What is refused, and that the refusal says where and why.
#include <gtest/gtest.h>

#include "tests/trust/policy/policy_rig.hpp"

namespace entente::trust::policy {
namespace {

using testing::document;
using testing::rule;

std::string fault_of(const std::string& text)
{
    const auto policy = parse_policy(text);
    return policy ? "" : policy.error().hint;
}

std::string fault_of_rule(const std::string& text)
{
    return fault_of(document({text}));
}

// Of a condition of a rule about messages.
std::string fault_of_when(const std::string& when)
{
    return fault_of_rule(rule("r", R"("message.create")", when, R"("deny")"));
}

bool has(const std::string& text, const std::string& part)
{
    return text.find(part) != std::string::npos;
}

TEST(PolicyText, AFaultIsToldByPointerLineColumnAndReason)
{
    const std::string text =
        "{\n  \"version\": 1,\n  \"rules\": [\n"
        "    {\"id\": \"é\", \"actions\": [\"*\"], \"effects\": [\"deny\"]}\n"
        "  ]\n}";
    EXPECT_EQ(fault_of(text),
              "/rules/0/id (line 4, column 12): may have a-z, 0-9, dot, hyphen and underscore");
    const std::string behind =
        "{\"version\":1,\"rules\":[{\"id\":\"r\",\"note\":\"é\",\"actions\":[\"*\"],"
        "\"effects\":[\"denny\"]}]}";
    // Columns are characters: é is one.
    EXPECT_EQ(fault_of(behind).substr(0, 44), "/rules/0/effects/0 (line 1, column 71): ther");
}

TEST(PolicyText, WhatIsNoJsonIsRefusedWithItsPlace)
{
    EXPECT_EQ(fault_of("{\"version\": 1,\n \"rules\": [}"),
              "/rules/0 (line 2, column 12): a value was expected");
    EXPECT_EQ(fault_of(""), "(top) (line 1, column 1): a value was expected");
    EXPECT_TRUE(has(fault_of(R"({"version":1,"version":1,"rules":[]})"), "the name stands twice"));
    EXPECT_TRUE(has(fault_of("[]"), "must be an object"));
    EXPECT_TRUE(has(fault_of(R"({"version":1.5,"rules":[]})"), "a fraction"));
}

TEST(PolicyText, AMisspeltNameIsToldWithTheNearestOne)
{
    EXPECT_TRUE(has(fault_of_when(R"({"eq":["subject.teir","guest"]})"),
                    "/rules/0/when/eq/0 (line 1, column 93): there is no attribute "
                    "\"subject.teir\"; did you mean subject.tier?"))
        << fault_of_when(R"({"eq":["subject.teir","guest"]})");
    EXPECT_TRUE(has(fault_of_when(R"({"eq":["tier","guest"]})"), "did you mean subject.tier?"));
    EXPECT_TRUE(has(fault_of_when(R"({"eq":["resource.colour",1]})"), "no attribute"));
    EXPECT_FALSE(has(fault_of_when(R"({"eq":["resource.colour",1]})"), "did you mean"));
    EXPECT_TRUE(has(fault_of_when(R"({"eg":["subject.tier","guest"]})"), "did you mean eq?"));
    EXPECT_TRUE(has(fault_of_when(R"({"regex":["subject.id",".*"]})"), "write one of all, any"));
    EXPECT_TRUE(has(fault_of_when(R"({"eq":["subject.tier","guests"]})"),
                    "write one of blocked, quarantined, guest, known, trusted"));
    EXPECT_TRUE(has(fault_of_rule(rule("r", R"("mesage.create")", "", R"("deny")")),
                    "did you mean message.create?"));
    EXPECT_TRUE(
        has(fault_of_rule(R"({"id":"r","whem":{},"actions":["*"],"effects":["deny"]})"),
            "/rules/0/whem (line 1, column 40): there is no such member; did you mean when?"));
}

TEST(PolicyText, EveryMemberIsChecked)
{
    const std::pair<std::string, std::string> faults[] = {
        {R"({"rules":[]})", "needs a member version"},
        {R"({"version":1})", "needs a member rules"},
        {R"({"version":2,"rules":[]})", "/version (line 1, column 12): must be 1"},
        {R"({"version":1,"rules":{}})", "must be a list of rules"},
        {R"({"version":1,"rules":[1]})", "must be an object"},
        {R"({"version":1,"rules":[{"actions":["*"],"effects":["deny"]}]})", "needs a member id"},
        {R"({"version":1,"rules":[{"id":"r","effects":["deny"]}]})", "needs a member actions"},
        {R"({"version":1,"rules":[{"id":"r","actions":["*"]}]})", "needs a member effects"},
        {document({rule("r", "", "", R"("deny")")}), "about nothing"},
        {document({rule("r", R"("*")", "", "")}), "would do nothing"},
        {document({rule("r", R"("*")", "", R"("allow","deny")")}), "allows or denies once"},
        {document({rule("r", R"("*")", "", R"("log","log")")}), "stands twice"},
        {document({rule("r", R"("*")", "", R"("ban")")}), "no effect \"ban\""},
        {document({rule("r", R"("*")", "", R"("hold")")}), R"(as {"hold": …})"},
        {document({rule("r", R"("*")", "", R"({"allow":1})")}), "takes no value"},
        {document({rule("r", R"("*")", "", R"({"hold":"nobody"})")}), "one of user, moderator"},
        {document({rule("r", R"("*")", "", R"({"notify":"all"})")}), "one of administrators"},
        {document({rule("r", R"("*")", "", R"({"tag":""})")}), "must not be empty"},
        {document({rule("r", R"("*")", "", R"({"tag":"a","log":1})")}), "each effect stands alone"},
        {document({rule("r", R"("*")", "", R"({"limit":{"count":1}})")}), "needs a member seconds"},
        {document({rule("r", R"("*")", "", R"({"limit":{"count":1,"seconds":1,"of":"x"}})")}),
         "one of subject, server, all"},
        {document({rule("r", R"("*")", "", R"("deny")", "room:a")}), "category:, drawer:"},
        {document({rule("r", R"("*")", "", R"("deny")", "channel:")}), "category:, drawer:"},
        {document({rule("r", R"("*")", "", R"("deny")"), rule("r", R"("*")", "", R"("deny")")}),
         "/rules/1 (line 1, column 86): another rule of this policy is called r"},
    };
    for (const auto& [text, part] : faults)
        EXPECT_TRUE(has(fault_of(text), part)) << text << "\n" << fault_of(text);
}

TEST(PolicyText, EveryConditionIsChecked)
{
    const std::pair<std::string, std::string> faults[] = {
        {"[]", "must be a condition"},
        {"{}", "must have one member"},
        {R"({"all":[],"any":[]})", "must have one member"},
        {R"({"all":[]})", "is empty"},
        {R"({"any":{}})", "must be a list of conditions"},
        {R"({"not":[]})", "must be a condition"},
        {R"({"eq":"subject.tier"})", "must be a list of two"},
        {R"({"eq":["subject.tier"]})", "must be a list of two"},
        {R"({"eq":["subject.tier","guest","known"]})", "must be a list of two"},
        {R"({"eq":[1,1]})", "must be the name of an attribute"},
        {R"({"eq":["subject.tier",1]})", "must be one of blocked"},
        {R"({"eq":["subject.local","true"]})", "must be one of false, true"},
        {R"({"eq":["context.size","1"]})", "must be an integer"},
        {R"({"eq":["subject.id",1]})", "must be a text"},
        {R"({"in":["subject.id","a"]})", "must be a list of values"},
        {R"({"in":["subject.id",[]]})", "is empty"},
        {R"({"lt":["subject.id","a"]})", "has no order"},
        {R"({"ge":["subject.local",true]})", "has no order"},
        {R"({"eq":["subject.group","a"]})", "several texts"},
        {R"({"eq":["subject.role",{"attribute":"subject.tier"}]})", "another type"},
        {R"({"eq":["subject.role",{"attribute":"subject.role","x":1}]})", "alone"},
        {R"({"eq":["subject.role",{"name":"subject.role"}]})", "alone"},
        {R"({"present":["subject.role"]})", "must be the name of an attribute"},
    };
    for (const auto& [text, part] : faults)
        EXPECT_TRUE(has(fault_of_when(text), part)) << text << "\n" << fault_of_when(text);
}

// [LOG-1]
TEST(PolicyText, WhatAPointCantCarryOutIsRefusedThere)
{
    for (const auto* effect : {R"("deny")", R"("allow")", R"({"hold":"moderator"})"}) {
        EXPECT_TRUE(has(fault_of_rule(rule("r", R"("slice.take")", "", effect)),
                        "since the point \"slice\" can't carry it out"))
            << effect;
    }
    EXPECT_EQ(fault_of_rule(rule("r", R"("slice.take")", "", R"({"tag":"t"},"log")")), "");
    EXPECT_TRUE(has(fault_of_rule(rule("r", R"("message.create")", "", R"({"hold":"user"})")),
                    "message.create can't have the effect hold"));
    EXPECT_EQ(fault_of_rule(rule("r", R"("invitation.receive")", "", R"({"hold":"user"})")), "");
    EXPECT_TRUE(
        has(fault_of_rule(rule("r", R"("invitation.receive")", "", R"({"hold":"moderator"})")),
            "invitation.receive can be held for the user alone"));
    EXPECT_TRUE(has(fault_of_rule(rule("r", R"("member.join")", "", R"({"hold":"user"})")),
                    "member.join can be held for the moderator alone"));
}

TEST(PolicyText, WhatAnActionDoesNotKnowIsRefusedThere)
{
    const std::string own = R"({"eq":["resource.own",true]})";
    EXPECT_TRUE(has(fault_of_rule(rule("r", R"("message.create")", own, R"("deny")")),
                    "resource.own isn't known where message.create is decided"));
    EXPECT_EQ(fault_of_rule(rule("r", R"("message.edit")", own, R"("deny")")), "");
    EXPECT_TRUE(has(fault_of_rule(rule("r", R"("policy.read")", "", R"("deny")", "channel:c")),
                    "(channel) isn't known"));
    EXPECT_TRUE(has(fault_of_rule(rule("r", R"("message.edit","policy.read")", own, R"("deny")")),
                    "/rules/0/actions/1"));
}

TEST(PolicyText, APatternStandsForTheActionsThatFitTheRule)
{
    const auto actions = [](const std::string& text) {
        const auto policy = parse_policy(document({text})).value();
        std::vector<std::string_view> names;
        for (const auto action : policy.rules.at(0).actions) names.push_back(row_of(action).name);
        return names;
    };
    using Names = std::vector<std::string_view>;
    EXPECT_EQ(actions(rule("r", R"("message.*")", "", R"("deny")")),
              (Names{"message.create", "message.edit", "message.delete", "message.react"}));
    EXPECT_EQ(actions(rule("r", R"("message.*","message.edit")", R"({"eq":["resource.own",false]})",
                           R"("deny")")),
              (Names{"message.edit", "message.delete"}));
    EXPECT_EQ(actions(rule("r", R"("*")", "", R"({"hold":"moderator"})")), Names{"member.join"});
    EXPECT_EQ(actions(rule("r", R"("*")", "", R"({"hold":"user"})")), Names{"invitation.receive"});
    EXPECT_EQ(actions(rule("r", R"("*")", "", R"("deny")")).size(), action_count - 1);
    EXPECT_TRUE(has(
        fault_of_rule(rule("r", R"("media.*")", R"({"eq":["resource.own",true]})", R"("deny")")),
        "resource.own isn't known where media.ask is decided"));
    EXPECT_TRUE(has(fault_of_rule(rule("r", R"("massage.*")", "", R"("deny")")), "no action"));
}

}  // namespace
}  // namespace entente::trust::policy
