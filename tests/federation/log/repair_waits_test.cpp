// How long a home that was put back waits for what its followers hold [LOG-5, LOG-16].
#include "tests/federation/log/repair_rig.hpp"

namespace entente::federation::log_rig {
namespace {

// As a follower answers that claims its channel's texts to be expired.
Result<std::string> leave_out_texts(const std::string&, const Result<std::string>& answer)
{
    auto parsed = protocol::parse_log_answer(*answer, protocol::NameRules{});
    for (auto& entry : parsed->slice.entries) {
        if (entry.event.find(R"("message.create")") == std::string::npos) continue;
        entry.content.reset();
        entry.expired = true;
    }
    return protocol::write_log_answer(*parsed);
}

// [LOG-5]
TEST_F(RepairOfAHome, TheLastOfSeveralFollowersIsWaitedForHalfAMinute)
{
    let_carol_in();
    back_up();
    put_back();
    ASSERT_TRUE(ask(a, c, channel));
    wait(others_wait_ms - 1);
    EXPECT_TRUE(is_held());
    wait(1);
    EXPECT_FALSE(is_held());
}

// [LOG-5]
TEST_F(RepairOfAHome, WhereNobodyAnswersItGoesOnAfterTenMinutesAndSaysSo)
{
    put_back();
    EXPECT_EQ(a.asked, (std::vector<std::pair<std::string, ChannelId>>{{"b.example", channel}}));
    wait(first_wait_ms - 1);
    EXPECT_TRUE(is_held());
    a.repair_log.lines.clear();
    wait(1);
    EXPECT_FALSE(is_held());
    ASSERT_EQ(a.repair_log.lines.size(), 1U);
    EXPECT_EQ(a.repair_log.lines[0].level, protocol::LogLevel::error);
    EXPECT_TRUE(a.post("alice", channel, "at last"));
}

TEST_F(RepairOfAHome, TheAdministratorMayEndTheWait)
{
    put_back();
    ASSERT_EQ(a.repair->waiting().size(), 1U);
    EXPECT_EQ(a.repair->waiting()[0].unheard, std::vector<ServerName>{b.identity.name});
    EXPECT_TRUE(a.repair->end_wait(channel));
    look();
    EXPECT_FALSE(is_held());
    EXPECT_FALSE(a.repair->end_wait(channel));
}

// [LOG-16]
TEST_F(RepairOfAHome, AFollowerThatHoldsNoMoreEndsTheWaitAtOnce)
{
    put_back();
    ASSERT_TRUE(ask(a, b, channel));
    look();
    EXPECT_FALSE(is_held());
}

// [LOG-16]
TEST_F(RepairOfAHome, WhoPutsOffOrHoldsMoreThanCanBeComparedHasNotAnswered)
{
    put_back();
    auto answer = claim();
    answer.agrees.reset();
    answer.status = protocol::SliceStatus::need_snapshot;
    say(b, answer);
    look();
    EXPECT_TRUE(is_held());
    answer.status = protocol::SliceStatus::deferred;
    answer.retry_after = 1;
    answer.have = {a.image(channel)->seq, a.image(channel)->hash};
    say(b, answer);
    look();
    EXPECT_TRUE(is_held());
}

// [LOG-16]
TEST_F(RepairOfAHome, WhoHoldsNoPartOfTheLogHasAnswered)
{
    put_back();
    auto answer = claim();
    answer.agrees.reset();
    answer.status = protocol::SliceStatus::not_following;
    say(b, answer);
    look();
    EXPECT_FALSE(is_held());
}

// [LOG-17] It was said of an end that the home has left behind meanwhile.
TEST_F(RepairOfAHome, WhoAgreesBelowTheEndIsAskedAgain)
{
    const auto earlier = *a.image(channel);
    ASSERT_TRUE(a.post("alice", channel, "new"));
    settle_all(a, b);
    back_up();
    put_back();
    auto answer = claim();
    answer.agrees = protocol::Position{earlier.seq, earlier.hash};
    say(b, answer);
    look();
    EXPECT_TRUE(is_held());
    ASSERT_TRUE(ask(a, b, channel));
    look();
    EXPECT_FALSE(is_held());
}

// [LOG-16]
TEST_F(RepairOfAHome, WhoClaimsAndThenKeepsSilentIsNotWaitedForBeyondTheUsual)
{
    let_carol_in();
    back_up();
    put_back();
    a.reachable.clear();
    say(b, claim());
    finish_fetching(a);
    ASSERT_TRUE(ask(a, c, channel));
    wait(others_wait_ms - 1);
    EXPECT_TRUE(is_held());
    finish_fetching(a);
    wait(1);
    EXPECT_FALSE(is_held());
    // Nor again, whenever it repeats that.
    say(b, claim());
    look();
    EXPECT_FALSE(is_held());
}

// [LOG-5] What went on beside it would take the places of what is just being given back.
TEST_F(RepairOfAHome, WhileAFollowerGivesEntriesBackItDoesNotGoOn)
{
    // Three pages.
    for (int i = 0; i < 90; ++i) ASSERT_TRUE(a.post("alice", channel, std::string(60'000, 'x')));
    settle_all(a, b);
    put_back();
    int pages = 1;
    a.spoil = [&](const std::string&, Result<std::string> answer) -> Result<std::string> {
        if (pages-- > 0) return answer;
        return Result<std::string>{tl::unexpect, Error{Code::rate_limited, "later", {}, 1}};
    };
    ASSERT_TRUE(ask(a, b, channel));
    finish_fetching(a);
    const auto first = a.image(channel)->seq;
    pages = 1;
    wait(first_wait_ms - 1);
    finish_fetching(a);
    EXPECT_GT(a.image(channel)->seq, first);
    ASSERT_LT(a.image(channel)->seq, b.image(channel)->seq);
    wait(first_wait_ms - 1);
    EXPECT_TRUE(is_held());
    finish_fetching(a);

    pages = 100;
    wait(fetch_retry_ms);
    finish_fetching(a);
    look();
    EXPECT_FALSE(is_held());
    EXPECT_EQ(a.image(channel)->hash, b.image(channel)->hash);
}

// [LOG-18] What one follower leaves out another may have.
TEST_F(RepairOfAHome, ContentsThatAFollowerLeavesOutAreAskedOfTheOthersFirst)
{
    lose_what_three_had(true);
    bool asks_carol = false;
    a.spoil = [&](const std::string& peer, Result<std::string> answer) -> Result<std::string> {
        return asks_carol ? answer : leave_out_texts(peer, answer);
    };
    ASSERT_TRUE(ask(a, b, channel));
    finish_fetching(a);
    const auto before = a.image(channel)->seq;
    EXPECT_LT(before, b.image(channel)->seq);
    wait(others_wait_ms - 1);
    finish_fetching(a);
    EXPECT_TRUE(is_held());
    EXPECT_EQ(a.image(channel)->seq, before);

    asks_carol = true;
    ASSERT_TRUE(ask(a, c, channel));
    finish_fetching(a);
    wait(fetch_retry_ms);
    finish_fetching(a);
    look();
    EXPECT_FALSE(is_held());
    EXPECT_EQ(a.image(channel)->hash, b.image(channel)->hash);
    EXPECT_EQ(a.texts(channel), b.texts(channel));
}

// [LOG-18]
TEST_F(RepairOfAHome, ContentsThatNobodyHasAreDoneWithout)
{
    lose_what_three_had(true);
    a.spoil = leave_out_texts;
    ASSERT_TRUE(ask(a, b, channel));
    finish_fetching(a);
    EXPECT_LT(a.image(channel)->seq, b.image(channel)->seq);
    ASSERT_TRUE(ask(a, c, channel));
    finish_fetching(a);
    wait(fetch_retry_ms);
    finish_fetching(a);
    look();
    EXPECT_FALSE(is_held());
    EXPECT_EQ(a.image(channel)->hash, b.image(channel)->hash);
}

// [LOG-18] Who may have them isn't waited for longer than anybody.
TEST_F(RepairOfAHome, ContentsAreAskedForHalfAMinuteLong)
{
    lose_what_three_had(false);
    a.spoil = leave_out_texts;
    ASSERT_TRUE(ask(a, b, channel));
    finish_fetching(a);
    wait(others_wait_ms - 1);
    finish_fetching(a);
    EXPECT_LT(a.image(channel)->seq, b.image(channel)->seq);
    wait(fetch_retry_ms);
    finish_fetching(a);
    EXPECT_EQ(a.image(channel)->hash, b.image(channel)->hash);
}

}  // namespace
}  // namespace entente::federation::log_rig
