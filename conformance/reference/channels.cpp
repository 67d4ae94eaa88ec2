#include "conformance/reference/channels.hpp"

#include <algorithm>

#include "conformance/reference/json_rules.hpp"
#include "conformance/reference/names.hpp"
#include "conformance/wire/events.hpp"
#include "conformance/wire/octets.hpp"

namespace entente::conformance::reference {

namespace {

nlohmann::json record_of(const std::string& channel, const Entry& entry)
{
    return {{"is", "entry"},
            {"channel", channel},
            {"at", entry.at},
            {"event", entry.event.octets},
            {"content", entry.event.content},
            {"has_content", entry.has_content},
            {"expired", entry.is_expired},
            {"deleted_by", entry.deleted_by},
            {"marked", entry.is_marked},
            {"vouched", entry.is_vouched},
            {"seal", entry.seal},
            {"root", entry.seal_root}};
}

// What stands in the journal was judged when it came.
ReadEvent event_as_held(const std::string& octets, const std::string& content, const Flags& flags)
{
    ReadEvent event;
    try {
        event = read_event(octets, EventPlace::log, flags);
    } catch (const Refused&) {
        event = read_author(octets, flags);
    }
    event.content = content;
    event.body = nlohmann::json::parse(content, nullptr, false);
    if (!event.body.is_object()) event.body = nullptr;
    return event;
}

}  // namespace

Channels::Channels(const Identity& identity, const Flags& flags, const PeerClock& clock,
                   Journal& journal)
    : identity_(identity), flags_(flags), clock_(clock), journal_(journal)
{
}

void Channels::replay(const nlohmann::json& record)
{
    const auto channel = record.at("channel").get<std::string>();
    const auto& kind = record.at("is");
    if (kind == "entry") {
        if (flags_.has<"log-forgotten-at-restart">() && find(channel) != nullptr &&
            find(channel)->latest() >= 2)
            return;
        Entry entry;
        entry.at = record.at("at").get<std::int64_t>();
        entry.event = event_as_held(record.at("event"), record.at("content"), flags_);
        entry.has_content = record.at("has_content").get<bool>();
        entry.is_expired = record.at("expired").get<bool>();
        entry.deleted_by = record.at("deleted_by").get<std::uint64_t>();
        entry.is_marked = record.at("marked").get<bool>();
        entry.is_vouched = record.at("vouched").get<bool>();
        entry.seal = record.at("seal");
        entry.seal_root = record.at("root").get<std::string>();
        append_known(logs_.try_emplace(channel, channel, flags_).first->second, entry);
    } else if (kind == "joining") {
        joining_[channel].insert(record.at("user").get<std::string>());
    } else if (kind == "joined") {
        joining_.erase(channel);
    } else if (kind == "followed") {
        const auto floor = record.at("floor").get<std::uint64_t>();
        if (floor == 0) {
            logs_.try_emplace(channel, channel, flags_);
        } else {
            logs_.erase(channel);
            logs_.try_emplace(channel, channel, floor, record.at("hash").get<std::string>(),
                              ChannelState::read(record.at("state").get<std::string>()), flags_);
        }
        logs_.at(channel).joined_at = record.at("joined_at").get<std::uint64_t>();
    } else if (kind == "frozen") {
        logs_.at(channel).is_frozen = true;
    } else if (kind == "held") {
        followers_[channel][record.at("server")].have = record.at("have").get<std::uint64_t>();
    }
}

ChannelLog* Channels::find(const std::string& channel)
{
    const auto found = logs_.find(channel);
    return found == logs_.end() ? nullptr : &found->second;
}

bool Channels::is_home_of(const ChannelLog& log) const
{
    return log.home() == identity_.name() || flags_.has<"any-home">();
}

ChannelLog* Channels::find_for(const std::string& channel, const std::string& server)
{
    auto* log = find(channel);
    if (log == nullptr) return nullptr;
    const bool may_know = log->state().may_be_known_to(server) || log->home() == server ||
                          flags_.has<"channels-known-to-all">();
    return may_know ? log : nullptr;
}

std::string Channels::create(const std::string& user, const nlohmann::json& content)
{
    const auto id = time_uuid(clock_.now()) + "@" + identity_.name();
    auto& log = logs_.try_emplace(id, id, flags_).first->second;
    const auto made = make_event({{"type", "channel.create"}, {"channel", id}, {"sender", user}},
                                 salted(content), clock_.now());
    take(log, read_item(made.item(), EventPlace::log, flags_), nullptr, {});
    return id;
}

std::uint64_t Channels::take(ChannelLog& log, const ReadEvent& event, const nlohmann::json& seal,
                             const std::string& seal_root)
{
    if (log.is_frozen) throw Deferred{};
    const auto server = server_of(event.sender);
    const auto holder = log.find_txn(server, event.txn);
    if (!holder.empty() && holder != event.id && !flags_.has<"equivocation-allowed">())
        throw Refused{"equivocation", "another event has its txn"};
    check_allowed(log.state(), event, log.facts_of(event.target), log.latest() == 0, flags_);
    Entry entry;
    entry.at = clock_.now();
    // The home's time never decreases within a log.
    if (log.latest() > log.floor()) entry.at = std::max(entry.at, log.entry(log.latest()).at);
    entry.event = event;
    entry.seal = seal;
    entry.seal_root = seal_root;
    append(log, entry);
    return log.latest();
}

void Channels::append(ChannelLog& log, const Entry& entry)
{
    journal_.append(record_of(log.id(), entry));
    append_known(log, entry);
}

void Channels::append_known(ChannelLog& log, const Entry& entry)
{
    const auto user = entry.event.body.is_object() && entry.event.body.contains("user") &&
                              entry.event.body["user"].is_string()
                          ? entry.event.body["user"].get<std::string>()
                          : entry.event.sender;
    const bool had_member = log.state().has_member_of(server_of(user));
    log.append(entry);
    if (log.home() == identity_.name() && !entry.is_marked) note_followers(log, entry, had_member);
}

// The first member of a server makes it a follower, and the last one's going ends that [MEM-3].
void Channels::note_followers(const ChannelLog& log, const Entry& entry, bool had_member)
{
    const auto& body = entry.event.body;
    const auto& type = entry.event.type;
    const auto seq = log.latest();
    if (type == "member.join") {
        const auto server = server_of(entry.event.sender);
        if (server == identity_.name() || had_member) return;
        const auto floor = log.state().history == "all" ? 0 : seq;
        followers_[log.id()][server] = {floor, floor, 0, false};
        return;
    }
    const bool removes = type == "member.kick" || type == "member.ban";
    if (!removes && type != "member.leave") return;
    const auto server = server_of(removes ? body.value("user", std::string()) : entry.event.sender);
    const auto found = followers_[log.id()].find(server);
    if (found != followers_[log.id()].end() && had_member && !log.state().has_member_of(server))
        found->second.ends_at = seq;
}

void Channels::note_joining(const std::string& channel, const std::string& user)
{
    const nlohmann::json record = {{"is", "joining"}, {"channel", channel}, {"user", user}};
    journal_.append(record);
    replay(record);
}

bool Channels::is_joining(const std::string& channel) const
{
    return joining_.contains(channel);
}

void Channels::follow(const std::string& channel, std::uint64_t joined_at, std::uint64_t floor,
                      const nlohmann::json& snapshot)
{
    auto* log = find(channel);
    // What is held already goes on where the new part begins.
    if (log != nullptr && log->latest() >= floor) {
        log->joined_at = joined_at;
        return;
    }
    nlohmann::json record = {
        {"is", "followed"}, {"channel", channel}, {"joined_at", joined_at}, {"floor", floor}};
    if (floor > 0) {
        record["hash"] = text_of(snapshot, "hash");
        record["state"] = text_of(snapshot, "state");
    }
    journal_.append(record);
    replay(record);
}

void Channels::end_joining(const std::string& channel)
{
    const nlohmann::json record = {{"is", "joined"}, {"channel", channel}};
    journal_.append(record);
    replay(record);
}

void Channels::freeze(ChannelLog& log)
{
    if (flags_.has<"fork-not-frozen">()) return;
    journal_.append({{"is", "frozen"}, {"channel", log.id()}});
    log.is_frozen = true;
}

bool Channels::follows(const ChannelLog& log) const
{
    return log.state().has_member_of(identity_.name()) || log.latest() < log.joined_at ||
           is_joining(log.id());
}

std::map<std::string, FollowerCursor>& Channels::followers_of(const std::string& channel)
{
    return followers_[channel];
}

void Channels::note_held(const std::string& channel, const std::string& server, std::uint64_t have)
{
    auto& cursor = followers_[channel][server];
    if (cursor.have == have) return;
    cursor.have = have;
    journal_.append({{"is", "held"}, {"channel", channel}, {"server", server}, {"have", have}});
}

std::vector<std::string> Channels::homed() const
{
    std::vector<std::string> ids;
    for (const auto& [id, log] : logs_)
        if (log.home() == identity_.name()) ids.push_back(id);
    return ids;
}

std::size_t Channels::entries() const
{
    std::size_t count = 0;
    for (const auto& [id, log] : logs_) count += log.latest() - log.floor();
    return count;
}

}  // namespace entente::conformance::reference
