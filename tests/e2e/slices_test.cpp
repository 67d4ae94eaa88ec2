// A follower with a hostile home: slices with gaps, forged checkpoints and other
// histories, none of which changes what the follower holds.
#include <atomic>

#include "protocol/channel_state.hpp"
#include "protocol/json_rules.hpp"
#include "storage/evidence_store.hpp"
#include "storage/log_reader.hpp"
#include "storage/sqlite/database.hpp"
#include "tests/e2e/support/control.hpp"
#include "tests/e2e/support/forger.hpp"
#include "tests/e2e/support/world_test.hpp"

namespace entente::e2e {
namespace {

using namespace protocol;

constexpr NameRules rules{true};

class Slices : public WorldTest {
 protected:
    void SetUp() override
    {
        WorldTest::SetUp();
        open({"b.test"}, {"f.test", "g.test"});
        bob_ = std::make_unique<Client>(person("b.test", "bob"));
        forger_ = std::make_unique<Forger>(world(), "f.test");
        SystemRandom random;
        channel_ = make_channel_id(forger_->name(), SystemClock{}.now_ms(), random).str();
        forger_->on_inbox(
            [this](const Transaction& transaction) { return take_join(transaction); });
        append(forger_->event(
            channel_, "channel.create",
            R"("kind":"group","name":"trap","public":false,"history":"all","retention":"keep",)"
            R"("encryption":"none","successors":[])"));
        const auto invite = forger_->event(channel_, "member.invite", R"("user":"bob@b.test")");
        append(invite);
        send_invitation(invite);
        bob_->call("POST", "/channels/" + channel_ + "/join", {{"txn", new_uuid()}});
        wait_until("bob's join has come", [this] { return has_joined_.load(); });
        wait_until("b.test follows",
                   [this] { return send(slice(0, 3)).status == SliceStatus::ok; });
    }

    void append(const EventAndContent& item)
    {
        const auto event = parse_channel_event(item.event, rules);
        ASSERT_TRUE(event.has_value());
        const auto seq = static_cast<std::int64_t>(entries_.size()) + 1;
        ASSERT_TRUE(
            apply_event(state_, *event, item.content, seq, 1, std::nullopt, rules).has_value());
        Entry entry;
        entry.at = SystemClock{}.now_ms();
        entry.event = item.event;
        entry.content = item.content;
        hashes_.push_back(
            entry_hash(ChannelId::trusted(channel_), 1, seq, entry.at, hashes_.back(), event->id));
        entries_.push_back(std::move(entry));
    }
    void write(const std::string& text)
    {
        append(forger_->event(channel_, "message.create", "\"text\":\"" + text + "\""));
    }

    void send_invitation(const EventAndContent& invite)
    {
        SystemRandom random;
        EventDraft draft;
        draft.type = "invite";
        draft.to = "bob@b.test";
        draft.sender = "f.test";
        draft.txn = make_uuid7(SystemClock{}.now_ms(), random);
        draft.at = SystemClock{}.now_ms();
        draft.content =
            R"({"salt":"c2FsdHNhbHRzYWx0c2FsdA","channel":")" + channel_ +
            R"(","name":"trap","kind":"group","encryption":"none","members":1,"invite":{"event":)" +
            json_string(invite.event) + ",\"content\":" + json_string(invite.content) + "}}";
        OutgoingTransaction transaction;
        transaction.direct.push_back({write_event(draft), draft.content});
        const auto result = forger_->deliver(node("b.test"), write_transaction(transaction));
        ASSERT_EQ(result.direct.at(0).status, ItemStatus::accepted);
    }

