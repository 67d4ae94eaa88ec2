// A stored log that is read over from its start: whole, and with what was changed in it.
#include "storage/log_walk.hpp"

#include <algorithm>

#include "storage/query.hpp"
#include "storage/run_codec.hpp"
#include "tests/storage/log/log_rig.hpp"

namespace entente::storage::log_rig {
namespace {

constexpr char update_body[] = "UPDATE run SET body = ? WHERE last = ?";
constexpr char select_body[] = "SELECT body FROM run WHERE last = ?";
constexpr char update_prev[] = "UPDATE run SET prev_hash = ? WHERE last = ?";
constexpr char delete_run[] = "DELETE FROM run WHERE last = ?";
constexpr char update_head[] = "UPDATE head SET hash = ?";

std::string content_of(int number)
{
    return R"({"salt":"AAECAwQFBgcICQoLDA0ODw","text":")" + std::to_string(number) + "\"}";
}

std::string message(int number)
{
    protocol::EventDraft draft;
    draft.type = "message.create";
    draft.channel = garden;
    draft.sender = "bob@b.example";
    draft.txn = txn(number);
    draft.at = number;
    draft.content = content_of(number);
    return protocol::write_event(draft);
}

// Event and content in each other's agreement.
void rewrite(protocol::Entry& entry)
{
    entry.event = message(50);
    entry.content = content_of(50);
}

struct Seen {
    std::vector<protocol::Position> places;
    std::vector<Hash> events;
    LogWalk walk;
};

class LogWalkTest : public ::testing::Test {
 protected:
    // Entries first … last in one commit, under a checkpoint where asked.
    void commit(int first, int last, bool checkpoint = false)
    {
        auto done = rig_.write([&](WriteTransaction& transaction) -> Result<void> {
            auto channel = rig_.store->find(transaction.db(), garden);
            if (!channel && channel.error().code == Code::not_found)
                channel = rig_.make(transaction, garden, floor_);
            if (!channel) return fail(channel);
            for (int i = first; i <= last; ++i) {
                ChannelLogStore::Addition addition;
                addition.entry.at = i;
                addition.entry.event = message(i);
                addition.entry.content = content_of(i);
                addition.event_id = protocol::event_id(addition.entry.event);
                addition.origin = ServerName::trusted("b.example");
                addition.txn = txn(i);
                auto added = rig_.store->append(transaction.db(), **channel, std::move(addition));
                if (!added) return added;
            }
            if (!checkpoint) return {};
            protocol::Checkpoint made;
            made.seq = (*channel)->seq;
            made.hash = (*channel)->hash;
            rig_.store->set_checkpoint(**channel, made, "root");
            return {};
        });
        ASSERT_TRUE(done) << done.error().detail;
    }

