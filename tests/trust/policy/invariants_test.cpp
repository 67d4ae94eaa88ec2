// What holds whatever the policies say, even where they allow everything.
#include <gtest/gtest.h>

#include "tests/trust/policy/policy_rig.hpp"
#include "trust/policy/invariants.hpp"
#include "trust/policy/shipped.hpp"

namespace entente::trust::policy {
namespace {

using testing::document;
using testing::ready;
using testing::rule;
using testing::source;
using A = Attribute;
using enum ServerRole;

testing::Ready everything_allowed()
{
    return ready({rule("all", R"("*")", "", R"("allow")")});
}

struct Act {
    Action action;
    ServerRole who, whom;
    bool on_oneself = false;
    std::int64_t superadmins = 2;
    ServerRole new_role = none;
};

Request request_of(const Act& act)
{
    Request request{act.action};
    request.word(A::subject_role, act.who)
        .word(A::resource_role, act.whom)
        .flag(A::resource_own, act.on_oneself)
        .number(A::context_superadmins, act.superadmins);
    if (act.action == Action::account_role) request.word(A::resource_new_role, act.new_role);
    return request;
}

std::string verdict_of(const Act& act)
{
    const auto policies = everything_allowed();
    const auto verdict = policies->decide(request_of(act));
    return verdict.is_permitted() ? "permitted" : verdict.rule.text();
}

TEST(Invariants, NobodyActsOnThemselvesOrAHigherRole)
{
    for (const auto action :
         {Action::account_suspend, Action::account_ban, Action::account_delete}) {
        EXPECT_EQ(verdict_of({action, admin, user}), "permitted");
        EXPECT_EQ(verdict_of({action, admin, admin}), "permitted");
        EXPECT_EQ(verdict_of({action, superadmin, superadmin}), "permitted");
        EXPECT_EQ(verdict_of({action, admin, superadmin}), "(invariants)/not-above");
        EXPECT_EQ(verdict_of({action, user, admin}), "(invariants)/not-above");
        EXPECT_EQ(verdict_of({action, none, user}), "(invariants)/not-above");
        EXPECT_EQ(verdict_of({action, admin, admin, true}), "(invariants)/not-oneself");
        EXPECT_EQ(verdict_of({action, superadmin, superadmin, true}), "(invariants)/not-oneself");
    }
}

TEST(Invariants, NobodyDemotesThemselvesOrAHigherRoleOrGivesMoreThanTheyHave)
{
    const auto role = Action::account_role;
    EXPECT_EQ(verdict_of({role, superadmin, superadmin, false, 2, user}), "permitted");
    EXPECT_EQ(verdict_of({role, admin, user, false, 2, admin}), "permitted");
    EXPECT_EQ(verdict_of({role, admin, user, false, 2, superadmin}), "(invariants)/not-beyond");
    EXPECT_EQ(verdict_of({role, admin, superadmin, false, 2, user}), "(invariants)/not-above");
    EXPECT_EQ(verdict_of({role, superadmin, superadmin, true, 2, user}),
              "(invariants)/not-oneself");
}

TEST(Invariants, TheLastSuperadminStays)
{
    for (const auto action : {Action::account_suspend, Action::account_ban, Action::account_delete,
                              Action::account_role}) {
        EXPECT_EQ(verdict_of({action, superadmin, superadmin, false, 2, user}), "permitted");
        EXPECT_EQ(verdict_of({action, superadmin, superadmin, false, 1, user}),
                  "(invariants)/last-superadmin");
    }
    EXPECT_EQ(verdict_of({Action::account_role, superadmin, superadmin, false, 1, superadmin}),
              "permitted");
    EXPECT_EQ(verdict_of({Action::account_suspend, superadmin, admin, false, 1}), "permitted");
}

TEST(Invariants, WhereAFactIsMissingNothingIsDone)
{
    const auto policies = everything_allowed();
    const auto missing = [&](const Request& request) {
        return policies->decide(request).rule ==
               RuleName{"(invariants)", 0, "facts-missing", Decider::by_invariant};
    };
    Request request{Action::account_ban};
    EXPECT_TRUE(missing(request));
    request.word(A::subject_role, superadmin).word(A::resource_role, superadmin);
    EXPECT_TRUE(missing(request));
    request.flag(A::resource_own, false);
    EXPECT_TRUE(missing(request));
    request.number(A::context_superadmins, 2);
    EXPECT_TRUE(policies->decide(request).is_permitted());
    Request role{Action::account_role};
    role.word(A::subject_role, superadmin)
        .word(A::resource_role, user)
        .flag(A::resource_own, false);
    EXPECT_TRUE(missing(role));
    EXPECT_TRUE(missing(Request{Action::member_ban}));
    EXPECT_TRUE(missing(Request{Action::member_kick}));
    EXPECT_TRUE(missing(Request{Action::member_role}));
}

TEST(Invariants, OfChannelsTheSameIsTrue)
{
    const auto policies = everything_allowed();
    const auto of = [&](Action action, ChannelRole who, ChannelRole whom, bool own,
                        ChannelRole given = ChannelRole::none) {
        Request request{action};
        request.word(A::subject_channel_role, who)
            .word(A::resource_channel_role, whom)
            .flag(A::resource_own, own);
        if (action == Action::member_role) request.word(A::resource_new_channel_role, given);
        const auto verdict = policies->decide(request);
        return verdict.is_permitted() ? "permitted" : verdict.rule.text();
    };
    using enum ChannelRole;
    for (const auto action : {Action::member_kick, Action::member_ban, Action::member_role}) {
        EXPECT_EQ(of(action, moderator, member, false), "permitted");
        EXPECT_EQ(of(action, moderator, owner, false), "(invariants)/not-above");
        EXPECT_EQ(of(action, owner, owner, true), "(invariants)/not-oneself");
    }
    EXPECT_EQ(of(Action::member_role, moderator, member, false, owner), "(invariants)/not-beyond");
    EXPECT_EQ(of(Action::member_ban, home, owner, false), "permitted");
}

TEST(Invariants, ARuleCanStillDenyWhatTheyPermit)
{
    const auto policies = ready({rule("all", R"("*")", "", R"("allow")"),
                                 rule("none", R"("account.ban")", "", R"("deny")")});
    EXPECT_EQ(policies->decide(request_of({Action::account_ban, superadmin, user})).rule.rule,
              "none");
}

// Of superadmins root and other.
std::string locked_out_by(const std::vector<std::string>& rules,
                          const std::vector<std::string>& superadmins = {"root@a.example",
                                                                         "other@a.example"})
{
    auto sources = shipped_sources();
    sources.push_back(source("own", document(rules)));
    const auto open = check_not_locked_out(*ready(std::move(sources)), "a.example", superadmins);
    if (open) return "";
    EXPECT_EQ(open.error().code, Code::forbidden);
    return open.error().hint;
}

const std::string change = R"("policy.change")";

TEST(LockOut, TheShippedPoliciesLeaveSuperadminsIn)
{
    EXPECT_EQ(locked_out_by({}), "");
    EXPECT_EQ(locked_out_by({}, {}), "");
}

TEST(LockOut, WhatDeniesAllSuperadminsIsRefusedByName)
{
    const auto hint = locked_out_by({rule("stop", change, "", R"("deny")")});
    EXPECT_NE(hint.find("own@1/stop"), std::string::npos) << hint;
    EXPECT_NE(locked_out_by({rule("stop", R"("policy.*")", "", R"("deny")")}), "");
    EXPECT_NE(locked_out_by({rule("stop", R"("*")", "", R"("deny")")}), "");
    EXPECT_NE(
        locked_out_by({rule("stop", R"("*")", R"({"eq":["subject.local",true]})", R"("deny")")}),
        "");
    EXPECT_NE(
        locked_out_by({rule("stop", change, R"({"ge":["subject.role","admin"]})", R"("deny")")}),
        "");
    EXPECT_NE(
        locked_out_by({rule("stop", change, R"({"not":{"present":"subject.tier"}})", R"("deny")")}),
        "");
}

TEST(LockOut, WhereOneSuperadminIsSureToBeInItIsNone)
{
    const auto deny = [](const std::string& ids) {
        return rule("stop", change, R"({"in":["subject.id",[)" + ids + "]]}", R"("deny")");
    };
    EXPECT_EQ(locked_out_by({deny(R"("root@a.example")")}), "");
    EXPECT_NE(locked_out_by({deny(R"("root@a.example","other@a.example")")}), "");
    EXPECT_NE(locked_out_by({deny(R"("root@a.example")")}, {"root@a.example"}), "");
    EXPECT_NE(locked_out_by({deny(R"("root@a.example")")}, {}), "") << "it could be that one";
}

TEST(LockOut, WhatCouldBeOtherwiseJustThenIsNotSure)
{
    for (const auto* when :
         {R"({"lt":["context.hour",6]})", R"({"ne":["context.network","192.0.2.1"]})",
          R"({"not":{"eq":["subject.device_verified",true]}})",
          R"({"lt":["subject.account_age",86400]})", R"({"in":["subject.group",["out"]]})"}) {
        EXPECT_NE(locked_out_by({rule("stop", change, when, R"("deny")")}), "") << when;
        const auto spared =
            R"({"all":[)" + std::string(when) + R"(,{"ne":["subject.role","superadmin"]}]})";
        EXPECT_EQ(locked_out_by({rule("stop", change, spared, R"("deny")")}), "") << when;
    }
}

TEST(LockOut, RulesAboutOtherServersAndOtherThingsAreNone)
{
    EXPECT_EQ(
        locked_out_by({rule("r", R"("*")", R"({"eq":["subject.server","b.example"]})", R"("deny")"),
                       rule("s", R"("*")", R"({"le":["subject.tier","guest"]})", R"("deny")"),
                       rule("t", R"("message.*")", "", R"("deny")"),
                       rule("u", R"("*")", "", R"("deny")", "channel:c")}),
        "");
    EXPECT_NE(locked_out_by(
                  {rule("r", R"("*")", R"({"eq":["subject.server","a.example"]})", R"("deny")")}),
              "");
}

TEST(LockOut, WithoutAnAllowThatIsSureNobodyIsIn)
{
    const auto check = [](const std::string& when) {
        const auto policies = ready({rule("r", change, when, R"("allow")")});
        return check_not_locked_out(*policies, "a.example", {}).has_value();
    };
    EXPECT_TRUE(check(""));
    EXPECT_TRUE(check(R"({"eq":["subject.role","superadmin"]})"));
    EXPECT_FALSE(check(R"({"eq":["subject.role","admin"]})"));
    EXPECT_FALSE(check(R"({"ge":["context.hour",6]})"));
    EXPECT_FALSE(
        check(R"({"all":[{"eq":["subject.role","superadmin"]},{"ge":["context.hour",6]}]})"));
    EXPECT_TRUE(
        check(R"({"any":[{"eq":["subject.role","superadmin"]},{"ge":["context.hour",6]}]})"));
    const auto hint =
        check_not_locked_out(*ready(std::vector<std::string>{}), "a.example", {}).error().hint;
    EXPECT_NE(hint.find("(default)/nothing-allows"), std::string::npos) << hint;
}

}  // namespace
}  // namespace entente::trust::policy
