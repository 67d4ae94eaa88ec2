// How rules come together: deny wins, scopes are gathered, effects come in their order, and every
// verdict names its rule.
#include <gtest/gtest.h>

#include "tests/trust/policy/policy_rig.hpp"
#include "trust/policy/policies.hpp"

namespace entente::trust::policy {
namespace {

using testing::document;
using testing::effects_of;
using testing::ready;
using testing::rule;
using A = Attribute;
using Texts = std::vector<std::string>;

const std::string message = R"("message.create")";
const std::string always;

Request message_of(std::string_view id = "alice@a.example")
{
    Request request{Action::message_create};
    request.word(A::subject_kind, SubjectKind::user).text(A::subject_id, id);
    return request;
}

TEST(Decide, WhatNoRuleAllowsIsDenied)
{
    const auto policies = ready({rule("other", R"("message.edit")", always, R"("allow")"),
                                 rule("told", message, always, R"("log")")});
    const auto verdict = policies->decide(message_of());
    EXPECT_EQ(verdict.outcome, Outcome::denied);
    EXPECT_EQ(verdict.rule, nothing_allows);
    EXPECT_EQ(verdict.rule.text(), "(default)/nothing-allows");
    EXPECT_FALSE(verdict.is_permitted());
    EXPECT_EQ(effects_of(*policies, verdict), Texts{"log"});
}

TEST(Decide, ADenyAnywhereWinsAndIsNamed)
{
    const auto policies = ready(std::vector<Source>{
        testing::source("a", document({rule("all", message, always, R"("allow")")}), 4),
        testing::source("b", document({rule("none", message, always, R"("deny")", "channel:c")}),
                        7)});
    auto request = message_of();
    EXPECT_EQ(policies->decide(request).rule.text(), "a@4/all");
    EXPECT_EQ(policies->decide(request).outcome, Outcome::permitted);
    request.in_channel("c");
    const auto verdict = policies->decide(request);
    EXPECT_EQ(verdict.outcome, Outcome::denied);
    EXPECT_EQ(verdict.rule, (RuleName{"b", 7, "none"}));
}

TEST(Decide, RulesOfEveryScopeOnTheWayAreGathered)
{
    const auto tag = [](const std::string& name) { return R"({"tag":")" + name + "\"}"; };
    const auto policies = ready({rule("c", message, always, tag("channel"), "channel:c"),
                                 rule("d", message, always, tag("drawer"), "drawer:d"),
                                 rule("k", message, always, tag("category"), "category:k"),
                                 rule("s", message, always, tag("server") + R"(,"allow")")});
    auto request = message_of();
    EXPECT_EQ(effects_of(*policies, policies->decide(request)), Texts{"tag server"});
    request.in_category("k");
    EXPECT_EQ(effects_of(*policies, policies->decide(request)),
              (Texts{"tag server", "tag category"}));
    request.in_drawer("d").in_channel("c");
    EXPECT_EQ(effects_of(*policies, policies->decide(request)),
              (Texts{"tag server", "tag category", "tag drawer", "tag channel"}));
    request.in_category("other").in_drawer("other").in_channel("other");
    EXPECT_EQ(effects_of(*policies, policies->decide(request)), Texts{"tag server"});
}

TEST(Decide, TheWidestScopeIsNamedWhereSeveralDecide)
{
    const auto policies = ready({rule("narrow", message, always, R"("allow")", "channel:c"),
                                 rule("wide", message, always, R"("allow")")});
    EXPECT_EQ(policies->decide(message_of().in_channel("c")).rule.rule, "wide");
}

TEST(Decide, EffectsComeLimitsFirstThenHoldsTagsNoticesAndLog)
{
    const auto policies =
        ready({rule("r", R"("member.join")", always,
                    R"("log",{"notify":"administrators"},{"tag":"t"},{"hold":"moderator"},)"
                    R"({"limit":{"count":5,"seconds":60,"of":"server"}},"allow")")});
    const auto verdict = policies->decide(Request{Action::member_join});
    EXPECT_EQ(verdict.outcome, Outcome::held);
    EXPECT_TRUE(verdict.is_permitted());
    EXPECT_EQ(effects_of(*policies, verdict),
              (Texts{"limit", "hold moderator", "tag t", "notify administrators", "log"}));
    policies->effects_of(verdict, [](const CompiledEffect& one) {
        if (one.effect.kind != EffectKind::limit) return;
        EXPECT_EQ(one.effect.count, 5);
        EXPECT_EQ(one.effect.seconds, 60);
        EXPECT_EQ(one.effect.counted, Counted::server);
        EXPECT_EQ(one.rule, (RuleName{"p", 1, "r"}));
    });
}

TEST(Decide, AHoldNamesItsRuleAndAllowsNothingByItself)
{
    const auto hold = rule("wait", R"("member.join")", always, R"({"hold":"moderator"})");
    EXPECT_EQ(ready({hold})->decide(Request{Action::member_join}).outcome, Outcome::denied);
    const auto both = ready({rule("in", R"("member.join")", always, R"("allow")"), hold});
    const auto verdict = both->decide(Request{Action::member_join});
    EXPECT_EQ(verdict.outcome, Outcome::held);
    EXPECT_EQ(verdict.rule.rule, "wait");
}

TEST(Decide, ADenialKeepsOnlyWhatIsTold)
{
    const auto policies = ready(
        {rule("in", R"("member.join")", always, R"("allow",{"hold":"moderator"},{"tag":"t"})"),
         rule("rate", R"("member.join")", always, R"({"limit":{"count":1,"seconds":1}})"),
         rule("no", R"("member.join")", always, R"("deny",{"notify":"administrators"})")});
    EXPECT_EQ(effects_of(*policies, policies->decide(Request{Action::member_join})),
              (Texts{"tag t", "notify administrators"}));
}

// [LOG-1]
TEST(Decide, ASliceIsNeverRefused)
{
    const auto policies = ready({rule("seen", R"("slice.take")", always, R"("log")"),
                                 rule("none", R"("*")", always, R"("deny")")});
    const auto verdict = policies->decide(Request{Action::slice_take});
    EXPECT_EQ(verdict.outcome, Outcome::permitted);
    EXPECT_EQ(verdict.rule, cannot_refuse);
    EXPECT_EQ(effects_of(*policies, verdict), Texts{"log"});
}

bool holds_for(const std::string& when, const Request& request)
{
    return ready({rule("r", R"("member.role","message.create")", when, R"("allow")")})
        ->decide(request)
        .is_permitted();
}

TEST(Decide, EveryComparisonOfEveryType)
{
    auto request = message_of();
    request.word(A::subject_tier, Tier::guest)
        .flag(A::subject_local, false)
        .number(A::context_size, 10)
        .text(A::subject_server, "b.example");
    const std::string_view groups[] = {"staff", "night"};
    request.groups(groups);
    const std::pair<std::string, bool> cases[] = {
        {R"({"eq":["subject.tier","guest"]})", true},
        {R"({"eq":["subject.tier","known"]})", false},
        {R"({"ne":["subject.tier","guest"]})", false},
        {R"({"ne":["subject.tier","known"]})", true},
        {R"({"lt":["subject.tier","guest"]})", false},
        {R"({"lt":["subject.tier","known"]})", true},
        {R"({"le":["subject.tier","guest"]})", true},
        {R"({"le":["subject.tier","quarantined"]})", false},
        {R"({"gt":["subject.tier","guest"]})", false},
        {R"({"gt":["subject.tier","blocked"]})", true},
        {R"({"ge":["subject.tier","guest"]})", true},
        {R"({"ge":["subject.tier","trusted"]})", false},
        {R"({"in":["subject.tier",["known","guest"]]})", true},
        {R"({"in":["subject.tier",["known","trusted"]]})", false},
        {R"({"eq":["subject.local",false]})", true},
        {R"({"ne":["subject.local",false]})", false},
        {R"({"eq":["context.size",10]})", true},
        {R"({"ne":["context.size",10]})", false},
        {R"({"lt":["context.size",10]})", false},
        {R"({"lt":["context.size",11]})", true},
        {R"({"le":["context.size",10]})", true},
        {R"({"le":["context.size",9]})", false},
        {R"({"gt":["context.size",10]})", false},
        {R"({"gt":["context.size",-1]})", true},
        {R"({"ge":["context.size",10]})", true},
        {R"({"ge":["context.size",11]})", false},
        {R"({"in":["context.size",[30,10,20]]})", true},
        {R"({"in":["context.size",[30,20]]})", false},
        {R"({"eq":["subject.server","b.example"]})", true},
        {R"({"eq":["subject.server","B.example"]})", false},
        {R"({"ne":["subject.server","b.example"]})", false},
        {R"({"ne":["subject.server","c.example"]})", true},
        {R"({"in":["subject.server",["c.example","b.example"]]})", true},
        {R"({"in":["subject.server",["c.example","d.example"]]})", false},
        {R"({"in":["subject.group",["night","day"]]})", true},
        {R"({"in":["subject.group",["day"]]})", false},
        {R"({"present":"subject.server"})", true},
        {R"({"present":"context.rate"})", false},
        {R"({"eq":["subject.server",{"attribute":"subject.server"}]})", true},
        {R"({"ne":["subject.server",{"attribute":"subject.id"}]})", true},
        {R"({"eq":["subject.server",{"attribute":"subject.id"}]})", false},
        {R"({"ge":["context.size",{"attribute":"context.size"}]})", true},
        {R"({"lt":["context.size",{"attribute":"context.size"}]})", false},
        {R"({"not":{"eq":["subject.tier","guest"]}})", false},
        {R"({"all":[{"present":"subject.id"},{"eq":["context.size",1]}]})", false},
        {R"({"any":[{"eq":["context.size",1]},{"present":"subject.id"}]})", true},
        {R"({"not":{"any":[{"eq":["context.size",1]},{"not":{"present":"subject.id"}}]}})", true},
        {R"({"all":[{"not":{"all":[{"present":"subject.id"},{"present":"context.rate"}]}}]})",
         true},
    };
    for (const auto& [when, expected] : cases)
        EXPECT_EQ(holds_for(when, request), expected) << when;
}

TEST(Decide, EveryComparisonWithWhatIsAbsentIsFalse)
{
    for (const auto* when :
         {R"({"eq":["subject.tier","guest"]})", R"({"ne":["subject.tier","guest"]})",
          R"({"le":["subject.tier","trusted"]})", R"({"eq":["subject.local",false]})",
          R"({"ne":["subject.local",false]})", R"({"lt":["context.size",1]})",
          R"({"ne":["context.size",1]})", R"({"eq":["subject.server","a"]})",
          R"({"ne":["subject.server","a"]})", R"({"in":["subject.server",["a"]]})",
          R"({"in":["subject.group",["a"]]})",
          R"({"eq":["subject.server",{"attribute":"subject.server"}]})",
          R"({"ne":["subject.id",{"attribute":"subject.server"}]})",
          R"({"le":["context.size",{"attribute":"context.size"}]})"}) {
        EXPECT_FALSE(holds_for(when, message_of())) << when;
        EXPECT_TRUE(holds_for(R"({"not":)" + std::string(when) + "}", message_of())) << when;
    }
}

TEST(Decide, ARuleCountsForItsActionsOnly)
{
    const auto policies =
        ready({rule("r", R"("message.edit","message.react")", always, R"("allow")")});
    EXPECT_FALSE(policies->decide(Request{Action::message_create}).is_permitted());
    EXPECT_TRUE(policies->decide(Request{Action::message_edit}).is_permitted());
    EXPECT_TRUE(policies->decide(Request{Action::message_react}).is_permitted());
}

TEST(Decide, OfRulesThatNameServersOnlyThoseOfThisOneAreTried)
{
    std::vector<std::string> rules{rule("all", message, always, R"("allow")")};
    for (int i = 0; i < 1'000; ++i) {
        const auto server = std::to_string(i) + ".example";
        rules.push_back(rule(
            "r" + std::to_string(i), message,
            R"({"all":[{"gt":["context.size",9]},{"eq":["subject.server",")" + server + R"("]}]})",
            R"("deny")"));
    }
    const auto policies = ready(rules);
    EXPECT_EQ(policies->rules(), 1'001U);
    auto request = message_of();
    request.text(A::subject_server, "77.example").number(A::context_size, 10);
    const auto verdict = policies->decide(request);
    EXPECT_EQ(verdict.rule.rule, "r77");
    EXPECT_LE(verdict.steps, 2U);
    request.text(A::subject_server, "elsewhere.example");
    EXPECT_EQ(policies->decide(request).rule.rule, "all");
    EXPECT_EQ(policies->decide(request).steps, 0U);
}

TEST(Decide, OfRulesThatNameATierOnlyThoseOfThisOneAreTried)
{
    std::vector<std::string> rules;
    for (const auto* tier : {"blocked", "quarantined", "guest", "known", "trusted"}) {
        rules.push_back(rule(tier, message,
                             R"({"eq":["subject.tier",")" + std::string(tier) + "\"]}",
                             R"("allow")"));
    }
    const auto policies = ready(rules);
    const auto verdict = policies->decide(message_of().word(A::subject_tier, Tier::known));
    EXPECT_EQ(verdict.rule.rule, "known");
    EXPECT_EQ(verdict.steps, 1U);
}

TEST(Decide, WhoAsksWhyIsToldEveryRuleThatHolds)
{
    const auto policies = ready(
        {rule("c", message, always, R"("deny")", "channel:c"),
         rule("not", message, R"({"present":"context.rate"})", R"("deny")"),
         rule("s", message, always, R"("allow",{"limit":{"count":2,"seconds":3}},{"tag":"t"})")});
    const auto matches = policies->explain(message_of().in_channel("c"));
    ASSERT_EQ(matches.size(), 2U);
    EXPECT_EQ(matches[0].rule.text(), "p@1/s");
    EXPECT_EQ(matches[0].effects, "allow, limit 2 in 3 s of subject, tag t");
    EXPECT_EQ(matches[0].scope, Scope::server);
    EXPECT_EQ(matches[1].rule.rule, "c");
    EXPECT_EQ(matches[1].scope, Scope::channel);
}

TEST(Decide, AReplacedPolicyHoldsForWhatIsDecidedNext)
{
    Policies live{ready({rule("r", message, always, R"("allow")")})};
    const auto before = live.current();
    live.replace(ready({rule("r", message, always, R"("deny")")}));
    EXPECT_TRUE(before->decide(message_of()).is_permitted());
    EXPECT_FALSE(live.current()->decide(message_of()).is_permitted());
}

TEST(Actions, AnEventsTypeIsItsActionAndAnUnknownOneIsOther)
{
    EXPECT_EQ(action_of_event("message.create"), Action::message_create);
    EXPECT_EQ(action_of_event("channel.create"), Action::channel_create);
    EXPECT_EQ(action_of_event("key.share"), Action::key_share);
    EXPECT_EQ(action_of_event("something.new"), Action::event_other);
    // Names of actions that are no events: an event could call itself so.
    EXPECT_EQ(action_of_event("policy.change"), Action::event_other);
    EXPECT_EQ(action_of_event("account.role"), Action::event_other);
    EXPECT_EQ(action_of_event("signal.typing"), Action::event_other);
    EXPECT_EQ(action_of_event("alias.set"), Action::event_other);
}

TEST(Foresight, NamesWhatIsMissingOnlyWhereItWouldDecide)
{
    const auto large = R"({"gt":["context.size",10]})";
    const auto depends = [](const std::vector<std::string>& rules) {
        const auto policies = ready(rules);
        Request request{Action::message_create};
        request.text(A::subject_id, "bob@b.example");
        return policies->foresee(request, bit(A::context_size) | bit(A::context_rate)).depends_on;
    };
    const auto allow = rule("in", message, "", R"("allow")");
    const auto deny_large = rule("large", message, large, R"("deny")");
    EXPECT_EQ(depends({allow}), 0U);
    EXPECT_EQ(depends({allow, deny_large}), bit(A::context_size));
    EXPECT_EQ(depends({deny_large}), 0U) << "nothing allows it";
    EXPECT_EQ(depends({allow, deny_large, rule("no", message, "", R"("deny")")}), 0U);
    EXPECT_EQ(depends({rule("in", message, large, R"("allow")")}), bit(A::context_size));
    EXPECT_EQ(depends({allow, rule("in2", message, large, R"("allow")")}), 0U);
    EXPECT_EQ(depends({allow, rule("eve", message,
                                   R"({"all":[{"eq":["subject.id","eve@b.example"]},)"
                                   R"({"gt":["context.size",10]}]})",
                                   R"("deny")")}),
              0U)
        << "it is another's";
}

}  // namespace
}  // namespace entente::trust::policy
