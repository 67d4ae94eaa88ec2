#include "net/body_budget.hpp"

#include <gtest/gtest.h>

namespace entente::net {
namespace {

const auto one = boost::asio::ip::make_address("192.0.2.1");
const auto other = boost::asio::ip::make_address("192.0.2.2");

TEST(BodyBudget, HoldsASourceToItsShare)
{
    const auto budget = std::make_shared<BodyBudget>(100, 10);
    BodyBudget::Share first(budget, one);
    EXPECT_TRUE(first.take(6));
    BodyBudget::Share second(budget, one);
    EXPECT_FALSE(second.take(5));
    EXPECT_TRUE(second.take(4));
    BodyBudget::Share foreign(budget, other);
    EXPECT_TRUE(foreign.take(10));
    EXPECT_FALSE(foreign.take(1));
}

TEST(BodyBudget, HoldsAllToTheTotalAndGivesBack)
{
    const auto budget = std::make_shared<BodyBudget>(10, 10);
    {
        BodyBudget::Share first(budget, one);
        EXPECT_TRUE(first.take(10));
        BodyBudget::Share second(budget, other);
        EXPECT_FALSE(second.take(1));
        EXPECT_EQ(budget->held(), 10U);
    }
    EXPECT_EQ(budget->held(), 0U);
    BodyBudget::Share later(budget, other);
    EXPECT_TRUE(later.take(10));
    later.give_back();
    EXPECT_EQ(budget->held(), 0U);
    EXPECT_TRUE(later.take(10));
}

TEST(BodyBudget, CountsAnIpv6NetworkAsOneSource)
{
    EXPECT_EQ(source_key(boost::asio::ip::make_address("2001:db8:1:2::1")),
              source_key(boost::asio::ip::make_address("2001:db8:1:2:ffff::9")));
    EXPECT_NE(source_key(boost::asio::ip::make_address("2001:db8:1:2::1")),
              source_key(boost::asio::ip::make_address("2001:db8:1:3::1")));
}

}  // namespace
}  // namespace entente::net
