#include "net/body_budget.hpp"

#include <gtest/gtest.h>

namespace entente::net {
namespace {

const auto one = boost::asio::ip::make_address("192.0.2.1");
const auto other = boost::asio::ip::make_address("192.0.2.2");

TEST(BodyBudget, HoldsASourceToItsShare)
{
    const auto budget = std::make_shared<BodyBudget>(BodyLimits{100, 10});
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
    const auto budget = std::make_shared<BodyBudget>(BodyLimits{10, 10});
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

// A few who hold what they can leave room to who comes behind them.
TEST(BodyBudget, LeavesLittleToEachWhereMoreThanPlentyIsHeld)
{
    const auto budget = std::make_shared<BodyBudget>(BodyLimits{100, 40, 50, 10});
    BodyBudget::Share much(budget, one);
    BodyBudget::Share more(budget, one);
    BodyBudget::Share late(budget, other);
    EXPECT_TRUE(much.take(18));
    EXPECT_TRUE(more.take(18));
    EXPECT_TRUE(late.take(14));
    EXPECT_FALSE(budget->is_scarce());
    EXPECT_TRUE(late.take(1));
    EXPECT_TRUE(budget->is_scarce());
    // Who has little takes more, who has much doesn't, in however many bodies.
    BodyBudget::Share second(budget, one);
    EXPECT_FALSE(much.take(1));
    EXPECT_FALSE(second.take(1));
    // One body of a source goes on to all that a source may hold.
    EXPECT_TRUE(late.take(25));
    EXPECT_FALSE(late.take(1));
    late.give_back();
    EXPECT_FALSE(budget->is_scarce());
    more.give_back();
    EXPECT_TRUE(much.take(22));
}

TEST(BodyBudget, LeavesSeveralSmallOnesToASourceEvenThen)
{
    const auto budget = std::make_shared<BodyBudget>(BodyLimits{100, 60, 50, 10});
    BodyBudget::Share much(budget, one);
    ASSERT_TRUE(much.take(51));
    BodyBudget::Share first(budget, other);
    BodyBudget::Share second(budget, other);
    EXPECT_TRUE(first.take(4));
    EXPECT_TRUE(second.take(6));
    EXPECT_FALSE(second.take(1));
    first.give_back();
    EXPECT_TRUE(second.take(30));
}

}  // namespace
}  // namespace entente::net
