#include "federation/log/verification.hpp"

#include <algorithm>
#include <set>
#include <unordered_map>

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace entente::federation {

namespace {

using protocol::Hash;
using protocol::Proof;
using protocol::Read;
using protocol::Slice;
using protocol::Submission;

// [EVT-7] how old or early a seal may be when the home takes it.
constexpr Millis max_seal_age_ms = 3'600'000;
constexpr Millis max_seal_ahead_ms = 60'000;

// [EVT-7] how far a seal may lie from the entry before that is shown.
constexpr Millis seal_apart_ms = Millis{24} * 3600 * 1000;

constexpr std::uint8_t key_marks =
    protocol::bit(protocol::Mark::key_revoked) | protocol::bit(protocol::Mark::key_retired);

// The root that a proof names, where it is proven to be `server`'s.
Result<const CheckedRoot*> root_of(const Proof& proof, const CheckedRoots& roots,
                                   const ServerName& server)
{
    if (proof.root >= roots.size())
        return refuse(Code::malformed, "a proof names a root that is not there");
    const auto& checked = roots[proof.root];
    if (checked.key && checked.key->server != server)
        return refuse(Code::signature_invalid, "a proof leads to another server's root");
    if (!checked.root) return Result<const CheckedRoot*>{tl::unexpect, checked.problem};
    return &checked;
}

}  // namespace

Verifier::Verifier(const Identity& identity, Discovery& discovery, const protocol::Clock& clock)
    : identity_(identity), discovery_(discovery), clock_(clock)
{
}

KeyAllowance Verifier::key_allowance() const
{
    return {most_fetches, clock_.now_ms() + key_fetching_ms};
}

// What others fetch meanwhile counts too, which errs on the side of asking less.
asio::awaitable<Result<trust::PinnedKey>> Verifier::fetch_key(KeyRef ref, KeyAllowance& keys)
{
    if (keys.fetches == 0 || clock_.now_ms() >= keys.until)
        co_return fail(Code::key_unavailable, "no key to verify with, and none is fetched");
    const auto before = discovery_.figures().fetches;
    auto key = co_await discovery_.log_key(std::move(ref));
    keys.fetches -= std::min(keys.fetches, discovery_.figures().fetches - before);
    co_return key;
}

asio::awaitable<CheckedRoots> Verifier::check_roots(std::vector<std::string> roots, bool may_fetch)
{
    auto keys = may_fetch ? key_allowance() : KeyAllowance{};
    auto checked = co_await check_roots(std::move(roots), keys);
    co_return checked;
}

asio::awaitable<CheckedRoots> Verifier::check_roots(std::vector<std::string> roots,
                                                    KeyAllowance& keys)
{
    CheckedRoots checked;
    checked.reserve(roots.size());
    const auto executor = co_await asio::this_coro::executor;
    for (auto& text : roots) {
        auto root = co_await check_root(std::move(text), keys);
        checked.push_back(std::move(root));
        if (checked.size() % roots_a_turn == 0) co_await asio::post(executor, asio::use_awaitable);
    }
    co_return checked;
}

asio::awaitable<CheckedRoot> Verifier::check_root(std::string text, KeyAllowance& keys)
{
    CheckedRoot checked;
    auto root = protocol::parse_signed_root(text, identity_.names);
    if (!root) {
        checked.problem = root.error();
        co_return checked;
    }
    checked.text = std::make_shared<const std::string>(std::move(text));
    const auto ref = root->jws.key;
    checked.key = ref;

    if (ref.server == identity_.name) {
        const auto* key = find_own_key(identity_, ref.key);
        if (key == nullptr || !protocol::verifies(root->jws, *key)) {
            checked.problem = Error{
                Code::signature_invalid, "a root in this server's name is not its own", {}, 0};
            co_return checked;
        }
        for (const auto& old : identity_.old_keys) {
            if (old.key.thumbprint() == ref.key) checked.revoked_at = old.revoked_at;
        }
        checked.root = std::move(*root);
        co_return checked;
    }

    const auto* pinned = discovery_.ring().find_key(ref);
    if (pinned == nullptr) {
        auto fetched = co_await fetch_key(ref, keys);
        if (!fetched) checked.problem = fetched.error();
        pinned = discovery_.ring().find_key(ref);
    }
    checked.is_server_pinned = discovery_.ring().find(ref.server) != nullptr;
    if (pinned == nullptr) {
        checked.key_missing = true;
        checked.unproven = std::move(*root);
        co_return checked;
    }
    if (!protocol::verifies(root->jws, pinned->key)) {
        checked.problem =
            Error{Code::signature_invalid, "a root's signature does not verify", {}, 0};
        co_return checked;
    }
    checked.pinned = *pinned;
    checked.revoked_at = pinned->revoked_at;
    auto seal = discovery_.ring().seal_key(ref, root->at, clock_.now_ms());
    checked.may_seal = seal.has_value();
    if (!seal) checked.problem = seal.error();
    checked.root = std::move(*root);
    co_return checked;
}

VerifiedSubmission Verifier::check_submission(Read<Submission> read, const CheckedRoots& roots,
                                              const ServerName& origin,
                                              const CheckedConsents& consents) const
{
    VerifiedSubmission verified;
    verified.channel_text = read.channel_text;
    if (!read.value) {
        verified.problem = read.problem;
        verified.events.resize(read.items);
        return verified;
    }
    auto& submission = *read.value;
    verified.channel = submission.channel;
    verified.seal = submission.seal;

    std::vector<Hash> ids;
    for (auto& item : submission.events) {
        auto& event = verified.events.emplace_back();
        event.id = protocol::event_id(item.event);
        ids.push_back(*event.id);
        auto parsed = protocol::parse_channel_event(item.event, identity_.names);
        if (!parsed) {
            event.problem = parsed.error();
            continue;
        }
        auto content = protocol::check_content(*parsed, item.content);
        if (!content) {
            event.problem = content.error();
            continue;
        }
        if (parsed->channel != submission.channel) {
            event.problem = refuse(Code::malformed, "the event is for another channel").value();
            continue;
        }
        if (parsed->sender.server != origin) {
            event.problem =
                refuse(Code::forbidden, "the sender is of another server than the request").value();
            continue;
        }
        if (auto move = check_move(*parsed, item.content, consents); !move) {
            event.problem = move.error();
            event.depends_on_time = true;
            continue;
        }
        event.event = std::move(*parsed);
        event.content = std::move(item.content);
    }

    if (ids != submission.seal.events) {
        verified.problem =
            refuse(Code::signature_invalid, "the seal lists other events than the submission")
                .value();
        return verified;
    }
    auto root = root_of(submission.seal.proof, roots, origin);
    if (!root) {
        verified.problem = root.error();
        return verified;
    }
    if (!(*root)->may_seal) {
        verified.problem = (*root)->problem;
        return verified;
    }
    const auto leaf = protocol::seal_leaf(submission.channel, submission.seal.events);
    if (!protocol::proves(*(*root)->root, submission.seal.proof, leaf)) {
        verified.problem =
            refuse(Code::signature_invalid, "the seal's proof does not lead to its root").value();
        return verified;
    }
    verified.root = (*root)->root->jws.text;
    verified.root_at = (*root)->root->at;
    const auto now = clock_.now_ms();
    if (verified.root_at < now - max_seal_age_ms || verified.root_at > now + max_seal_ahead_ms)
        verified.problem =
            Error{Code::unavailable, "the seal's root is too old or too early", {}, 1};
    return verified;
}

VerifiedSlice Verifier::check_slice(Read<Slice> read, const CheckedRoots& roots,
                                    const ServerName& home, const CheckedConsents* consents) const
{
    VerifiedSlice verified;
    verified.home = home;
    verified.channel_text = read.channel_text;
    if (!read.value) {
        verified.problem = read.problem;
        return verified;
    }
    verified.slice = std::move(*read.value);
    auto checked = check_entries(verified);
    if (checked) checked = check_checkpoint(verified, roots, home);
    if (checked) checked = check_seals(verified, roots, home);
    if (!checked) {
        verified.problem = checked.error();
        return verified;
    }
    const auto keep = [&](const Proof& proof) {
        verified.roots.try_emplace(proof.root, roots[proof.root].text);
    };
    keep(verified.slice.checkpoint.proof);
    const auto& proven = roots[verified.slice.checkpoint.proof.root];
    auto newest = proven.root->at;
    if (!verified.slice.entries.empty())
        newest = std::max(newest, verified.slice.entries.back().at);
    verified.is_by_revoked_key = proven.revoked_at != 0 && newest >= proven.revoked_at;
    for (const auto& seal : verified.slice.seals) keep(seal.proof);
    if (consents != nullptr) take_consents(verified, *consents);
    return verified;
}

// [LOG-1] every `channel` is this one, contents match their hashes, the chain is whole.
Result<void> Verifier::check_entries(VerifiedSlice& verified) const
{
    const auto& slice = verified.slice;
    auto hash = slice.after.hash;
    auto seq = slice.after.seq;
    Millis at = 0;
    for (const auto& entry : slice.entries) {
        if (entry.at < at)
            return refuse(Code::malformed, "an entry is older than the one before it");
        at = entry.at;
        auto followed = protocol::parse_followed_event(entry.event, identity_.names);
        if (!followed) return fail(followed);
        if (followed->event.channel != slice.channel)
            return refuse(Code::malformed, "an entry's event is for another channel");
        if (entry.content) {
            if (entry.event.size() + entry.content->size() > protocol::max_event_and_content_octets)
                return refuse(Code::too_large, "an entry is over 65,536 octets");
            if (followed->event.content_hash != Hash{} &&
                protocol::content_hash(*entry.content) != followed->event.content_hash)
                return refuse(Code::malformed, "an entry's content does not match its hash");
            auto content = protocol::check_content(followed->event, *entry.content);
            if (!content && followed->breach.empty()) followed->breach = content.error().detail;
        }
        hash = protocol::entry_hash(slice.channel, slice.epoch, ++seq, entry.at, hash,
                                    followed->event.id);
        verified.hashes.push_back(hash);
        verified.events.push_back(std::move(*followed));
    }
    const auto& checkpoint = slice.checkpoint;
    if (checkpoint.epoch != slice.epoch || checkpoint.seq != seq || checkpoint.hash != hash)
        return refuse(Code::malformed, "the entries do not lead to the checkpoint");
    if (slice.latest < seq)
        return refuse(Code::malformed, "latest is below the slice's last entry");
    if (slice.floor > slice.after.seq)
        return refuse(Code::malformed, "a slice that begins below its receiver's floor");
    return {};
}

Result<void> Verifier::check_checkpoint(const VerifiedSlice& verified, const CheckedRoots& roots,
                                        const ServerName& home) const
{
    const auto& checkpoint = verified.slice.checkpoint;
    auto root = root_of(checkpoint.proof, roots, home);
    if (!root) return fail(root);
    const auto leaf = protocol::checkpoint_leaf(verified.slice.channel, checkpoint.epoch,
                                                checkpoint.seq, checkpoint.hash);
    if (!protocol::proves(*(*root)->root, checkpoint.proof, leaf))
        return refuse(Code::signature_invalid, "the checkpoint's proof does not lead to its root");
    return {};
}

// [LOG-1, EVT-1] every other server's user's event is in a seal by that server.
Result<void> Verifier::check_seals(VerifiedSlice& verified, const CheckedRoots& roots,
                                   const ServerName& home) const
{
    struct Found {
        const CheckedRoot* root;
        bool is_vouched;
    };
    std::unordered_map<std::string_view, std::vector<Found>> sealed;
    std::set<std::string> missing;
    std::set<ServerName> unverified;
    const ShownKeys shown(verified.slice.keys);
    for (const auto& seal : verified.slice.seals) {
        if (seal.proof.root >= roots.size())
            return refuse(Code::malformed, "a seal names a root that is not there");
        const auto& checked = roots[seal.proof.root];
        const bool vouched = checked.key_missing && is_vouched(checked, shown, home);
        if (checked.key_missing && checked.key && !vouched) {
            missing.insert(checked.key->str());
            unverified.insert(checked.key->server);
            continue;
        }
        const auto& root = vouched ? checked.unproven : checked.root;
        if (!root) return Result<void>{tl::unexpect, checked.problem};
        const auto leaf = protocol::seal_leaf(verified.slice.channel, seal.events);
        if (!protocol::proves(*root, seal.proof, leaf))
            return refuse(Code::signature_invalid, "a seal's proof does not lead to its root");
        for (const auto& id : seal.events)
            sealed[protocol::as_view(id)].push_back({&checked, vouched});
    }
    const auto& home_root = roots[verified.slice.checkpoint.proof.root];
    for (std::size_t i = 0; i < verified.events.size(); ++i) {
        const auto& event = verified.events[i].event;
        const auto at = verified.slice.entries[i].at;
        const auto& author = event.sender.server;
        if (author == home) {
            verified.facts.push_back(facts_of(home_root, false, at));
            verified.facts.back().marks &= key_marks;
            verified.facts.back().sealed_at = 0;
            continue;
        }
        const auto found = sealed.find(protocol::as_view(event.id));
        const auto* seal = static_cast<const Found*>(nullptr);
        if (found != sealed.end()) {
            const auto by_author = std::ranges::find_if(
                found->second, [&](const Found& one) { return one.root->key->server == author; });
            if (by_author != found->second.end()) seal = &*by_author;
        }
        if (seal != nullptr) {
            verified.facts.push_back(facts_of(*seal->root, seal->is_vouched, at));
            if (seal->is_vouched) verified.facts.back().vouched_x = shown.x_of(*seal->root->key);
            const auto& key = seal->root->pinned;
            if (key && key->revoked_at != 0 && key->revoked_at < at)
                verified.late.push_back({i, *seal->root->key});
            continue;
        }
        verified.facts.emplace_back();
        if (unverified.contains(author)) continue;
        return refuse(Code::signature_invalid,
                      "an entry of another server's user is in no seal of that server");
    }
    verified.missing.assign(missing.begin(), missing.end());
    return {};
}

bool Verifier::is_vouched(const CheckedRoot& root, const ShownKeys& shown,
                          const ServerName& home) const
{
    if (!root.unproven || !root.key || root.key->server == home) return false;
    const auto& ref = *root.key;
    if (ref.server == identity_.name || root.is_unheard || !shown.has(ref)) return false;
    // Whoever shows it, by its thumbprint it is the same key.
    if (!root.is_by_shown_key) root.is_by_shown_key = shown.verify(root.unproven->jws);
    return *root.is_by_shown_key;
}

SealFacts Verifier::facts_of(const CheckedRoot& root, bool vouched, Millis entry_at) const
{
    SealFacts facts;
    const auto& signed_root = vouched ? root.unproven : root.root;
    facts.sealed_at = signed_root->at;
    const auto apart =
        entry_at > signed_root->at ? entry_at - signed_root->at : signed_root->at - entry_at;
    if (apart > seal_apart_ms) facts.marks |= protocol::bit(protocol::Mark::late);
    if (vouched) {
        facts.marks |= protocol::bit(protocol::Mark::unverified);
        facts.vouched_kid = root.key->str();
        return facts;
    }
    const auto& pinned = root.pinned;
    if (!pinned) return facts;
    using trust::KeyStatus;
    const bool is_revoked =
        pinned->status == KeyStatus::revoked || pinned->status == KeyStatus::lost;
    if (is_revoked && pinned->revoked_at <= entry_at)
        facts.marks |= protocol::bit(protocol::Mark::key_revoked);
    if (pinned->status == KeyStatus::retired && pinned->until > 0 &&
        entry_at > pinned->until + trust::key_overlap_ms)
        facts.marks |= protocol::bit(protocol::Mark::key_retired);
    return facts;
}

Result<protocol::ChannelState> Verifier::check_snapshot(const protocol::Snapshot& snapshot,
                                                        const CheckedRoots& roots,
                                                        const ServerName& home) const
{
    auto root = root_of(snapshot.proof, roots, home);
    if (!root) return fail(root);
    const auto leaf =
        protocol::snapshot_leaf(snapshot.channel, snapshot.epoch, snapshot.seq, snapshot.hash,
                                snapshot.at, protocol::state_hash(snapshot.state));
    if (!protocol::proves(*(*root)->root, snapshot.proof, leaf))
        return refuse(Code::signature_invalid, "the snapshot's proof does not lead to its root");
    return protocol::parse_state(snapshot.state, identity_.names);
}

}  // namespace entente::federation
