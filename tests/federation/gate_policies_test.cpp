// What policies say of a signed request that has passed all checks.
#include "tests/federation/gate_rig.hpp"
#include "trust/policy/shipped.hpp"

namespace entente::federation::testing_rig {
namespace {

class GatePolicies : public GateTest {
 protected:
    GatePolicies() { with_budget(100); }
    void put(const std::string& rule)
    {
        auto policy = trust::policy::parse_policy(R"({"version":1,"rules":[)" + rule + "]}");
        ASSERT_TRUE(policy) << policy.error().hint;
        auto sources = trust::policy::shipped_sources();
        sources.push_back({"own", 1, std::move(*policy)});
        us.policies->replace(trust::policy::Compiled::make(std::move(sources)).value());
    }
};

TEST_F(GatePolicies, AServerIsRefusedByItsNameOrWhatItAsksFor)
{
    EXPECT_TRUE(admit(sign({})));
    put(R"({"id":"no","actions":["request.make"],"when":{"eq":["subject.id","a.test"]},)"
        R"("effects":["deny"]})");
    const auto refused = admit(sign({}));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::forbidden);
    EXPECT_EQ(refused.error().hint, "by the policy rule own@1/no");
    put(R"({"id":"no","actions":["request.make"],"when":{"all":[{"eq":["subject.tier","known"]},)"
        R"({"gt":["context.size",1000000]}]},"effects":["deny"]})");
    EXPECT_TRUE(admit(sign({}))) << "a small one";
}

TEST_F(GatePolicies, ALimitIsBesideTheBudget)
{
    put(R"({"id":"few","actions":["request.make"],"effects":[{"limit":{"count":2,"seconds":60}}]})");
    EXPECT_TRUE(admit(sign({})));
    EXPECT_TRUE(admit(sign({})));
    const auto beyond = admit(sign({}));
    ASSERT_FALSE(beyond);
    EXPECT_EQ(beyond.error().code, Code::rate_limited);
    EXPECT_EQ(beyond.error().retry_after, 60);
}

TEST_F(GatePolicies, AnIpv6NetworkIsNamedAsItIsDocumented)
{
    put(R"({"id":"there","actions":["request.make"],)"
        R"("when":{"in":["context.network",["2001:db8:1:2::/64","203.0.113.7"]]},"effects":["deny"]})");
    const auto is_admitted = [&](const std::string& source) {
        Draft draft;
        draft.source = source;
        return admit(sign(draft)).has_value();
    };
    EXPECT_FALSE(is_admitted("2001:db8:1:2::1"));
    EXPECT_FALSE(is_admitted("2001:db8:1:2:ffff::9"));
    EXPECT_TRUE(is_admitted("2001:db8:1:3::1"));
    EXPECT_FALSE(is_admitted("::ffff:203.0.113.7"));
    EXPECT_TRUE(is_admitted("203.0.113.8"));
}

// Before anything is proven nobody is refused in another's name.
TEST_F(GatePolicies, NobodyIsAskedAboutBeforeTheSignatureHolds)
{
    put(R"({"id":"no","actions":["request.make"],"effects":["deny"]})");
    auto request = sign({});
    request.body += " ";
    const auto refused = admit(request);
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().code, Code::forbidden);
}

}  // namespace
}  // namespace entente::federation::testing_rig