    // The whole log, `entries` at a time.
    Seen walk(std::int64_t entries = 4'000)
    {
        Seen seen;
        const auto row = rig_.row(garden);
        EXPECT_TRUE(row);
        seen.walk = start_of(*row);
        const auto visit = [&](const protocol::Position& at, const Hash& event) {
            seen.places.push_back(at);
            seen.events.push_back(event);
        };
        for (bool done = false; !done;) {
            auto step = rig_.read(
                [&](Connection& db) { return walk_log(db, *row, seen.walk, entries, visit); });
            EXPECT_TRUE(step) << step.error().detail;
            done = !step || *step;
        }
        return seen;
    }

    template <class... Parameters>
    void tamper(const char* sql, const Parameters&... parameters)
    {
        auto done = rig_.write([&](WriteTransaction& transaction) {
            return run(transaction.db(), sql, parameters...);
        });
        ASSERT_TRUE(done) << done.error().detail;
    }
    // The entries of the run that ends with `last`, changed.
    void change_run(std::int64_t last,
                    const std::function<void(std::vector<protocol::Entry>&)>& how)
    {
        const auto read = [](Statement& row) { return std::string(row.blob(0)); };
        auto body = rig_.read([&](Connection& db) { return one_row(db, select_body, read, last); });
        ASSERT_TRUE(body && *body);
        auto entries = decode_entries(**body);
        ASSERT_TRUE(entries);
        how(*entries);
        std::string changed;
        for (const auto& entry : *entries) append_entry(changed, entry);
        tamper(update_body, Blob{changed}, last);
    }

    Rig rig_{false};
    std::int64_t floor_ = 0;
};

TEST_F(LogWalkTest, AWholeLogGivesItsChainAndNoFlaw)
{
    commit(1, 3, true);
    commit(4, 4);
    commit(5, 9, true);
    for (const std::int64_t entries : {1, 4, 4'000}) {
        const auto seen = walk(entries);
        ASSERT_EQ(seen.places.size(), 9U);
        for (int i = 1; i <= 9; ++i) {
            EXPECT_EQ(seen.places[static_cast<std::size_t>(i - 1)].seq, i);
            EXPECT_EQ(seen.events[static_cast<std::size_t>(i - 1)], protocol::event_id(message(i)));
        }
        EXPECT_EQ(seen.places.back().hash, rig_.row(garden)->hash);
        EXPECT_EQ(seen.walk.start, (protocol::Position{0, ""}));
        EXPECT_EQ(seen.walk.sound, 9);
        EXPECT_FALSE(seen.walk.flaw);
    }
}

TEST_F(LogWalkTest, ALogThatBeginsAtAFloorStartsWithTheHashThere)
{
    floor_ = 40;
    commit(41, 42);
    const auto seen = walk();
    ASSERT_EQ(seen.places.size(), 2U);
    EXPECT_EQ(seen.places.front().seq, 41);
    EXPECT_EQ(seen.walk.start, (protocol::Position{40, "floor"}));
    EXPECT_FALSE(seen.walk.flaw);
}

TEST_F(LogWalkTest, AnEmptyLogStartsAndEndsAtItsHead)
{
    floor_ = 40;
    commit(1, 0);
    const auto seen = walk();
    EXPECT_TRUE(seen.places.empty());
    EXPECT_EQ(seen.walk.start, (protocol::Position{40, "floor"}));
    EXPECT_FALSE(seen.walk.flaw);
}

TEST_F(LogWalkTest, GoesOnFromAnyPlaceThatItHasBeen)
{
    commit(1, 5);
    commit(6, 9);
    const auto all = walk();
    const auto row = *rig_.row(garden);
    for (std::size_t from = 0; from < 9; ++from) {
        auto walk = resume_at(all.places[from]);
        std::vector<protocol::Position> places;
        const auto visit = [&](const protocol::Position& at, const Hash&) { places.push_back(at); };
        auto done =
            rig_.read([&](Connection& db) { return walk_log(db, row, walk, 4'000, visit); });
        ASSERT_TRUE(done && *done);
        EXPECT_TRUE(std::equal(places.begin(), places.end(),
                               all.places.begin() + static_cast<std::ptrdiff_t>(from) + 1,
                               all.places.end()));
        EXPECT_FALSE(walk.flaw);
    }
}

TEST_F(LogWalkTest, AChangedEventIsInTheRunThatDoesNotLeadOnAnyMore)
{
    commit(1, 3, true);
    commit(4, 6);
    commit(7, 9);
    change_run(6, [](auto& entries) { rewrite(entries[1]); });
    const auto seen = walk();
    ASSERT_TRUE(seen.walk.flaw);
    EXPECT_EQ(seen.walk.flaw->first, 4);
    EXPECT_EQ(seen.walk.flaw->last, 6);
    EXPECT_NE(seen.places.back().hash, rig_.row(garden)->hash);
}

TEST_F(LogWalkTest, AChangedTimeInTheLastRunDoesNotLeadToTheHead)
{
    commit(1, 3);
    change_run(3, [](auto& entries) { entries[2].at = 77; });
    const auto seen = walk();
    ASSERT_TRUE(seen.walk.flaw);
    EXPECT_EQ(seen.walk.flaw->first, 1);
    EXPECT_EQ(seen.walk.flaw->last, 3);
}

TEST_F(LogWalkTest, AChangedEventUnderACheckpointDoesNotLeadToIt)
{
    commit(1, 2);
    commit(3, 5, true);
    change_run(5, [](auto& entries) { rewrite(entries[0]); });
    const auto seen = walk();
    ASSERT_TRUE(seen.walk.flaw);
    EXPECT_EQ(seen.walk.flaw->first, 3);
    EXPECT_EQ(seen.walk.flaw->last, 5);
    EXPECT_NE(seen.walk.flaw->what.find("checkpoint"), std::string::npos);
}

TEST_F(LogWalkTest, AnEventThatNamesAnotherContentIsNamedByItsEntry)
{
    commit(1, 3, true);
    commit(4, 6);
    change_run(6, [](auto& entries) { entries[1].event = message(50); });
    const auto seen = walk();
    ASSERT_TRUE(seen.walk.flaw);
    EXPECT_EQ(seen.walk.flaw->first, 5);
    EXPECT_EQ(seen.walk.flaw->last, 5);
}

TEST_F(LogWalkTest, AChangedContentIsNamedByItsEntryThoughNoHashDiffers)
{
    commit(1, 3);
    change_run(3, [](auto& entries) { entries[1].content = content_of(50); });
    const auto seen = walk();
    ASSERT_TRUE(seen.walk.flaw);
    EXPECT_EQ(seen.walk.flaw->first, 2);
    EXPECT_EQ(seen.walk.flaw->last, 2);
    EXPECT_EQ(seen.places.back().hash, rig_.row(garden)->hash);
}

TEST_F(LogWalkTest, AnErasedContentIsNoFlaw)
{
    commit(1, 3);
    change_run(3, [](auto& entries) {
        entries[0].content.reset();
        entries[0].expired = true;
        entries[1].content.reset();
        entries[1].deleted_by = 3;
    });
    EXPECT_FALSE(walk().walk.flaw);
}

TEST_F(LogWalkTest, AMissingRunIsNamed)
{
    commit(1, 3);
    commit(4, 6);
    commit(7, 9);
    tamper(delete_run, 6);
    auto seen = walk();
    ASSERT_TRUE(seen.walk.flaw);
    EXPECT_EQ(seen.walk.flaw->first, 4);
    EXPECT_EQ(seen.walk.flaw->last, 6);
    EXPECT_EQ(seen.places.size(), 6U);
    tamper(delete_run, 9);
    seen = walk();
    EXPECT_EQ(seen.walk.flaw->first, 4);
    EXPECT_EQ(seen.walk.flaw->last, 9);
}

TEST_F(LogWalkTest, AChangedHashBesideTheEntriesIsAFlawToo)
{
    commit(1, 3);
    commit(4, 6);
    tamper(update_prev, std::string_view("another"), 6);
    auto seen = walk();
    ASSERT_TRUE(seen.walk.flaw);
    EXPECT_EQ(seen.walk.flaw->last, 3);
    EXPECT_EQ(seen.places.back().hash, rig_.row(garden)->hash);

    rig_.restart();
    tamper(update_head, std::string_view("another"));
    EXPECT_TRUE(walk().walk.flaw);
}

TEST_F(LogWalkTest, ARunThatCanNotBeReadEndsTheWalk)
{
    commit(1, 3);
    commit(4, 6);
    tamper(update_body, Blob{"\xff\xff"}, 3);
    const auto seen = walk();
    ASSERT_TRUE(seen.walk.flaw);
    EXPECT_EQ(seen.walk.flaw->first, 1);
    EXPECT_EQ(seen.walk.flaw->last, 3);
    EXPECT_TRUE(seen.places.empty());
}

}  // namespace
}  // namespace entente::storage::log_rig
