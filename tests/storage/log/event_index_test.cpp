// The index by event id: what it finds, what it admits to miss, and how it comes back from
// its own loss. Real SQLite, real group commit, real RocksDB.
#include <map>

#include "log_rig.hpp"

namespace entente::storage::log_rig {
namespace {

Hash id_of(int number)
{
    return protocol::event_id(event_text(number));
}

Code code_at(Rig& rig, int number)
{
    const auto found = rig.by_id(garden, number);
    return found ? Code::internal : found.error().code;
}

TEST(EventIndex, FindsWhatIsHeldAndNothingElse)
{
    Rig rig;
    rig.commit(garden, 1, 3);
    rig.commit(meadow, 4, 5);
    rig.restart();
    EXPECT_EQ(rig.by_id(garden, 2)->seq, 2);
    EXPECT_EQ(rig.by_id(meadow, 5)->seq, 2);
    EXPECT_EQ(code_at(rig, 5), Code::not_found);
    EXPECT_EQ(code_at(rig, 99), Code::not_found);
}

TEST(EventIndex, IsMadeAnewWhereItsFolderIsGone)
{
    Rig rig;
    rig.commit(garden, 1, 3);
    rig.commit(meadow, 4, 5);
    rig.commit(garden, 6, 6);
    rig.restart(true);
    EXPECT_EQ(rig.by_id(garden, 2)->seq, 2);
    EXPECT_EQ(rig.by_id(garden, 6)->seq, 4);
    EXPECT_EQ(rig.by_id(meadow, 5)->seq, 2);
    EXPECT_EQ(code_at(rig, 99), Code::not_found);
}

TEST(EventIndex, AMissIsUnavailableWhileRunsAreMissing)
{
    Rig rig;
    for (int i = 1; i <= 3; ++i) rig.commit(garden, i, i);
    rig.catches_up = false;
    rig.restart(true);
    for (const int number : {1, 99}) {
        const auto missed = rig.by_id(garden, number);
        ASSERT_FALSE(missed);
        EXPECT_EQ(missed.error().code, Code::unavailable);
        EXPECT_GT(missed.error().retry_after, 0);
    }
    // What comes in is found at once, in the midst of it as well.
    rig.commit(garden, 4, 4);
    EXPECT_EQ(rig.by_id(garden, 4)->seq, 4);
    EXPECT_FALSE(rig.catch_up(1).value());
    EXPECT_EQ(rig.by_id(garden, 1)->seq, 1);
    EXPECT_EQ(code_at(rig, 3), Code::unavailable);
    rig.commit(garden, 5, 5);
    EXPECT_FALSE(rig.catch_up(1).value());
    EXPECT_TRUE(rig.catch_up(1).value());
    for (int i = 1; i <= 5; ++i) EXPECT_EQ(rig.by_id(garden, i)->seq, i);
    EXPECT_EQ(code_at(rig, 99), Code::not_found);
    // None of it has to be done again.
    rig.restart();
    EXPECT_TRUE(rig.index->is_complete());
    rig.commit(garden, 6, 6);
    EXPECT_EQ(rig.by_id(garden, 6)->seq, 6);
}

TEST(EventIndex, GoesOnWhereItsMakingWasInterrupted)
{
    Rig rig;
    for (int i = 1; i <= 4; ++i) rig.commit(garden, i, i);
    rig.catches_up = false;
    rig.restart(true);
    EXPECT_FALSE(rig.catch_up(2).value());
    rig.commit(garden, 5, 5);
    rig.restart();
    EXPECT_EQ(rig.by_id(garden, 2)->seq, 2);
    EXPECT_EQ(code_at(rig, 3), Code::unavailable);
    EXPECT_TRUE(rig.catch_up(100).value());
    for (int i = 1; i <= 5; ++i) EXPECT_EQ(rig.by_id(garden, i)->seq, i);
}

TEST(EventIndex, OfAnotherPastIsMadeAnewAndNeverBelieved)
{
    for (const auto& mark : {IndexMark{1'000'000, "ahead"}, IndexMark{2, "another run"}}) {
        Rig rig;
        rig.commit(garden, 1, 2);
        rig.commit(garden, 3, 3);
        rig.index->flush();
        ASSERT_TRUE(
            rig.window->events().add_events({{id_of(9), {1, 2}}, {id_of(1), {1, 77}}}, mark));
        rig.catches_up = false;
        rig.restart();
        EXPECT_FALSE(rig.index->is_complete());
        EXPECT_TRUE(rig.catch_up(100).value());
        EXPECT_EQ(rig.by_id(garden, 1)->seq, 1);
        EXPECT_EQ(code_at(rig, 9), Code::not_found);
    }
}

TEST(EventIndex, AnEventWhoseRunIsGoneIsNotFound)
{
    Rig rig;
    rig.commit(garden, 1, 2);
    rig.commit(garden, 3, 4);
    ASSERT_TRUE(rig.write([](WriteTransaction& transaction) {
        return transaction.db().execute("DELETE FROM run WHERE last = 2");
    }));
    EXPECT_EQ(code_at(rig, 1), Code::not_found);
    EXPECT_EQ(rig.by_id(garden, 3)->seq, 3);
}

TEST(EventIndex, IdsThatBeginAlikeHideNothing)
{
    Rig rig;
    rig.commit(garden, 1, 3);
    std::vector<IndexedEvent> alike;
    for (std::uint8_t i = 0; i < 5; ++i) {
        auto id = id_of(2);
        id[8] = static_cast<std::uint8_t>(id[8] ^ (i + 1U));
        // Before, at and behind the place of the one that they hide.
        alike.push_back({id, {1, i}});
    }
    ASSERT_TRUE(rig.window->events().add_events(alike, std::nullopt));
    EXPECT_EQ(rig.by_id(garden, 2)->seq, 2);
    for (const auto& event : alike) {
        const auto found = rig.read([&](Connection& db) { return rig.index->find(db, event.id); });
        ASSERT_FALSE(found);
        EXPECT_EQ(found.error().code, Code::not_found);
    }
}

// Places whose disk can be made to fail.
class FailingPlaces final : public EventPlaces {
 public:
    Result<void> add_events(const std::vector<IndexedEvent>& events,
                            const std::optional<IndexMark>& mark) override
    {
        if (fails) return fail(Code::unavailable, "the disk is full");
        for (const auto& event : events) events_.emplace(event.id, event.place);
        if (mark) mark_ = mark;
        return {};
    }
    Result<std::vector<EventPlace>> find_event(const Hash& id) override
    {
        std::vector<EventPlace> found;
        const auto range = events_.equal_range(id);
        for (auto at = range.first; at != range.second; ++at) found.push_back(at->second);
        return found;
    }
    Result<std::optional<IndexMark>> index_mark() override { return mark_; }

