// Section 9's right column, row by row.
#include <gtest/gtest.h>

#include "federation/links/backoff.hpp"

namespace entente::federation {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

// Gives one octet for ever: 0 is the least jitter, 255 the most.
class FixedRandom final : public protocol::Random {
 public:
    explicit FixedRandom(char octet) : octet_(octet) {}
    [[nodiscard]] std::string octets(std::size_t size) override
    {
        return std::string(size, octet_);
    }

 private:
    char octet_;
};

Wait first_wait(Code code, std::int64_t retry_after = 0, char octet = '\x7f')
{
    FixedRandom random(octet);
    Backoff backoff(BackoffOptions{}, random);
    return backoff.after(Error{code, "", {}, retry_after});
}

TEST(Backoff, WhatTheSenderDidWrongWaitsAnHourAndTellsTheAdministrator)
{
    for (const auto code : {Code::malformed, Code::digest_mismatch, Code::wrong_destination,
                            Code::signature_incomplete, Code::signature_invalid, Code::key_revoked,
                            Code::unsupported}) {
        const auto wait = first_wait(code);
        EXPECT_EQ(wait.time, hours(1));
        EXPECT_TRUE(wait.tell_administrator);
        EXPECT_FALSE(wait.ends_when_heard);
    }
}

TEST(Backoff, AnUnknownKeyWaitsAMinuteDoublingToAnHour)
{
    FixedRandom random('\0');  // never less than the minute
    Backoff backoff(BackoffOptions{}, random);
    const Error unknown{Code::unknown_key, "", {}, 0};
    EXPECT_GE(backoff.after(unknown).time, seconds(60));
    EXPECT_LE(backoff.after(unknown).time, seconds(120 * 12 / 10));
    for (int i = 0; i < 40; ++i)
        EXPECT_LE(backoff.after(unknown).time, milliseconds(hours(1)) * 12 / 10);
    EXPECT_GE(backoff.after(unknown).time, hours(1));
}

TEST(Backoff, AClockThatIsOffIsToldAndTriedAgainLikeAnyFailure)
{
    const auto wait = first_wait(Code::clock_skew);
    EXPECT_TRUE(wait.tell_administrator);
    EXPECT_TRUE(wait.ends_when_heard);
    EXPECT_LE(wait.time, milliseconds(1200));
}

TEST(Backoff, AKeyConflictIsProbedHourlyAndABlockDaily)
{
    EXPECT_EQ(first_wait(Code::key_conflict).time, hours(1));
    EXPECT_EQ(first_wait(Code::blocked).time, hours(24));
}

TEST(Backoff, TooLargeHalvesTheBatchAtOnce)
{
    const auto wait = first_wait(Code::too_large);
    EXPECT_TRUE(wait.halve);
    EXPECT_EQ(wait.time, milliseconds(0));
}

TEST(Backoff, WhereThePeerNamesATimeThatIsTheTime)
{
    for (const auto code : {Code::rate_limited, Code::key_unavailable, Code::unavailable}) {
        FixedRandom random('\xff');
        Backoff backoff(BackoffOptions{}, random);
        for (int i = 0; i < 10; ++i)
            EXPECT_EQ(backoff.after(Error{code, "", {}, 7}).time, seconds(7));
        EXPECT_FALSE(backoff.after(Error{code, "", {}, 7}).ends_when_heard);
    }
    EXPECT_LE(first_wait(Code::unavailable, 1'000'000'000'000).time, hours(24));
}

TEST(Backoff, AFailureWaitsASecondDoublingToAnHourAndEndsWhenThePeerIsHeard)
{
    for (const auto code : {Code::unavailable, Code::timeout, Code::internal}) {
        FixedRandom random('\x7f');
        Backoff backoff(BackoffOptions{}, random);
        const Error failure{code, "", {}, 0};
        auto expected = milliseconds(1000);
        for (int i = 0; i < 30; ++i) {
            const auto wait = backoff.after(failure);
            EXPECT_TRUE(wait.ends_when_heard);
            EXPECT_GE(wait.time, expected * 99 / 100);
            EXPECT_LE(wait.time, expected * 101 / 100);
            expected = std::min<milliseconds>(expected * 2, hours(1));
        }
        backoff.reset();
        EXPECT_LE(backoff.after(failure).time, milliseconds(1010));
    }
}

// Else each of many would have this server call whatever address it names as its own.
TEST(Backoff, WaitsThatEndBecauseThePeerIsHeardAreEverRarer)
{
    FixedRandom random('\x7f');
    Backoff backoff(BackoffOptions{}, random);
    EXPECT_EQ(backoff.next_early_end(), 0);
    protocol::Millis now = 1'000'000;
    auto expected = milliseconds(1000);
    for (int i = 0; i < 30; ++i) {
        backoff.ended_early(now);
        EXPECT_EQ(backoff.next_early_end(), now + expected.count());
        now = backoff.next_early_end();
        expected = std::min<milliseconds>(expected * 2, hours(1));
    }
    EXPECT_EQ(backoff.failures(), 0);
    backoff.reset();
    EXPECT_EQ(backoff.next_early_end(), 0);
}

TEST(Backoff, TheJitterIsAFifthEitherWay)
{
    EXPECT_EQ(first_wait(Code::timeout, 0, '\0').time, milliseconds(800));
    EXPECT_EQ(first_wait(Code::timeout, 0, '\xff').time, milliseconds(1200));
}

TEST(Backoff, TheSecondUseOfANonceIsTriedAgainSoon)
{
    EXPECT_LE(first_wait(Code::replayed).time, milliseconds(1200));
}

}  // namespace
}  // namespace entente::federation