    // The home's answer to bob's join: accepted as entry 3, the log starting at 1.
    TransactionResult take_join(const Transaction& transaction)
    {
        TransactionResult result;
        for (const auto& read : transaction.submissions) {
            auto& submission = result.submissions.emplace_back();
            submission.channel = read.channel_text;
            if (!read.value || entries_.size() != 2) continue;
            append(read.value->events.at(0));
            seal_ = read.value->seal;
            seal_root_ = transaction.roots.at(seal_.proof.root);
            Snapshot snapshot;
            snapshot.channel = ChannelId::trusted(channel_);
            snapshot.seq = 3;
            snapshot.hash = hashes_.back();
            snapshot.at = entries_.back().at;
            snapshot.state = state_json(state_);
            RootBuilder leaves;
            leaves.add(snapshot_leaf(snapshot.channel, 1, 3, snapshot.hash, snapshot.at,
                                     state_hash(snapshot.state)));
            result.roots.push_back(
                leaves.sign(forger_->key(), forger_->name(), SystemClock{}.now_ms()).jws);
            auto& event = submission.events.emplace_back();
            event.event = event_id(read.value->events.at(0).event);
            event.status = ItemStatus::accepted;
            event.seq = 3;
            event.floor = 0;
            event.snapshot = std::move(snapshot);
            has_joined_ = true;
        }
        return result;
    }

    [[nodiscard]] Slice slice(std::size_t after, std::size_t until) const
    {
        Slice made;
        made.channel = ChannelId::trusted(channel_);
        made.after = {static_cast<std::int64_t>(after), hashes_[after]};
        for (std::size_t i = after; i < until; ++i) made.entries.push_back(entries_[i]);
        made.checkpoint.seq = static_cast<std::int64_t>(until);
        made.checkpoint.hash = hashes_[until];
        made.latest = static_cast<std::int64_t>(std::max(until, entries_.size()));
        return made;
    }

    // Signs as the home would; `by` is who sends and whose checkpoint it is.
    SliceResult send(Slice made, const Forger* by = nullptr)
    {
        const auto& home = by != nullptr ? *by : *forger_;
        OutgoingTransaction transaction;
        RootBuilder leaves;
        leaves.add(checkpoint_leaf(made.channel, made.checkpoint.epoch, made.checkpoint.seq,
                                   made.checkpoint.hash));
        transaction.roots.push_back(
            leaves.sign(home.key(), home.name(), SystemClock{}.now_ms()).jws);
        if (made.after.seq < 3 && made.checkpoint.seq >= 3) {
            auto seal = seal_;
            seal.proof.root = 1;
            made.seals.push_back(seal);
            transaction.roots.push_back(seal_root_);
        }
        transaction.logs.push_back(std::move(made));
        return home.deliver(node("b.test"), write_transaction(transaction)).logs.at(0);
    }

    void expect_refused(const SliceResult& result, Code code)
    {
        EXPECT_EQ(result.status, SliceStatus::refused);
        ASSERT_TRUE(result.problem.has_value());
        EXPECT_EQ(result.problem->code, code);
    }
    [[nodiscard]] std::vector<std::string> texts() { return bob_->texts(channel_); }

