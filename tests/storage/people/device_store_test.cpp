// Devices and their keys as rows: each one-time key once, numbers that only rise, bounds from
// both sides, and what a revocation leaves.
#include "people_rows.hpp"

namespace entente::storage {
namespace {

OneTimeKey key(std::int64_t number, const std::string& kind = "x3dh")
{
    return {kind, number, R"({"n":)" + std::to_string(number) + "}"};
}

KeyUpload one_time(std::int64_t first, std::int64_t last, const std::string& kind = "x3dh")
{
    KeyUpload upload;
    for (auto number = first; number <= last; ++number)
        upload.one_time.push_back(key(number, kind));
    return upload;
}

class Devices : public PeopleRows {
 protected:
    std::string take(const std::string& kind = "x3dh")
    {
        auto taken = take_key(*db, phone, kind).value();
        if (!taken) return "none";
        return taken->is_fallback ? "fallback " + taken->key : taken->key;
    }
    std::int64_t left(const std::string& kind = "x3dh")
    {
        const auto counts = key_counts(*db, phone).value();
        for (const auto& count : counts)
            if (count.kind == kind) return count.left;
        return -1;
    }
};

TEST_F(Devices, EachOneTimeKeyIsGivenOnceTheLowestNumberFirstThenTheFallback)
{
    auto upload = one_time(2, 3);
    upload.one_time.push_back(key(1));
    upload.fallback.push_back({"x3dh", "{}"});
    ASSERT_TRUE(upload_keys(*db, phone, upload));
    EXPECT_EQ(left(), 3);
    EXPECT_EQ(take(), R"({"n":1})");
    EXPECT_EQ(take(), R"({"n":2})");
    EXPECT_EQ(take(), R"({"n":3})");
    EXPECT_EQ(take(), "fallback {}");
    EXPECT_EQ(take(), "fallback {}");
    EXPECT_EQ(take("mls"), "none");
}

TEST_F(Devices, ARepeatedUploadBringsNoKeyBack)
{
    ASSERT_TRUE(upload_keys(*db, phone, one_time(1, 5)));
    EXPECT_EQ(take(), R"({"n":1})");
    ASSERT_TRUE(upload_keys(*db, phone, one_time(1, 5)));
    EXPECT_EQ(left(), 4);
    for (int i = 0; i < 4; ++i) EXPECT_NE(take(), R"({"n":1})");
    ASSERT_TRUE(upload_keys(*db, phone, one_time(1, 6)));
    EXPECT_EQ(left(), 1);
}

TEST_F(Devices, TwoHundredOfAKindMayWaitAndAnUploadBeyondChangesNothing)
{
    ASSERT_TRUE(upload_keys(*db, phone, one_time(1, max_keys_of_a_kind)));
    auto upload = one_time(201, 201);
    upload.keys = "{}";
    const auto refused = upload_keys(*db, phone, upload);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::too_large);
    EXPECT_EQ(left(), 200);
    EXPECT_EQ(devices_of(*db, alice).value().at(0).keys, "");
    take();
    EXPECT_TRUE(upload_keys(*db, phone, upload));
    EXPECT_EQ(left(), 200);
}

TEST_F(Devices, ADeviceHasEightKindsOfKeysAtMost)
{
    for (std::size_t i = 0; i < max_key_kinds; ++i)
        ASSERT_TRUE(upload_keys(*db, phone, one_time(1, 1, "kind-" + std::to_string(i))));
    EXPECT_TRUE(upload_keys(*db, phone, one_time(2, 2, "kind-0")));
    EXPECT_FALSE(upload_keys(*db, phone, one_time(1, 1, "another")));
    KeyUpload fallback;
    fallback.fallback.push_back({"another", "{}"});
    EXPECT_FALSE(upload_keys(*db, phone, fallback));
}

TEST_F(Devices, WhatIsPublishedTakesThePlaceOfTheEarlier)
{
    KeyUpload upload;
    upload.keys = R"({"v":1})";
    ASSERT_TRUE(upload_keys(*db, phone, upload));
    upload.keys = R"({"v":2})";
    ASSERT_TRUE(upload_keys(*db, phone, upload));
    ASSERT_TRUE(upload_keys(*db, phone, one_time(1, 1)));
    EXPECT_EQ(devices_of(*db, alice).value().at(0).keys, R"({"v":2})");
}

TEST_F(Devices, ARevokedDeviceLosesItsSessionsAndKeysAndNeverComesBack)
{
    ASSERT_TRUE(log_in(alice, 1));
    ASSERT_TRUE(upload_keys(*db, phone, one_time(1, 3)));
    const auto ended = revoke_device(*db, alice, uuid(1), 10);
    ASSERT_TRUE(ended);
    EXPECT_EQ(ended->size(), 2U);
    for (const auto& session : *ended) EXPECT_FALSE(find_session(*db, session, 20));
    EXPECT_EQ(take(), "none");
    EXPECT_TRUE(devices_of(*db, alice).value().empty());
    EXPECT_FALSE(find_device(*db, "alice", uuid(1)).value());
    EXPECT_EQ(revoke_device(*db, alice, uuid(1), 11).error().code, Code::not_found);
    EXPECT_EQ(log_in(alice, 1).error().code, Code::forbidden);
    EXPECT_EQ(devices_of(*db, bob).value().size(), 1U);
}

TEST_F(Devices, NobodyRenamesOrRevokesAnothersDevice)
{
    EXPECT_EQ(rename_device(*db, bob, uuid(1), "mine").error().code, Code::not_found);
    EXPECT_EQ(revoke_device(*db, bob, uuid(1), 10).error().code, Code::not_found);
    ASSERT_TRUE(rename_device(*db, alice, uuid(1), "pocket"));
    EXPECT_EQ(devices_of(*db, alice).value().at(0).name, "pocket");
}

TEST_F(Devices, AUserHasAHundredDevicesAtMostAndARevokedOneMakesRoom)
{
    for (int i = 1; i < max_devices_of_user; ++i) ASSERT_TRUE(log_in(alice, 100 + i));
    EXPECT_TRUE(log_in(alice, 101));
    EXPECT_EQ(log_in(alice, 300).error().code, Code::forbidden);
    ASSERT_TRUE(revoke_device(*db, alice, uuid(101), 10));
    EXPECT_TRUE(log_in(alice, 300));
}

TEST_F(Devices, AClaimsAnswerIsRememberedByAskerAndTxnUntilItIsOld)
{
    ClaimAnswer answer;
    answer.claims[0] = 7;
    answer.answer = "given";
    ASSERT_TRUE(remember_claim_answer(*db, "b.example", uuid(1), answer, 100));
    EXPECT_EQ(find_claim_answer(*db, "b.example", uuid(1)).value()->answer, "given");
    EXPECT_EQ(find_claim_answer(*db, "b.example", uuid(1)).value()->claims, answer.claims);
    EXPECT_FALSE(find_claim_answer(*db, "c.example", uuid(1)).value());
    EXPECT_FALSE(find_claim_answer(*db, "b.example", uuid(2)).value());
    ASSERT_TRUE(forget_claim_answers_before(*db, 100));
    EXPECT_TRUE(find_claim_answer(*db, "b.example", uuid(1)).value());
    ASSERT_TRUE(forget_claim_answers_before(*db, 101));
    EXPECT_FALSE(find_claim_answer(*db, "b.example", uuid(1)).value());
}

TEST_F(Devices, OfOneAskerFiveThousandAnswersAreRemembered)
{
    ASSERT_TRUE(db->begin());
    const ClaimAnswer answer{{}, "given"};
    ASSERT_TRUE(remember_claim_answer(*db, "c.example", uuid(0), answer, 1));
    constexpr int given = 6'000;
    for (int i = 0; i < given; ++i)
        ASSERT_TRUE(remember_claim_answer(*db, "b.example", uuid(i), answer, 1));
    ASSERT_TRUE(db->commit());
    const auto kept =
        testing::integers(*db, "SELECT count(*) FROM claim_answer WHERE asker = 'b.example'");
    EXPECT_GE(kept.at(0), max_claim_answers);
    EXPECT_LT(kept.at(0), max_claim_answers + 64);
    EXPECT_FALSE(find_claim_answer(*db, "b.example", uuid(0)).value());
    EXPECT_TRUE(find_claim_answer(*db, "b.example", uuid(given - 1)).value());
    EXPECT_TRUE(find_claim_answer(*db, "c.example", uuid(0)).value());
}

TEST_F(Devices, AProfileIsEmptyUntilItIsSet)
{
    EXPECT_EQ(profile_of(*db, alice).value().name, "");
    ASSERT_TRUE(set_profile(*db, alice, {"Alice", "m@a.example"}));
    EXPECT_EQ(profile_of(*db, alice).value().name, "Alice");
    EXPECT_EQ(profile_of(*db, alice).value().avatar, "m@a.example");
    EXPECT_EQ(profile_of(*db, bob).value().name, "");
}

}  // namespace
}  // namespace entente::storage
