#include "conformance/host/home_channel.hpp"

#include <algorithm>
#include <utility>

#include "conformance/wire/octets.hpp"

namespace entente::conformance {

HomeChannel::HomeChannel(std::string server, const std::string& owner, std::int64_t at)
    : server_(std::move(server)), owner_(owner), id_(time_uuid(at) + "@" + server_)
{
    const nlohmann::json content = {
        {"kind", "group"}, {"name", "Conformance"}, {"public", true}, {"history", "all"}};
    append(make_event({{"type", "channel.create"}, {"channel", id_}, {"sender", owner}},
                      salted(content), at),
           at);
    members_[owner] = "owner";
}

std::string HomeChannel::hash_at(std::uint64_t seq) const
{
    return seq == 0 ? std::string() : entry(seq).hash;
}

std::uint64_t HomeChannel::append(const Event& event, std::int64_t at, nlohmann::json seal,
                                  std::string seal_root)
{
    // The home's time never decreases within a log.
    if (!entries_.empty()) at = std::max(at, entries_.back().at);
    LogEntry entry{at, event, std::move(seal), std::move(seal_root), {}};
    entry.hash = entry_hash(id_, 1, latest() + 1, at, hash_at(latest()), event.id());
    entries_.push_back(std::move(entry));
    return latest();
}

Event HomeChannel::message(const std::string& sender, const std::string& text,
                           std::int64_t at) const
{
    return make_event({{"type", "message.create"}, {"channel", id_}, {"sender", sender}},
                      salted({{"text", text}}), at);
}

Event HomeChannel::say(const std::string& text, std::int64_t at)
{
    auto event = message(owner_, text, at);
    append(event, at);
    return event;
}

std::uint64_t HomeChannel::find(const std::string& event_id) const
{
    for (std::uint64_t seq = 1; seq <= latest(); ++seq)
        if (entry(seq).event.id() == event_id) return seq;
    return 0;
}

std::string HomeChannel::state() const
{
    auto members = nlohmann::json::array();
    for (const auto& [user, role] : members_) members.push_back({user, role});
    // Names stand in the order of their octets, as RFC 8785 wants it of such names.
    const nlohmann::json state = {{"kind", "group"},
                                  {"name", "Conformance"},
                                  {"topic", ""},
                                  {"avatar", ""},
                                  {"public", true},
                                  {"history", "all"},
                                  {"retention", "keep"},
                                  {"encryption", "none"},
                                  {"successors", nlohmann::json::array()},
                                  {"home", server_},
                                  {"members", std::move(members)},
                                  {"invited", nlohmann::json::array()},
                                  {"banned", nlohmann::json::array()}};
    return state.dump();
}

void HomeChannel::add_member(const std::string& user, const std::string& role)
{
    members_[user] = role;
}

HomeChannel::Slice HomeChannel::slice(std::uint64_t after, std::uint64_t last) const
{
    Slice slice;
    auto entries = nlohmann::json::array();
    auto seals = nlohmann::json::array();
    for (auto seq = after + 1; seq <= last; ++seq) {
        const auto& held = entry(seq);
        entries.push_back(
            {{"at", held.at}, {"event", held.event.octets}, {"content", held.event.content}});
        if (held.seal.is_null()) continue;
        // One seal may stand for several entries; it is shown once.
        if (std::find(seals.begin(), seals.end(), held.seal) != seals.end()) continue;
        const auto known =
            std::find(slice.seal_roots.begin(), slice.seal_roots.end(), held.seal_root);
        const auto place = static_cast<std::size_t>(known - slice.seal_roots.begin());
        if (known == slice.seal_roots.end()) slice.seal_roots.push_back(held.seal_root);
        auto seal = held.seal;
        seal["proof"]["root"] = place + 1;
        seals.push_back(std::move(seal));
    }
    slice.body = {{"channel", id_},
                  {"epoch", 1},
                  {"after", {{"seq", after}, {"hash", hash_at(after)}}},
                  {"entries", std::move(entries)},
                  {"checkpoint", {{"epoch", 1}, {"seq", last}, {"hash", hash_at(last)}}},
                  {"latest", latest()}};
    if (!seals.empty()) slice.body["seals"] = std::move(seals);
    slice.leaf = checkpoint_leaf(id_, 1, last, hash_at(last));
    return slice;
}

nlohmann::json HomeChannel::transaction(const Slice& slice, const SigningKey& key,
                                        std::int64_t at) const
{
    auto roots = nlohmann::json::array({signed_root(server_, key, {slice.leaf}, at)});
    for (const auto& root : slice.seal_roots) roots.push_back(root);
    auto body = slice.body;
    body["checkpoint"]["proof"] = proof_of({slice.leaf}, 0);
    return {{"roots", std::move(roots)}, {"logs", {std::move(body)}}};
}

nlohmann::json HomeChannel::snapshot(const SigningKey& key, std::int64_t at) const
{
    const auto text = state();
    const auto leaf = snapshot_leaf(id_, 1, latest(), hash_at(latest()), at, text);
    return {{"roots", {signed_root(server_, key, {leaf}, at)}},
            {"snapshot",
             {{"channel", id_},
              {"epoch", 1},
              {"seq", latest()},
              {"hash", hash_at(latest())},
              {"at", at},
              {"state", text},
              {"proof", proof_of({leaf}, 0)}}}};
}

}  // namespace entente::conformance
