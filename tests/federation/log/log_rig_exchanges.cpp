// What servers of the rig hand to each other.
#include <stdlib.h>
#include "storage/account_store.hpp"
#include "storage/sqlite/database.hpp"
#include "tests/federation/log/log_rig.hpp"

namespace entente::federation::log_rig {

namespace {

// As a row that is on its way and asks for nothing.
void remember(Server& author, const EventAndContent& sealed)
{
    auto event = protocol::parse_channel_event(sealed.event, author.identity.names);
    if (!event || event->sender.server != author.identity.name) return;
    storage::SubmissionRow row;
    row.channel = *event->channel;
    row.home = author.identity.name;
    row.user = event->sender.text;
    row.txn = event->txn;
    row.event_id = event->id;
    row.type = "sealed";
    row.event = sealed.event;
    row.content = sealed.content;
    // Another one under the same txn is remembered already.
    static_cast<void>(author.write([&](storage::WriteTransaction& transaction) -> Result<void> {
        auto known = storage::find_submission(transaction.db(), row.channel, row.txn);
        if (!known || *known) return {};
        auto home = author.store->server_id(transaction.db(), row.home);
        if (!home) return fail(home);
        auto put = storage::put_submission(transaction.db(), row, *home);
        if (!put) return put;
        auto kept = storage::find_submission(transaction.db(), row.channel, row.txn);
        if (!kept || !*kept) return fail(Code::internal, "it was not kept");
        return storage::accept_submission(transaction.db(), (*kept)->id, std::int64_t{1} << 40);
    }));
}

}  // namespace

protocol::OutgoingTransaction submission(Server& author, const ChannelId& channel,
                                         std::vector<EventAndContent> events, Millis sealed_ago)
{
    for (const auto& event : events) remember(author, event);
    return sealed(author, channel, std::move(events), sealed_ago);
}

protocol::OutgoingTransaction sealed(Server& author, const ChannelId& channel,
                                     std::vector<EventAndContent> events, Millis sealed_ago)
{
    protocol::Submission made;
    made.channel = channel;
    for (const auto& event : events) made.seal.events.push_back(protocol::event_id(event.event));
    made.events = std::move(events);
    protocol::RootBuilder leaves;
    made.seal.proof.index = leaves.add(protocol::seal_leaf(channel, made.seal.events));
    auto root = leaves.sign(author.identity.key, author.identity.name,
                            author.world.clock.now_ms() - sealed_ago);
    made.seal.proof.path = root.paths[made.seal.proof.index];
    protocol::OutgoingTransaction transaction;
    transaction.roots.push_back(std::move(root.jws));
    transaction.submissions.push_back(std::move(made));
    return transaction;
}

std::vector<protocol::EventResult> hand_in(Server& author, Server& home, const ChannelId& channel,
                                           std::vector<EventAndContent> events)
{
    auto result = home.receive(author, submission(author, channel, std::move(events)));
    return std::move(result.submissions.at(0).events);
}

protocol::OutgoingTransaction rewritten(Server& home, const ChannelId& channel, std::int64_t after)
{
    auto made = slice(home, channel, after, all_entries);
    for (auto& entry : made.logs[0].entries) entry.at += 1;
    rechain(made.logs[0]);
    sign_anew(home, made);
    return made;
}

protocol::OutgoingTransaction slice(Server& home, const ChannelId& channel, std::int64_t after,
                                    std::int64_t limit)
{
    auto part = home.read([&](storage::Connection& db) -> Result<LogPart> {
        auto row = storage::read_channel(db, channel);
        if (!row) return fail(row);
        auto page =
            storage::read_log(db, *row, after, storage::PageLimits{limit, std::size_t{1} << 30});
        if (!page) return fail(page);
        LogPart made;
        made.channel = std::move(*row);
        made.page = std::move(*page);
        return made;
    });
    BatchDraft draft;
    draft.logs.push_back(std::move(part.value()));
    return sign_batch(draft, home.identity, home.world.clock.now_ms());
}

protocol::SliceResult deliver(Server& home, Server& follower,
                              const protocol::OutgoingTransaction& transaction)
{
    auto result = follower.receive(home, transaction);
    return result.logs.at(0);
}

Result<Settled> exchange(Server& from, Server& to, const Held& held)
{
    auto draft = from.read([&](storage::Connection& db) {
        return read_batch(db, from.identity.name, to.identity.name, BatchLimits{}, held);
    });
    if (!draft) return fail(draft);
    if (draft->empty()) return Settled{};
    auto result = to.receive(from, sign_batch(*draft, from.identity, from.world.clock.now_ms()));
    return from.world.run(from.settlement->settle(to.identity.name, *draft, std::move(result)));
}

Result<Settled> ask(Server& from, Server& to, const ChannelId& channel)
{
    Held held;
    held.questions.insert(channel.str());
    auto settled = exchange(from, to, held);
    if (!settled) return settled;
    for (const auto& word : settled->words) from.repair->said(to.identity.name, word);
    return settled;
}

void finish_fetching(Server& home)
{
    home.world.io.restart();
    while (home.repair->is_fetching()) home.world.io.run_one();
}

void copy_database(World& world, const std::string& server, const std::string& from,
                   const std::string& to)
{
    namespace fs = std::filesystem;
    for (const char* end : {"", "-wal", "-shm"}) {
        const auto source = world.folder.file(server + from + end);
        const auto target = world.folder.file(server + to + end);
        fs::remove(target);
        if (fs::exists(source)) fs::copy_file(source, target);
    }
}

void settle_all(Server& one, Server& other)
{
    for (int i = 0; i < 20; ++i) {
        auto there = exchange(one, other);
        auto back = exchange(other, one);
        ASSERT_TRUE(there) << there.error().detail;
        ASSERT_TRUE(back) << back.error().detail;
        if (!there->progress && !back->progress) return;
    }
    FAIL() << "two servers never come to rest";
}

ChannelId shared_channel(Server& a, Server& b, const std::string& history)
{
    const auto channel = a.create("alice", history);
    auto invited = a.world.run(a.channels->invite(a.actor("alice"), channel, b.user("bob")));
    EXPECT_TRUE(invited) << invited.error().detail;
    settle_all(a, b);
    auto joined = b.world.run(b.channels->join(b.actor("bob"), channel));
    EXPECT_TRUE(joined) << joined.error().detail;
    settle_all(a, b);
    return channel;
}

void rechain(protocol::Slice& slice)
{
    auto seq = slice.after.seq;
    auto hash = slice.after.hash;
    for (const auto& entry : slice.entries) {
        ++seq;
        hash = protocol::entry_hash(slice.channel, slice.epoch, seq, entry.at, hash,
                                    protocol::event_id(entry.event));
    }
    slice.checkpoint.epoch = slice.epoch;
    slice.checkpoint.seq = seq;
    slice.checkpoint.hash = hash;
    slice.latest = std::max(slice.latest, seq);
}

void sign_anew(Server& signer, protocol::OutgoingTransaction& transaction)
{
    protocol::RootBuilder leaves;
    for (auto& slice : transaction.logs) {
        slice.checkpoint.proof.root = 0;
        slice.checkpoint.proof.index = leaves.add(protocol::checkpoint_leaf(
            slice.channel, slice.checkpoint.epoch, slice.checkpoint.seq, slice.checkpoint.hash));
    }
    auto root = leaves.sign(signer.identity.key, signer.identity.name, signer.world.clock.now_ms());
    for (auto& slice : transaction.logs)
        slice.checkpoint.proof.path = root.paths[slice.checkpoint.proof.index];
    transaction.roots.at(0) = std::move(root.jws);
}

}  // namespace entente::federation::log_rig
