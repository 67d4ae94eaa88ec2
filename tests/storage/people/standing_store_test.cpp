// What is kept of other servers' conduct: bounds of the evidence from both sides, entries by
// source, and that who has proven nothing durable leaves no row.
#include "storage/standing_store.hpp"

#include <gtest/gtest.h>

#include "storage/report_store.hpp"
#include "storage/sqlite/database.hpp"
#include "tests/storage/support.hpp"

namespace entente::storage {
namespace {

using protocol::day_ms;
using trust::Fall;
using trust::Offence;
using trust::ServerStanding;
using trust::Source;
using trust::Tier;

constexpr protocol::Millis now = 1'763'683'200'000;
const auto bad = ServerName::trusted("bad.example");
const auto good = ServerName::trusted("good.example");

ServerName named(int number)
{
    return ServerName::trusted("s" + std::to_string(number) + ".example");
}
Fall fall(const ServerName& server, protocol::Millis at, Offence offence = Offence::fork)
{
    return {server, offence, at, at + day_ms, R"({"key":"k"})"};
}

class StandingStore : public ::testing::Test {
 protected:
    StandingStore()
        : database(make_sqlite_database(folder.file("db"))), db(database->open_writer().value())
    {
    }
    std::int64_t count(const char* sql) { return testing::integers(*db, sql).at(0); }
    std::int64_t rows() { return count("SELECT count(*) FROM standing"); }

