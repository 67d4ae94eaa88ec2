// Why a policy decides as it does, and what it would depend on.
#include "policies_rig.hpp"

namespace entente::api::testing {
namespace {

class ExplainedPolicies : public PolicyRoutes {
 protected:
    using Action = trust::policy::Action;
    using A = trust::policy::Attribute;

    std::vector<Explained> explain(const ExplainQuestion& question)
    {
        return rig.await(rig.api().policies().explain(question)).value();
    }
    // "permitted", "denied by (invariants)/not-above", "depends on resource.role".
    std::string explain(const std::string& subject, Action action, const std::string& resource = "",
                        trust::Tier tier = trust::Tier::guest)
    {
        const auto one = explain({subject, tier, action, resource}).at(0);
        std::string names;
        for (std::size_t at = 0; at < trust::policy::attribute_count; ++at) {
            const auto attribute = static_cast<A>(at);
            if ((one.depends_on & trust::policy::bit(attribute)) != 0)
                names += " " + std::string(trust::policy::row_of(attribute).name);
        }
        if (!names.empty()) return "depends on" + names;
        const std::string outcome(trust::policy::to_text(one.outcome));
        return outcome == "denied" ? outcome + " by " + one.rule : outcome;
    }
    void execute(const std::string& sql)
    {
        EXPECT_TRUE(rig.await(rig.commit().write([&](storage::WriteTransaction& transaction) {
            return transaction.db().execute(sql);
        })));
    }
};

TEST_F(ExplainedPolicies, OfAccountsTheRoleThatIsGivenIsMissing)
{
    EXPECT_EQ(explain("root@a.test", Action::account_role, "alice@a.test"),
              "depends on resource.new_role");
    EXPECT_EQ(explain("alice@a.test", Action::account_role, "root@a.test"),
              "denied by (default)/nothing-allows");
    EXPECT_EQ(explain("root@a.test", Action::account_ban, "alice@a.test"), "permitted");
    EXPECT_EQ(explain("root@a.test", Action::account_ban), "depends on resource.own resource.role");
    const auto second = with_role("second", "superadmin");
    EXPECT_EQ(explain("second@a.test", Action::account_ban, "root@a.test"), "permitted");
    execute("UPDATE account_user SET suspended_at = 1 WHERE localpart = 'second'");
    EXPECT_EQ(explain("second@a.test", Action::account_ban, "root@a.test"),
              "denied by (invariants)/last-superadmin");
    EXPECT_EQ(put(R"({"id":"r","actions":["account.ban"],)"
                  R"("when":{"eq":["resource.kind","account"]},"effects":["deny"]})")
                  .status,
              200);
    EXPECT_EQ(explain("root@a.test", Action::account_ban, "alice@a.test"), "denied by own@1/r");
}

TEST_F(ExplainedPolicies, OfMembersTheChannelIsMissing)
{
    EXPECT_EQ(explain("alice@a.test", Action::member_kick),
              "depends on subject.channel_role resource.server resource.own resource.channel_role");
    EXPECT_EQ(explain("alice@a.test", Action::message_create).substr(0, 10), "depends on");
    EXPECT_EQ(explain("b.test", Action::message_create, "", trust::Tier::blocked),
              "denied by tiers@0/nothing-from-blocked");
}

TEST_F(ExplainedPolicies, AcquaintanceIsLookedUpOrMissing)
{
    const std::string bob = "bob@b.test", own = "alice@a.test";
    for (const auto action : {Action::device_send, Action::key_claim}) {
        EXPECT_EQ(explain(bob, action), "depends on context.acquainted");
        EXPECT_EQ(explain(bob, action, own), "denied by (default)/nothing-allows");
        EXPECT_EQ(explain(bob, action, "", trust::Tier::known), "permitted");
        EXPECT_EQ(explain(own, action), "permitted");
    }
}

TEST_F(ExplainedPolicies, WhatTheMomentSaysIsMissingWhereARuleAsksForIt)
{
    EXPECT_EQ(explain("alice@a.test", Action::media_upload), "permitted");
    EXPECT_EQ(put(R"({"id":"r","actions":["media.upload"],"when":{"any":[)"
                  R"({"gt":["context.size",10]},{"eq":["context.network","192.0.2.1"]}]},)"
                  R"("effects":["deny"]})")
                  .status,
              200);
    EXPECT_EQ(explain("alice@a.test", Action::media_upload),
              "depends on context.network context.size");
    EXPECT_EQ(explain("b.test", Action::media_upload), "denied by (default)/nothing-allows");
}

TEST_F(ExplainedPolicies, WhatNothingAsksAboutIsNotListed)
{
    const auto all = explain({"b.test", trust::Tier::guest, {}, ""});
    EXPECT_LT(all.size(), trust::policy::action_count);
    for (const auto& one : all) EXPECT_TRUE(trust::policy::is_asked(one.action));
}

}  // namespace
}  // namespace entente::api::testing