    bool fails = false;

 private:
    std::multimap<Hash, EventPlace> events_;
    std::optional<IndexMark> mark_;
};

TEST(EventIndex, WhatCouldNotBeAddedIsMissingUntilItIsCaughtUp)
{
    Rig rig;
    FailingPlaces places;
    EventIndex index(places);
    const auto catch_up = [&] {
        return rig.read([&](Connection& db) { return index.catch_up(db, 1'000); });
    };
    const auto find = [&](int number) {
        return rig.read([&](Connection& db) { return index.find(db, id_of(number)); });
    };
    // As the writer tells it, of a log that another index follows as well.
    const auto add = [&](int number) {
        const auto before = rig.row(garden)->hash;
        index.expect({{id_of(number), {1, number}}});
        rig.commit(garden, number, number);
        index.committed({number, run_name(1, number, before)});
        EXPECT_EQ(find(number)->stored.seq, number);
        index.flush();
    };
    rig.commit(garden, 1, 1);
    ASSERT_TRUE(rig.read([&](Connection& db) { return index.open(db); }));
    ASSERT_TRUE(catch_up().value());

    places.fails = true;
    add(2);
    EXPECT_FALSE(index.is_complete());
    EXPECT_FALSE(catch_up());
    places.fails = false;
    add(3);
    EXPECT_EQ(find(1)->stored.seq, 1);
    EXPECT_EQ(find(2).error().code, Code::unavailable);
    EXPECT_EQ(find(3)->stored.seq, 3);
    // A start in between begins with what is missing.
    EventIndex later(places);
    ASSERT_TRUE(rig.read([&](Connection& db) { return later.open(db); }));
    EXPECT_FALSE(later.is_complete());

    EXPECT_TRUE(catch_up().value());
    EXPECT_EQ(find(2)->stored.seq, 2);
    EXPECT_EQ(find(99).error().code, Code::not_found);
    add(4);
    EXPECT_EQ(places.index_mark()->value().run, 4);
}

// A reader sees a commit before the writer has said that it is done.
TEST(EventIndex, FindsWhatIsCommittedBeforeItIsToldSo)
{
    Rig rig;
    FailingPlaces places;
    EventIndex index(places);
    ASSERT_TRUE(rig.read([&](Connection& db) { return index.open(db); }));
    const auto find = [&](int number) {
        return rig.read([&](Connection& db) { return index.find(db, id_of(number)); });
    };
    index.expect({{id_of(1), {1, 1}}});
    EXPECT_EQ(find(1).error().code, Code::not_found);
    rig.commit(garden, 1, 1);
    EXPECT_EQ(find(1)->stored.seq, 1);
    index.rolled_back();
    EXPECT_EQ(find(1).error().code, Code::not_found);
}

TEST(EventIndex, TheWriterTellsItsIndexBeforeItCommits)
{
    Rig rig;
    rig.commit(garden, 1, 1);
    const auto reader = rig.another_reader();
    bool is_found = false;
    rig.onlooker.look = [&] {
        const auto found = rig.index->find(*reader, id_of(2));
        is_found = found && found->stored.seq == 2;
    };
    rig.commit(garden, 2, 2);
    EXPECT_TRUE(is_found);
    rig.onlooker.look = nullptr;
}

TEST(EventIndex, KeepsNoMoreInMemoryThanItsBound)
{
    Rig rig;
    FailingPlaces places;
    EventIndex index(places);
    ASSERT_TRUE(rig.read([&](Connection& db) { return index.open(db); }));
    const auto event = [](std::size_t number) {
        return IndexedEvent{id_of(static_cast<int>(number)),
                            {1, static_cast<std::int64_t>(number)}};
    };
    for (std::size_t i = 1; i < EventIndex::max_kept; ++i) {
        index.expect({event(i)});
        index.committed({static_cast<std::int64_t>(i), "run"});
    }
    EXPECT_TRUE(places.find_event(id_of(1))->empty());
    EXPECT_EQ(places.index_mark().value(), std::nullopt);
    index.expect({event(EventIndex::max_kept)});
    index.committed({77, "the last run"});
    EXPECT_EQ(places.find_event(id_of(1))->size(), 1U);
    EXPECT_EQ(places.index_mark().value(), (IndexMark{77, "the last run"}));
}

int write_for_ever(const std::string& folder)
{
    Rig rig(folder);
    for (int i = 1; i < 30'000; ++i) {
        rig.commit(i % 2 == 0 ? garden : meadow, i, i);
        testing::print_number(i);
    }
    return 0;
}
const testing::Child writer("log", write_for_ever);

TEST(EventIndex, IsWholeAfterAKill9WithItsFolderOrWithout)
{
    for (const bool loses_folder : {false, true}) {
        const testing::TemporaryFolder folder;
        const auto written = testing::kill_child_after("log", folder.path(), 100);
        ASSERT_GE(written.size(), 100U);
        if (loses_folder) std::filesystem::remove_all(folder.file("window"));
        Rig rig(folder.path());
        for (const int number : written)
            EXPECT_TRUE(rig.by_id(number % 2 == 0 ? garden : meadow, number)) << number;
        EXPECT_EQ(code_at(rig, 29'999), Code::not_found);
    }
}

}  // namespace
}  // namespace entente::storage::log_rig