    testing::TemporaryFolder folder;
    std::unique_ptr<Database> database;
    std::unique_ptr<Connection> db;
};

TEST_F(StandingStore, AStandingReadsBackAndOnlyThoseThatCountAreLoaded)
{
    EXPECT_EQ(find_standing(*db, good).value(), ServerStanding{});
    const ServerStanding known{now, 100, 0, 0, 7}, unknown{now, 99, 0, 0}, fallen{0, 0, 1, now};
    ASSERT_TRUE(put_standing(*db, good, known));
    ASSERT_TRUE(put_standing(*db, named(1), unknown));
    ASSERT_TRUE(put_standing(*db, bad, fallen));
    EXPECT_EQ(find_standing(*db, named(1)).value(), unknown);
    const auto loaded = standings(*db, 100, 10).value();
    ASSERT_EQ(loaded.size(), 2U);
    EXPECT_EQ(loaded[0], (std::pair{bad, fallen}));
    EXPECT_EQ(loaded[1], (std::pair{good, known}));
    EXPECT_EQ(standings(*db, 100, 1).value().size(), 1U);
}

TEST_F(StandingStore, AFallIsKeptWithItsEvidenceAndCounted)
{
    ASSERT_TRUE(put_standing(*db, bad, {now, 50, 0, 0}));
    ASSERT_TRUE(put_fall(*db, fall(bad, now)));
    ASSERT_TRUE(put_fall(*db, fall(good, now + 1, Offence::equivocation)));
    EXPECT_EQ(find_standing(*db, bad).value(), (ServerStanding{now, 50, 1, now + day_ms}));
    const auto all = falls(*db, std::nullopt, 0, 10).value();
    ASSERT_EQ(all.size(), 2U);
    EXPECT_EQ(all[0].fall, fall(good, now + 1, Offence::equivocation));
    EXPECT_EQ(all[1].fall, fall(bad, now));
    EXPECT_EQ(falls(*db, std::nullopt, all[0].id, 10).value().size(), 1U);
    EXPECT_EQ(falls(*db, bad, 0, 10).value().size(), 1U);
    EXPECT_EQ(falls(*db, std::nullopt, 0, 1).value().size(), 1U);
}

TEST_F(StandingStore, TheEvidenceOfAServerOfAllAndOfAFallIsBounded)
{
    for (int i = 0; i < max_falls_per_server; ++i)
        ASSERT_TRUE(put_fall(*db, fall(bad, now + i * day_ms)));
    EXPECT_EQ(falls(*db, bad, 0, 100).value().size(), 8U);
    ASSERT_TRUE(put_fall(*db, fall(bad, now + 100 * day_ms)));
    const auto kept = falls(*db, bad, 0, 100).value();
    ASSERT_EQ(kept.size(), 8U);
    EXPECT_EQ(kept.front().fall.at, now + 100 * day_ms);
    EXPECT_EQ(kept.back().fall.at, now + day_ms) << "the oldest has gone";
    EXPECT_EQ(find_standing(*db, bad)->falls, 9) << "it counts all the same";

    ASSERT_TRUE(db->begin());
    for (int i = 8; i < max_falls; ++i) ASSERT_TRUE(put_fall(*db, fall(named(i), now)));
    ASSERT_TRUE(db->commit());
    EXPECT_EQ(count("SELECT count(*) FROM fall"), max_falls);
    ASSERT_TRUE(put_fall(*db, fall(good, now)));
    EXPECT_EQ(count("SELECT count(*) FROM fall"), max_falls);
    EXPECT_EQ(falls(*db, bad, 0, 100).value().size(), 7U);

    auto large = fall(good, now + day_ms);
    large.evidence = std::string(trust::max_evidence_octets, 'e');
    EXPECT_TRUE(put_fall(*db, large));
    large.evidence += "e";
    EXPECT_EQ(put_fall(*db, large).error().code, Code::too_large);
}

// Each is found without the other being stored yet.
TEST_F(StandingStore, TwoOffencesOfOneMomentAreOneFallAndTheNextIsOneWhenItHasEnded)
{
    ASSERT_TRUE(put_fall(*db, fall(bad, now)));
    ASSERT_TRUE(put_fall(*db, fall(bad, now, Offence::equivocation)));
    ASSERT_TRUE(put_fall(*db, fall(bad, now + day_ms - 1)));
    EXPECT_EQ(find_standing(*db, bad).value(), (ServerStanding{0, 0, 1, now + day_ms}));
    EXPECT_EQ(falls(*db, bad, 0, 100)->size(), 1U);
    ASSERT_TRUE(put_fall(*db, fall(bad, now + day_ms)));
    EXPECT_EQ(find_standing(*db, bad)->falls, 2);
}

TEST_F(StandingStore, APardonTakesFallsAndEvidenceAndLeavesWhatWasAccepted)
{
    EXPECT_FALSE(pardon(*db, bad).value());
    ASSERT_TRUE(put_standing(*db, bad, {now, 50, 0, 0}));
    EXPECT_FALSE(pardon(*db, bad).value());
    ASSERT_TRUE(put_fall(*db, fall(bad, now)));
    ASSERT_TRUE(put_fall(*db, fall(good, now)));
    EXPECT_TRUE(pardon(*db, bad).value());
    EXPECT_EQ(find_standing(*db, bad).value(), (ServerStanding{now, 50, 0, 0}));
    EXPECT_TRUE(falls(*db, bad, 0, 10)->empty());
    EXPECT_EQ(falls(*db, good, 0, 10)->size(), 1U);
}

TEST_F(StandingStore, TheEndOfAConflictPardonsWhoFellForNothingElse)
{
    const auto ends = [&] { return pardon_all_of(*db, bad, Offence::key_conflict).value(); };
    EXPECT_FALSE(ends());
    ASSERT_TRUE(put_fall(*db, fall(bad, now, Offence::key_conflict)));
    EXPECT_TRUE(ends());
    ASSERT_TRUE(put_fall(*db, fall(bad, now, Offence::key_conflict)));
    ASSERT_TRUE(put_fall(*db, fall(bad, now + day_ms, Offence::fork)));
    EXPECT_FALSE(ends());
    EXPECT_EQ(find_standing(*db, bad)->falls, 2);
    // One whose evidence has gone since isn't taken for a conflict.
    for (int i = 0; i < max_falls_per_server; ++i)
        ASSERT_TRUE(put_fall(*db, fall(bad, now + (2 + i) * day_ms, Offence::key_conflict)));
    EXPECT_FALSE(ends());
}

TEST_F(StandingStore, EntriesAreKeptBySource)
{
    using Entries = std::vector<TierEntry>;
    const TierEntry own{bad, Tier::trusted, "mine", now};
    const TierEntry listed{bad, Tier::blocked, "theirs", now, "one"};
    ASSERT_TRUE(put_tier_entry(*db, Source::administrator, own));
    ASSERT_TRUE(put_tier_entry(*db, Source::list, listed));
    EXPECT_EQ(tier_entries_of(*db, Source::administrator, bad, 9).value(), Entries{own});
    EXPECT_EQ(tier_entries_of(*db, Source::list, bad, 9).value(), Entries{listed});
    EXPECT_EQ(tier_entries_of(*db, Source::administrator, good, 9).value(), Entries{});
    EXPECT_EQ(count_listed(*db).value(), 1);

    const TierEntry changed{bad, Tier::guest, "", now + 1};
    ASSERT_TRUE(put_tier_entry(*db, Source::administrator, changed));
    EXPECT_EQ(tier_entries_of(*db, Source::administrator, bad, 9).value(), Entries{changed});
    EXPECT_TRUE(drop_tier_entry(*db, Source::administrator, bad).value());
    EXPECT_FALSE(drop_tier_entry(*db, Source::administrator, bad).value());
    EXPECT_EQ(tier_entries_of(*db, Source::list, bad, 9).value(), Entries{listed});
}

TEST_F(StandingStore, EachListHasItsOwnWordAndTheStrictestHolds)
{
    const TierEntry mild{bad, Tier::quarantined, "", now, "a"},
        strict{bad, Tier::blocked, "", now, "b"};
    const TierEntry other{good, Tier::quarantined, "", now, "b"};
    for (const auto& entry : {mild, strict, other})
        ASSERT_TRUE(put_tier_entry(*db, Source::list, entry));
    EXPECT_EQ(count_listed(*db).value(), 3);
    EXPECT_EQ(tier_entries(*db, Source::list, 9).value(), (std::vector{strict, mild, other}));
    EXPECT_EQ(tier_entries(*db, Source::list, 1).value(), std::vector{strict});
    EXPECT_EQ(tier_entries_of(*db, Source::list, bad, 1).value(), std::vector{strict});
    using Said = std::vector<std::pair<ServerName, Tier>>;
    EXPECT_EQ(tiers_said(*db, Source::list, "", 9).value(),
              (Said{{bad, Tier::blocked}, {good, Tier::quarantined}}));
    EXPECT_EQ(tiers_said(*db, Source::list, "", 1).value(), (Said{{bad, Tier::blocked}}));
    EXPECT_EQ(tiers_said(*db, Source::list, bad.str(), 9).value(),
              (Said{{good, Tier::quarantined}}));
    EXPECT_EQ(servers_listed(*db, "b").value(), (std::vector{bad, good}));

    ASSERT_TRUE(drop_listed(*db, bad, "b"));
    EXPECT_EQ(tier_said(*db, Source::list, bad).value(), Tier::quarantined);
    ASSERT_TRUE(drop_listed(*db, bad, "b"));
    EXPECT_EQ(tier_said(*db, Source::list, bad).value(), Tier::quarantined);
    ASSERT_TRUE(drop_listed(*db, bad, "a"));
    EXPECT_EQ(tier_said(*db, Source::list, bad).value(), std::nullopt);
    EXPECT_EQ(servers_listed(*db, "a")->size(), 0U);
}

// One server's commits, as the writer makes them.
class Counting : public StandingStore {
 protected:
    // Commits a transaction in which so many events were accepted of each.
    void commit(const std::vector<std::pair<ServerName, int>>& accepted, protocol::Millis at)
    {
        ASSERT_TRUE(db->begin());
        WriteTransaction transaction(*db);
        for (const auto& [server, events] : accepted) counts.add(server, events, at);
        ASSERT_TRUE(counts.flush(transaction));
        ASSERT_TRUE(db->commit());
        counts.committed();
        for (const auto& action : transaction.actions()) action();
    }
    void roll_back(const ServerName& server, int events, protocol::Millis at)
    {
        ASSERT_TRUE(db->begin());
        WriteTransaction transaction(*db);
        counts.add(server, events, at);
        ASSERT_TRUE(counts.flush(transaction));
        db->rollback();
        counts.rolled_back();
    }

