#include "protocol/shared_room.hpp"

#include <optional>

#include <gtest/gtest.h>

namespace entente::protocol {
namespace {

constexpr SharedRoom::Limits limits{100, 40, 10};

TEST(SharedRoom, EachMayHoldMuchUntilPlentyIsHeldAndLittleThen)
{
    SharedRoom room(limits);
    RoomShare others(room);
    others.take(99);
    RoomShare one(room);
    EXPECT_EQ(one.most(), 40U);
    others.take(1);
    EXPECT_EQ(one.most(), 10U);
    others.give_back(1);
    EXPECT_EQ(one.most(), 40U);
}

TEST(SharedRoom, WhatFitsIsCountedFromBothSides)
{
    SharedRoom room(limits);
    RoomShare one(room);
    one.take(30);
    EXPECT_TRUE(one.fits(10));
    EXPECT_FALSE(one.fits(11));
    RoomShare others(room);
    others.take(70);
    EXPECT_FALSE(one.fits(1));
    one.give_back(25);
    others.take(25);
    EXPECT_TRUE(one.fits(5));
    EXPECT_FALSE(one.fits(6));
}

// Else what is larger than the bound would never go, and who comes late would get nothing.
TEST(SharedRoom, WhoHoldsNothingMayAlwaysTakeOneThing)
{
    SharedRoom room(limits);
    RoomShare others(room);
    others.take(1'000);
    RoomShare late(room);
    EXPECT_TRUE(late.fits(500));
}

TEST(SharedRoom, AShareIsGivenBackWhenItGoes)
{
    SharedRoom room(limits);
    std::optional<RoomShare> one(std::in_place, room);
    one->take(100);
    EXPECT_EQ(room.held(), 100U);
    EXPECT_EQ(room.for_one(), 10U);
    one.reset();
    EXPECT_EQ(room.held(), 0U);
    EXPECT_EQ(room.for_one(), 40U);
}

}  // namespace
}  // namespace entente::protocol
