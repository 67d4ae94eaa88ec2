#include "federation/log/log_proof.hpp"

#include <algorithm>
#include <limits>

#include "storage/epoch_store.hpp"

namespace entente::federation {

namespace {

using protocol::EntryProof;
using storage::ChannelRow;
using storage::Connection;
using storage::LogPage;

constexpr std::size_t no_octet_limit = std::numeric_limits<std::size_t>::max() / 2;

// A proof without keys, and at the home without its checkpoint's proof: this server's own
// keys are the I/O thread's.
struct Unsigned {
    EntryProof proof;
    bool is_home = false;
};

struct MakeProof {
    ServerName self;
    protocol::NameRules names;
    protocol::ChannelId name;
    std::int64_t seq;
    bool with_content;

    Result<Unsigned> operator()(Connection& db);
};

// From the entry to a kept checkpoint. Twice as far each time: so it costs at most twice
// what the nearest one would.
Result<LogPage> page_to_checkpoint(Connection& db, const ChannelRow& channel, std::int64_t seq)
{
    constexpr auto most = static_cast<std::int64_t>(protocol::max_entry_proof_chain);
    for (std::int64_t entries = 1;; entries = std::min(entries * 2, most)) {
        storage::PageLimits limits;
        limits.entries = entries;
        limits.octets = no_octet_limit;
        auto page = storage::read_log(db, channel, seq - 1, limits, true);
        if (!page || (!page->entries.empty() && page->proofs.checkpoint)) return page;
        if (entries == most || seq + entries > channel.seq)
            return fail(Code::too_large, "no checkpoint is kept near behind the entry");
    }
}

// The home's own checkpoint, for this very entry.
void sign_checkpoint(EntryProof& proof, const Identity& identity, Millis now)
{
    protocol::RootBuilder leaves;
    auto& checkpoint = proof.checkpoint;
    checkpoint.proof.index = leaves.add(protocol::checkpoint_leaf(proof.channel, checkpoint.epoch,
                                                                  checkpoint.seq, checkpoint.hash));
    auto root = leaves.sign(identity.key, identity.name, now);
    checkpoint.proof.path = std::move(root.paths.front());
    proof.roots.front() = std::move(root.jws);
}

void take_checkpoint(EntryProof& proof, LogPage& page)
{
    proof.checkpoint = std::move(*page.proofs.checkpoint);
    proof.roots.push_back(page.proofs.roots.at(proof.checkpoint.proof.root));
    proof.checkpoint.proof.root = 0;
    for (std::size_t i = 1; i < page.entries.size(); ++i)
        proof.chain.push_back({page.entries[i].entry.at, page.entries[i].event_id});
}

// [EVT-1] The seal of the author's server that lists the event.
Result<void> take_seal(EntryProof& proof, LogPage& page, const ServerName& author,
                       const protocol::Hash& id, protocol::NameRules rules)
{
    for (auto& seal : page.proofs.seals) {
        if (std::find(seal.events.begin(), seal.events.end(), id) == seal.events.end()) continue;
        const auto& jws = page.proofs.roots.at(seal.proof.root);
        const auto root = protocol::parse_signed_root(jws, rules);
        if (!root || root->jws.key.server != author) continue;
        proof.roots.push_back(jws);
        seal.proof.root = proof.roots.size() - 1;
        proof.seal = std::move(seal);
        return {};
    }
    return fail(Code::internal, "no seal of the author's server is stored with the entry");
}

// Who ordered the entry's epoch.
Result<ServerName> home_of(Connection& db, const ChannelRow& channel, std::int64_t epoch)
{
    if (epoch == channel.epoch) return channel.home;
    auto past = storage::find_past_home(db, channel.id, epoch);
    if (!past) return fail(past);
    if (!*past) return fail(Code::internal, "nothing is known of the entry's epoch");
    return std::move(**past);
}

Result<Unsigned> MakeProof::operator()(Connection& db)
{
    auto channel = storage::read_channel(db, name);
    if (!channel) return fail(channel);
    if (seq <= channel->floor || seq > channel->seq)
        return refuse(Code::not_found, "that entry isn't held here");
    storage::PageLimits one;
    one.entries = 1;
    auto page = storage::read_log(db, *channel, seq - 1, one);
    if (!page) return fail(page);
    auto home = home_of(db, *channel, page->epoch);
    if (!home) return fail(home);
    const bool is_home = *home == self;
    if (!is_home) page = page_to_checkpoint(db, *channel, seq);
    if (!page) return fail(page);
    if (page->entries.empty() || page->entries.front().seq != seq)
        return fail(Code::internal, "the stored log has no entry " + std::to_string(seq));

    auto& stored = page->entries.front();
    auto followed = protocol::parse_followed_event(stored.entry.event, names);
    if (!followed) return fail(followed);
    Unsigned made;
    made.is_home = is_home;
    auto& proof = made.proof;
    proof.channel = name;
    proof.epoch = page->epoch;
    proof.seq = seq;
    proof.previous = page->after.hash;
    proof.at = stored.entry.at;
    proof.event = std::move(stored.entry.event);
    if (with_content && stored.entry.content &&
        protocol::content_hash(*stored.entry.content) == followed->event.content_hash)
        proof.content = std::move(stored.entry.content);
    if (is_home) {
        proof.checkpoint = {page->epoch, page->end.seq, page->end.hash, {}};
        proof.roots.emplace_back();  // once it is signed
    } else {
        take_checkpoint(proof, *page);
    }
    const auto& author = followed->event.sender.server;
    if (author == *home) return made;
    auto sealed = take_seal(proof, *page, author, stored.event_id, names);
    if (!sealed) return fail(sealed);
    return made;
}

}  // namespace

asio::awaitable<Result<EntryProof>> LogProver::prove(protocol::ChannelId channel, std::int64_t seq,
                                                     bool with_content)
{
    MakeProof job{parts_.identity.name, parts_.identity.names, std::move(channel), seq,
                  with_content};
    auto made = co_await parts_.commits.read(std::move(job));
    if (!made) co_return fail(made);
    auto& proof = made->proof;
    if (made->is_home) sign_checkpoint(proof, parts_.identity, parts_.clock.now_ms());
    auto keys = add_keys(proof);
    if (!keys) co_return fail(keys);
    co_return std::move(proof);
}

Result<void> LogProver::add_keys(EntryProof& proof) const
{
    const auto& identity = parts_.identity;
    for (const auto& jws : proof.roots) {
        const auto root = protocol::parse_signed_root(jws, identity.names);
        if (!root) return fail(root);
        const auto& ref = root->jws.key;
        if (ref.server == identity.name) {
            if (const auto* own = find_own_key(identity, ref.key)) {
                proof.keys.push_back({ref.server, *own, identity.statements});
                continue;
            }
        } else if (const auto* pinned = parts_.ring.find_key(ref)) {
            proof.keys.push_back({ref.server, pinned->key, {}});
            continue;
        }
        return refuse(Code::key_unavailable, "the key " + ref.str() + " isn't known here");
    }
    return {};
}

}  // namespace entente::federation