    std::vector<std::pair<ServerName, ServerStanding>> told;
    AcceptedCounts counts{[this](const ServerName& server, const ServerStanding& standing) {
        told.emplace_back(server, standing);
    }};
};

TEST_F(Counting, EventsAreWrittenOnceThereAreEnoughOrTheyHaveWaitedLongEnough)
{
    commit({{good, 1}}, now);
    commit({{good, 998}}, now + AcceptedCounts::longest_ms - 1);
    EXPECT_EQ(rows(), 0);
    commit({{good, 1}}, now + AcceptedCounts::longest_ms - 1);
    EXPECT_EQ(find_standing(*db, good).value(), (ServerStanding{now, 1'000, 0, 0}));
    EXPECT_EQ(told, (std::vector{std::pair{good, ServerStanding{now, 1'000, 0, 0}}}));

    commit({{bad, 1}}, now);
    commit({}, now + AcceptedCounts::longest_ms);
    EXPECT_EQ(rows(), 1) << "a commit that counts nothing needn't write";
    commit({{bad, 1}}, now + AcceptedCounts::longest_ms);
    EXPECT_EQ(find_standing(*db, bad)->accepted, 2);
    commit({{good, 1}}, now);
    commit({{good, 1}}, now + AcceptedCounts::longest_ms);
    EXPECT_EQ(find_standing(*db, good)->accepted, 1'002);
    EXPECT_EQ(find_standing(*db, good)->first_contact, now);
}

TEST_F(Counting, WhatWasRolledBackCountsForNothing)
{
    commit({{good, 1}}, now);
    roll_back(good, 999, now);
    EXPECT_EQ(rows(), 0);
    roll_back(bad, 1, now + AcceptedCounts::longest_ms);
    EXPECT_EQ(rows(), 0);
    EXPECT_TRUE(told.empty());
    commit({{good, 1}}, now + AcceptedCounts::longest_ms);
    EXPECT_EQ(find_standing(*db, good)->accepted, 2);
    EXPECT_EQ(rows(), 1);
}

TEST_F(Counting, StrangersWhoProveNothingLeaveNoRowAndNoMemory)
{
    std::vector<std::pair<ServerName, int>> nothing;
    for (int i = 0; i < 100'000; ++i) nothing.emplace_back(named(i), 0);
    commit(nothing, now);
    commit({{good, 1}}, now + 2 * AcceptedCounts::longest_ms);
    EXPECT_EQ(rows(), 0) << "the strangers have begun no wait";
    // Who has one event each is written before there are many.
    for (std::size_t i = 0; i + 1 < AcceptedCounts::most_servers; ++i)
        commit({{named(static_cast<int>(i)), 1}}, now + 2 * AcceptedCounts::longest_ms);
    EXPECT_EQ(rows(), static_cast<std::int64_t>(AcceptedCounts::most_servers));
}

// A report by `sender` about an event, closed at `at`.
void closed_report(Connection& db, const std::string& sender, const std::string& event,
                   protocol::Millis at)
{
    ReportRow row;
    row.origin = "a.example";
    row.sender = sender;
    row.event = event;
    ASSERT_TRUE(put_report(db, row, row.origin));
    const auto id = testing::integers(db, "SELECT max(id) FROM report").at(0);
    ASSERT_TRUE(close_report(db, id, "upheld", "mod", at));
    ASSERT_TRUE(note_upheld(db, bad, id, at));
    EXPECT_EQ(find_report(db, id)->against, bad.str());
}

TEST_F(StandingStore, UpheldReportsAreCountedByReporterAndMessageWhileTheyAreRecent)
{
    const auto counted = [&](const ServerName& server, protocol::Millis since) {
        return upheld_reports(*db, server, since).value();
    };
    EXPECT_EQ(counted(bad, 0), trust::UpheldReports{});
    closed_report(*db, "alice", "e1", now);
    closed_report(*db, "alice", "e2", now + 1);
    closed_report(*db, "bob", "e2", now + 2);
    EXPECT_EQ(counted(bad, 0), (trust::UpheldReports{2, 2}));
    EXPECT_EQ(counted(bad, now + 1), (trust::UpheldReports{1, 1}));
    EXPECT_EQ(counted(good, 0), trust::UpheldReports{});
    EXPECT_EQ(find_standing(*db, bad)->last_upheld, now + 2);
    ASSERT_TRUE(spend_upheld(*db, bad));
    EXPECT_EQ(counted(bad, 0), trust::UpheldReports{});
    EXPECT_EQ(find_standing(*db, bad)->last_upheld, now + 2) << "it bars all the same";
}

TEST_F(StandingStore, APardonTakesUpheldReportsBackAndTheEndOfAConflictDoesnt)
{
    closed_report(*db, "alice", "e1", now);
    ASSERT_TRUE(put_fall(*db, fall(bad, now, Offence::key_conflict)));
    EXPECT_TRUE(pardon_all_of(*db, bad, Offence::key_conflict).value());
    EXPECT_EQ(find_standing(*db, bad).value(), (ServerStanding{0, 0, 0, 0, now}));
    EXPECT_FALSE(pardon_all_of(*db, bad, Offence::key_conflict).value());
    EXPECT_EQ(upheld_reports(*db, bad, 0)->reporters, 1);
    EXPECT_TRUE(pardon(*db, bad).value());
    EXPECT_EQ(find_standing(*db, bad).value(), ServerStanding{});
    EXPECT_EQ(upheld_reports(*db, bad, 0)->reporters, 0);
    EXPECT_FALSE(pardon(*db, bad).value());
}

}  // namespace
}  // namespace entente::storage
