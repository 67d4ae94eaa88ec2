#include "daemon/descriptors.hpp"

#include <gtest/gtest.h>

namespace entente::daemon {
namespace {

TEST(Descriptors, LeaveTheStoresTheirFiles)
{
    for (const std::size_t limit : {256UL, 1'024UL, 65'536UL, 1'048'576UL}) {
        const auto shares = share_descriptors(limit, 2);
        ASSERT_TRUE(shares) << limit;
        EXPECT_LE(shares->connections + shares->outgoing + 128, limit);
        EXPECT_GT(shares->outgoing, 0U);
        EXPECT_GE(shares->connections, shares->outgoing);
    }
    EXPECT_GT(share_descriptors(65'536, 2)->connections, 64'000U);
}

TEST(Descriptors, TooFewAreSaidSo)
{
    const auto shares = share_descriptors(128, 2);
    ASSERT_FALSE(shares);
    EXPECT_NE(shares.error().detail.find("ulimit"), std::string::npos);
    EXPECT_FALSE(share_descriptors(0, 2));
    EXPECT_FALSE(share_descriptors(400, 64));
    EXPECT_TRUE(share_descriptors(400, 2));
}

TEST(Descriptors, TheSystemsLimitIsUsedInFull)
{
    const auto limit = raise_descriptor_limit();
    EXPECT_GT(limit, 0U);
    EXPECT_EQ(raise_descriptor_limit(), limit);
}

}  // namespace
}  // namespace entente::daemon
