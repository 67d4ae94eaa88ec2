#include "conformance/reference/follower.hpp"

#include <algorithm>

#include "conformance/reference/discovery.hpp"
#include "conformance/reference/json_rules.hpp"
#include "conformance/reference/jws.hpp"
#include "conformance/reference/names.hpp"
#include "conformance/wire/events.hpp"

namespace entente::conformance::reference {

namespace {

// [LOG-6]
constexpr std::size_t max_shown_keys = 64;

std::uint64_t position_of(const nlohmann::json& object, const char* name)
{
    const auto value = number_of(object, name);
    if (value < 0) throw Refused{"malformed", "a negative position"};
    return static_cast<std::uint64_t>(value);
}

void check_known_members(const nlohmann::json& slice)
{
    for (const auto& [name, value] : slice.items())
        if (name.starts_with("x-")) throw Refused{"malformed", "a member that isn't known"};
}

}  // namespace

nlohmann::json refused_slice(const nlohmann::json& slice, const Refused& refused)
{
    nlohmann::json result = {
        {"channel", nullptr}, {"status", "refused"}, {"problem", problem_of(refused)}};
    if (slice.is_object() && slice.contains("channel")) result["channel"] = slice["channel"];
    return result;
}

Follower::Follower(Channels& channels, Discovery& discovery, const Flags& flags)
    : channels_(channels), discovery_(discovery), flags_(flags)
{
}

nlohmann::json Follower::result(const ChannelLog& log, const char* status) const
{
    nlohmann::json result = {{"channel", log.id()},
                             {"status", status},
                             {"epoch", log.epoch()},
                             {"have", log.latest()},
                             {"hash", log.hash_at(log.latest())}};
    if (flags_.has<"slice-result-without-hash">()) result["hash"] = "";
    return result;
}

nlohmann::json Follower::take(const nlohmann::json& slice, const std::string& origin,
                              const Roots& roots)
{
    try {
        const auto channel = text_of(slice, "channel");
        if (!is_channel_id(channel, flags_)) throw Refused{"malformed", "a channel that is none"};
        auto* log = channels_.find(channel);
        if (log == nullptr || !channels_.follows(*log)) {
            const bool waits = log == nullptr && channels_.is_joining(channel);
            const auto* status = waits ? "need-snapshot" : "not-following";
            if (flags_.has<"follows-anything">()) status = "ok";
            if (log != nullptr) return result(*log, status);
            return {
                {"channel", channel}, {"status", status}, {"epoch", 1}, {"have", 0}, {"hash", ""}};
        }
        return take_from(*log, slice, origin, roots);
    } catch (const Refused& refused) {
        return refused_slice(slice, refused);
    }
}

nlohmann::json Follower::take_from(ChannelLog& log, const nlohmann::json& slice,
                                   const std::string& origin, const Roots& roots)
{
    check_origin(log, origin);
    if (log.is_frozen) return result(log, "fork");
    // Of one of an earlier epoch nothing is wanted, and no move leads to a later one yet.
    if (number_of(slice, "epoch") != static_cast<std::int64_t>(log.epoch()) &&
        !flags_.has<"slice-from-anyone">())
        return result(log, "gap");
    auto read_slice = read(log, slice);
    check_checkpoint(log, read_slice, roots);
    if (read_slice.after > log.latest() && !flags_.has<"no-gap-check">()) return result(log, "gap");
    if (is_fork(log, read_slice)) {
        channels_.freeze(log);
        return result(log, "fork");
    }
    if (read_slice.latest < log.latest() && !flags_.has<"never-ahead">()) {
        if (read_slice.latest < log.floor()) return result(log, "gap");
        auto ahead = result(log, "ahead");
        ahead["agrees"] = {{"seq", read_slice.latest}, {"hash", log.hash_at(read_slice.latest)}};
        return ahead;
    }
    if (read_slice.after < log.latest() && flags_.has<"overlap-refused">())
        throw Refused{"malformed", "entries that are held already"};
    const auto missing = check_seals(log, read_slice, read_seals(log.id(), slice, roots));
    if (!missing.empty()) {
        auto lacking = result(log, "need-keys");
        if (!flags_.has<"need-keys-without-kids">()) lacking["kids"] = missing;
        return lacking;
    }
    const auto held = log.latest();
    for (auto seq = read_slice.after + 1; seq <= read_slice.last; ++seq) {
        if (seq > held) append(log, std::move(read_slice.entries[seq - read_slice.after - 1]));
        if (seq <= held && flags_.has<"overlap-twice">()) log.shown_twice.insert(seq);
    }
    log.checkpoint_root = roots.find(member_of(read_slice.checkpoint, "proof")).text;
    log.checkpoint = std::move(read_slice.checkpoint);
    log.checkpoint["proof"]["root"] = 0;
    return result(log, "ok");
}

// [LOG-3, SUC-6] The home, or whoever follows the channel and brings what the home has signed.
void Follower::check_origin(const ChannelLog& log, const std::string& origin) const
{
    if (flags_.has<"slice-from-anyone">() || origin == log.home()) return;
    if (log.state().has_member_of(origin) && !flags_.has<"slice-from-home-only">()) return;
    throw Refused{"not-home", "it isn't the channel's home"};
}

Follower::ReadSlice Follower::read(const ChannelLog& log, const nlohmann::json& slice) const
{
    if (flags_.has<"slice-strict-members">()) check_known_members(slice);
    ReadSlice read;
    read.channel = log.id();
    // Of a mutant: whatever it says.
    read.epoch = flags_.has<"slice-from-anyone">() ? 1 : log.epoch();
    const auto& after = member_of(slice, "after");
    read.after = position_of(after, "seq");
    read.after_hash = text_of(after, "hash");
    read.latest = position_of(slice, "latest");
    read.checkpoint = member_of(slice, "checkpoint");
    auto hash = read.after_hash;
    auto seq = read.after;
    std::int64_t before = 0;
    for (const auto& written : array_of(slice, "entries")) {
        auto entry = read_entry(log, written);
        if (entry.at < before && !flags_.has<"slice-any-time">())
            throw Refused{"malformed", "the home's time decreases"};
        before = entry.at;
        hash = entry_hash(log.id(), read.epoch, ++seq, entry.at, hash, entry.event.id);
        read.entries.push_back(std::move(entry));
    }
    if (read.entries.empty() && flags_.has<"heartbeat-refused">())
        throw Refused{"malformed", "no entries"};
    read.last = seq;
    if (slice.contains("floor") && position_of(slice, "floor") > read.after &&
        !flags_.has<"slice-any-floor">())
        throw Refused{"malformed", "the floor is beyond what it follows"};
    if (array_if_any(slice, "keys").size() > max_shown_keys &&
        !flags_.has<"shown-keys-unbounded">())
        throw Refused{"too-large", "more keys than a slice may show"};
    if (read.latest < seq && !flags_.has<"slice-any-latest">())
        throw Refused{"malformed", "latest is below the last entry"};
    const auto epoch = number_of(read.checkpoint, "epoch");
    if (epoch != number_of(slice, "epoch") && !flags_.has<"checkpoint-any-epoch">())
        throw Refused{"malformed", "a checkpoint of another epoch"};
    const bool leads =
        position_of(read.checkpoint, "seq") == seq && text_of(read.checkpoint, "hash") == hash;
    if (!leads && !flags_.has<"no-chain-check">())
        throw Refused{"malformed", "the entries don't lead to the checkpoint"};
    return read;
}

// Broken rules of form mark an entry; what isn't proven, or of nobody, is refused.
Entry Follower::read_entry(const ChannelLog& log, const nlohmann::json& written) const
{
    Entry entry;
    entry.at = number_of(written, "at");
    const auto octets = text_of(written, "event");
    const auto author = read_author(octets, flags_);
    if (author.channel != log.id() && !flags_.has<"slice-any-channel">())
        throw Refused{"malformed", "an event of another channel"};
    entry.has_content = written.contains("content");
    entry.is_expired = written.contains("expired");
    const bool is_deleted = written.contains("deleted_by");
    if (is_deleted) entry.deleted_by = position_of(written, "deleted_by");
    if (entry.has_content + entry.is_expired + is_deleted > 1 &&
        !flags_.has<"slice-content-and-deletion">())
        throw Refused{"malformed", "more than one of content, deleted_by and expired"};
    if (is_deleted && entry.deleted_by == 0 && !flags_.has<"slice-deleted-by-unchecked">())
        throw Refused{"malformed", "deleted by nothing"};
    if (!entry.has_content && flags_.has<"slice-content-required">())
        throw Refused{"malformed", "an entry without content"};
    const auto content = entry.has_content ? text_of(written, "content") : std::string();
    if (entry.has_content && content_hash(content) != author.content_hash &&
        !flags_.has<"slice-any-content">() && !flags_.has<"slice-any-event">())
        throw Refused{"malformed", "a content of another hash"};
    try {
        entry.event = read_event(octets, EventPlace::log, flags_);
        if (entry.has_content) read_content(entry.event, content, flags_);
        const auto& type = entry.event.type;
        if (flags_.has<"slice-known-types-only">() && !type.starts_with("m") &&
            !type.starts_with("c"))
            throw Refused{"malformed", "a type that isn't known"};
    } catch (const Refused&) {
        if (flags_.has<"slice-form-refused">() || flags_.has<"slice-known-types-only">()) throw;
        entry.event = author;
        entry.event.content = content;
        entry.event.body = nlohmann::json::parse(content, nullptr, false);
        if (!entry.event.body.is_object()) entry.event.body = nullptr;
        entry.is_marked = !flags_.has<"slice-form-ignored">();
        entry.is_vouched = flags_.has<"slice-any-event">();
    }
    return entry;
}

void Follower::check_checkpoint(const ChannelLog& log, const ReadSlice& slice,
                                const Roots& roots) const
{
    const auto seq = position_of(slice.checkpoint, "seq");
    const auto epoch = static_cast<std::uint64_t>(number_of(slice.checkpoint, "epoch"));
    const auto leaf = checkpoint_leaf(log.id(), epoch, seq, text_of(slice.checkpoint, "hash"));
    const auto& proof = member_of(slice.checkpoint, "proof");
    const auto& root = roots.find(proof);
    if (root.vouched && !flags_.has<"vouches-checkpoint">())
        throw Refused{"signature-invalid", "a checkpoint under a key that only the slice shows"};
    const bool any_server =
        flags_.has<"checkpoint-any-server">() || flags_.has<"slice-from-anyone">();
    const auto home = any_server ? root.server : log.home();
    static_cast<void>(roots.prove(leaf, proof, home));
}

// [LOG-4] What both have is compared by hash.
bool Follower::is_fork(const ChannelLog& log, const ReadSlice& slice) const
{
    if (flags_.has<"no-fork-check">()) return false;
    if (slice.after <= log.latest() && slice.after >= log.floor() &&
        log.hash_at(slice.after) != slice.after_hash)
        return true;
    auto hash = slice.after_hash;
    for (auto seq = slice.after + 1; seq <= std::min(slice.last, log.latest()); ++seq) {
        const auto& entry = slice.entries[seq - slice.after - 1];
        hash = entry_hash(log.id(), slice.epoch, seq, entry.at, hash, entry.event.id);
        if (seq > log.floor() && log.hash_at(seq) != hash) return true;
    }
    return false;
}

Follower::Seals Follower::read_seals(const std::string& channel, const nlohmann::json& slice,
                                     const Roots& roots) const
{
    Seals seals;
    for (const auto& seal : array_if_any(slice, "seals")) {
        std::vector<std::string> ids;
        for (const auto& id : array_of(seal, "events"))
            if (id.is_string()) ids.push_back(id.get<std::string>());
        const auto& proof = member_of(seal, "proof");
        const auto& root = roots.find(proof);
        if (root.state == ReadRoot::State::right)
            static_cast<void>(roots.prove(seal_leaf(channel, ids), proof, root.server));
        for (const auto& id : ids) seals.of_event[id].emplace_back(seal, &root);
    }
    return seals;
}

std::set<std::string> Follower::check_seals(const ChannelLog& log, ReadSlice& slice,
                                            const Seals& seals) const
{
    std::set<std::string> missing;
    for (auto& entry : slice.entries) {
        const auto server = server_of(entry.event.sender);
        if (server == log.home() || flags_.has<"slice-no-seals">() ||
            flags_.has<"slice-from-anyone">())
            continue;
        const auto found = seals.of_event.find(entry.event.id);
        bool is_sealed = false;
        bool lacks_key = false;
        if (found != seals.of_event.end())
            for (const auto& [seal, root] : found->second) {
                if (root->server != server && !flags_.has<"seal-any-server">()) continue;
                if (root->state == ReadRoot::State::unknown_key) {
                    missing.insert(root->server + "#" + root->key_id);
                    lacks_key = true;
                }
                if (root->state != ReadRoot::State::right) continue;
                is_sealed = true;
                entry.seal = seal;
                entry.seal_root = root->text;
                entry.is_vouched = root->vouched;
            }
        if (!is_sealed && !lacks_key && !flags_.has<"slice-any-event">())
            throw Refused{"signature-invalid", "an entry that its author's server hasn't sealed"};
    }
    return missing;
}

void Follower::append(ChannelLog& log, Entry entry)
{
    const auto& event = entry.event;
    if (!entry.is_marked && !flags_.has<"fold-trusts-home">()) {
        try {
            check_allowed(log.state(), event, log.facts_of(event.target), log.latest() == 0,
                          flags_);
            const auto holder = log.find_txn(server_of(event.sender), event.txn);
            if (!holder.empty() && holder != event.id && !flags_.has<"slice-form-ignored">())
                throw Refused{"equivocation"};
            if (event.type == "channel.move") check_consent(log, event);
        } catch (const Refused&) {
            entry.is_marked = true;
        }
    }
    // Like the status of a key it is a mark for people: the fold is the same everywhere [KEY-7].
    const bool is_shown = entry.is_vouched && !entry.is_marked;
    entry.is_vouched = is_shown;
    if (is_shown && flags_.has<"vouched-without-effect">()) entry.is_marked = true;
    channels_.append(log, entry);
}

void Follower::check_consent(const ChannelLog& log, const ReadEvent& move) const
{
    const auto home = text_of(move.body, "home");
    if (!log.state().has_member_of(home)) throw Refused{"forbidden", "a home without a member"};
    if (flags_.has<"consent-unchecked">()) return;
    const auto consent = read_jws(text_of(move.body, "consent"), flags_);
    const bool fits =
        consent.typ == "entente-home" && consent.server == home &&
        text_of(consent.payload, "home") == home &&
        text_of(consent.payload, "channel") == log.id() &&
        number_of(consent.payload, "epoch") == static_cast<std::int64_t>(log.epoch()) + 1;
    const auto key = discovery_.log_key(home, consent.key_id);
    if (!fits || !key || !consent.is_signed_by(*key))
        throw Refused{"signature-invalid", "the next home hasn't consented"};
}

}  // namespace entente::conformance::reference