    std::unique_ptr<Client> bob_;
    std::string channel_;
    ChannelState state_;
    std::vector<Entry> entries_;
    std::vector<std::string> hashes_{""};
    std::atomic<bool> has_joined_ = false;  // from then on only the test changes the log
    Seal seal_;
    std::string seal_root_;
    std::unique_ptr<Forger> forger_;  // last: its thread uses the others
};

// [LOG-2]
TEST_F(Slices, AGapIsSaidAndWhatIsHeldStays)
{
    for (const char* const text : {"four", "five", "six"}) write(text);
    const auto result = send(slice(4, 6));
    EXPECT_EQ(result.status, SliceStatus::gap);
    EXPECT_EQ(result.have.seq, 3);
    EXPECT_EQ(result.have.hash, hashes_[3]);
    EXPECT_TRUE(texts().empty());
    EXPECT_EQ(send(slice(3, 6)).have.seq, 6);
    EXPECT_EQ(texts(), (std::vector<std::string>{"four", "five", "six"}));
}

TEST_F(Slices, AnOverlapIsComparedAndSkipped)
{
    for (const char* const text : {"four", "five", "six"}) write(text);
    EXPECT_EQ(send(slice(3, 5)).have.seq, 5);
    for (int repeat = 0; repeat < 2; ++repeat) {
        const auto result = send(slice(1, 6));
        EXPECT_EQ(result.status, SliceStatus::ok);
        EXPECT_EQ(result.have.seq, 6);
        EXPECT_EQ(result.have.hash, hashes_[6]);
    }
    node("b.test").kill9();
    node("b.test").start();
    EXPECT_EQ(send(slice(0, 6)).have.seq, 6);
    EXPECT_EQ(texts(), (std::vector<std::string>{"four", "five", "six"}));
}

// [LOG-1]
TEST_F(Slices, ForgedSlicesAreRefusedWithoutEffect)
{
    for (const char* const text : {"four", "five"}) write(text);
    auto other_hash = slice(3, 5);
    other_hash.checkpoint.hash = hashes_[4];
    expect_refused(send(other_hash), Code::malformed);

    auto other_content = slice(3, 5);
    other_content.entries[0].content = R"({"salt":"c2FsdHNhbHRzYWx0c2FsdA","text":"forged"})";
    expect_refused(send(other_content), Code::malformed);

    auto swapped = slice(3, 5);
    std::swap(swapped.entries[0].event, swapped.entries[1].event);
    std::swap(swapped.entries[0].content, swapped.entries[1].content);
    expect_refused(send(swapped), Code::malformed);

    auto unsealed = slice(2, 5);
    OutgoingTransaction transaction;
    RootBuilder leaves;
    leaves.add(checkpoint_leaf(unsealed.channel, 1, 5, hashes_[5]));
    transaction.roots.push_back(
        leaves.sign(forger_->key(), forger_->name(), SystemClock{}.now_ms()).jws);
    transaction.logs.push_back(unsealed);
    expect_refused(forger_->deliver(node("b.test"), write_transaction(transaction)).logs.at(0),
                   Code::signature_invalid);

    transaction.logs = {slice(3, 5)};
    transaction.logs[0].checkpoint.proof.path.push_back(Hash{});
    expect_refused(forger_->deliver(node("b.test"), write_transaction(transaction)).logs.at(0),
                   Code::signature_invalid);

    EXPECT_TRUE(texts().empty());
    EXPECT_EQ(send(slice(3, 5)).status, SliceStatus::ok);
    EXPECT_EQ(texts(), (std::vector<std::string>{"four", "five"}));
}

// [LOG-3]
TEST_F(Slices, OnlyTheHomeSendsThem)
{
    const Forger other(world(), "g.test");
    write("four");
    expect_refused(send(slice(3, 4), &other), Code::not_home);
    EXPECT_TRUE(texts().empty());
    auto unknown = slice(3, 4);
    unknown.channel = ChannelId::trusted(new_uuid() + "@g.test");
    EXPECT_NE(send(unknown, &other).status, SliceStatus::ok);
    EXPECT_EQ(send(slice(3, 4)).status, SliceStatus::ok);
    EXPECT_EQ(texts(), std::vector<std::string>{"four"});
}

// [LOG-4]
TEST_F(Slices, ASecondHistoryIsAForkAndFreezesTheChannel)
{
    write("four");
    EXPECT_EQ(send(slice(3, 4)).status, SliceStatus::ok);
    entries_.resize(3);
    hashes_.resize(4);
    write("another four");
    write("five");
    EXPECT_EQ(send(slice(3, 5)).status, SliceStatus::fork);
    EXPECT_EQ(texts(), std::vector<std::string>{"four"});
    EXPECT_TRUE(bob_->channel(channel_).at("frozen").get<bool>());
    node("b.test").kill9();
    node("b.test").start();
    EXPECT_EQ(send(slice(3, 5)).status, SliceStatus::fork);
    EXPECT_EQ(texts(), std::vector<std::string>{"four"});
}

// [LOG-4] The operator sees why, and has the last word.
TEST_F(Slices, AForkIsShownToTheOperatorWhoLetsTheChannelGoOn)
{
    write("four");
    EXPECT_EQ(send(slice(3, 4)).status, SliceStatus::ok);
    EXPECT_EQ(control(node("b.test"), {"channel", "thaw", channel_}).exit_code, 1);
    const auto entries = entries_;
    const auto hashes = hashes_;
    entries_.resize(3);
    hashes_.resize(4);
    write("another four");
    EXPECT_EQ(send(slice(3, 4)).status, SliceStatus::fork);

    const auto told = control(node("b.test"), {"channel", "evidence", channel_});
    ASSERT_EQ(told.exit_code, 0) << told.output;
    ASSERT_EQ(told.json.at("evidence").size(), 1U);
    const auto& evidence = told.json.at("evidence").at(0);
    EXPECT_EQ(evidence.at("kind"), "fork");
    EXPECT_EQ(evidence.at("seq"), 4);
    EXPECT_EQ(evidence.at("held").at("slice").at("checkpoint").at("hash"), hashes[4]);
    EXPECT_EQ(evidence.at("shown").at("slice").at("checkpoint").at("hash"), hashes_[4]);

    EXPECT_EQ(control(node("b.test"), {"channel", "thaw", channel_}).exit_code, 0);
    EXPECT_FALSE(bob_->channel(channel_).at("frozen").get<bool>());
    entries_ = entries;
    hashes_ = hashes;
    write("five");
    EXPECT_EQ(send(slice(4, 5)).status, SliceStatus::ok);
    EXPECT_EQ(texts(), (std::vector<std::string>{"four", "five"}));
    EXPECT_EQ(control(node("b.test"), {"channel", "go-on", channel_}).exit_code, 1);
}

TEST_F(Slices, AForkIsToldToItsMembersAndItsEvidenceKept)
{
    write("four");
    EXPECT_EQ(send(slice(3, 4)).status, SliceStatus::ok);
    auto live = bob_->open_socket();
    live.send({{"follow", {{channel_, 4}}}});
    live.send({{"ping", true}});
    live.read_until("pong");
    const auto first = hashes_[4];
    entries_.resize(3);
    hashes_.resize(4);
    write("another four");
    EXPECT_EQ(send(slice(3, 4)).status, SliceStatus::fork);
    const json frozen = json::array({{{"channel", channel_}, {"frozen", true}}});
    EXPECT_EQ(live.read_until("state").at("state"), frozen);

    node("b.test").kill9();
    const auto database =
        storage::make_sqlite_database(node("b.test").folder() + "/data/entente.sqlite");
    auto db = std::move(database->open_writer().value());
    const auto row = storage::read_channel(*db, ChannelId::trusted(channel_)).value();
    const auto evidence = storage::evidence_of(*db, row.id).value();
    ASSERT_EQ(evidence.size(), 1U);
    EXPECT_EQ(evidence[0].seq, 4);
    const auto held = parse_log_answer(evidence[0].held, rules).value();
    const auto shown = parse_log_answer(evidence[0].shown, rules).value();
    EXPECT_EQ(held.slice.checkpoint.hash, first);
    EXPECT_EQ(shown.slice.checkpoint.hash, hashes_[4]);
    for (const auto* side : {&held, &shown}) {
        const auto& checkpoint = side->slice.checkpoint;
        const auto root = parse_signed_root(side->roots.at(checkpoint.proof.root), rules).value();
        EXPECT_TRUE(verifies(root.jws, forger_->key().public_key()));
        EXPECT_TRUE(proves(root, checkpoint.proof,
                           checkpoint_leaf(side->slice.channel, checkpoint.epoch, checkpoint.seq,
                                           checkpoint.hash)));
    }
}

}  // namespace
}  // namespace entente::e2e
