#include "conformance/wire/events.hpp"

#include <bit>
#include <span>

#include <nlohmann/json.hpp>

#include "conformance/wire/octets.hpp"

namespace entente::conformance {

namespace {

std::string leaf_hash(std::string_view leaf)
{
    return sha256(std::string(1, '\0') + std::string(leaf));
}

std::string node_hash(std::string_view left, std::string_view right)
{
    return sha256(std::string(1, '\1') + std::string(left) + std::string(right));
}

std::size_t split_of(std::size_t size)
{
    return std::bit_floor(size - 1);
}

std::string hash_of(std::span<const std::string> leaves)
{
    if (leaves.empty()) return sha256("");
    if (leaves.size() == 1) return leaf_hash(leaves[0]);
    const auto split = split_of(leaves.size());
    return node_hash(hash_of(leaves.first(split)), hash_of(leaves.subspan(split)));
}

void path_of(std::span<const std::string> leaves, std::size_t index, std::vector<std::string>& path)
{
    if (leaves.size() <= 1) return;
    const auto split = split_of(leaves.size());
    if (index < split) {
        path_of(leaves.first(split), index, path);
        path.push_back(hash_of(leaves.subspan(split)));
    } else {
        path_of(leaves.subspan(split), index - split, path);
        path.push_back(hash_of(leaves.first(split)));
    }
}

std::string lines(std::initializer_list<std::string_view> parts)
{
    std::string text;
    for (const auto part : parts) text.append(part).append("\n");
    return text;
}

}  // namespace

std::string event_id(std::string_view octets)
{
    return base64url(sha256("entente-event-v1\n" + std::string(octets)));
}

std::string content_hash(std::string_view octets)
{
    return base64url(sha256("entente-content-v1\n" + std::string(octets)));
}

std::string Event::id() const
{
    return event_id(octets);
}

nlohmann::json Event::item() const
{
    return {{"event", octets}, {"content", content}};
}

std::string salted(nlohmann::json content)
{
    content["salt"] = base64url(random_octets(16));
    return content.dump();
}

Event make_event(nlohmann::json members, std::string content, std::int64_t at)
{
    if (!members.contains("v")) members["v"] = 1;
    if (!members.contains("txn")) members["txn"] = time_uuid(at);
    if (!members.contains("at")) members["at"] = at;
    if (!members.contains("content")) members["content"] = content_hash(content);
    return {members.dump(), std::move(content)};
}

std::string tree_hash(const std::vector<std::string>& leaves)
{
    return hash_of(leaves);
}

std::vector<std::string> audit_path(const std::vector<std::string>& leaves, std::size_t index)
{
    std::vector<std::string> path;
    path_of(leaves, index, path);
    return path;
}

std::string root_from_path(std::string_view leaf, std::uint64_t index, std::uint64_t size,
                           const std::vector<std::string>& path)
{
    if (index >= size) return {};
    auto place = index;
    auto last = size - 1;
    auto hash = leaf_hash(leaf);
    for (const auto& step : path) {
        if (last == 0) return {};
        if (place % 2 == 1 || place == last) {
            hash = node_hash(step, hash);
            while (place % 2 == 0 && place != 0) {
                place /= 2;
                last /= 2;
            }
        } else {
            hash = node_hash(hash, step);
        }
        place /= 2;
        last /= 2;
    }
    return last == 0 ? hash : std::string();
}

nlohmann::json proof_of(const std::vector<std::string>& leaves, std::size_t index, std::size_t root)
{
    auto path = nlohmann::json::array();
    for (const auto& step : audit_path(leaves, index)) path.push_back(base64url(step));
    return {{"root", root}, {"index", index}, {"path", std::move(path)}};
}

std::string signed_root(std::string_view server, const SigningKey& key,
                        const std::vector<std::string>& leaves, std::int64_t at)
{
    const nlohmann::json payload = {
        {"root", base64url(tree_hash(leaves))}, {"size", leaves.size()}, {"at", at}};
    return jws(server, "entente-root", payload.dump(), key);
}

std::string seal_leaf(std::string_view channel, const std::vector<std::string>& ids)
{
    auto leaf = lines({"entente-seal-v1", channel});
    for (const auto& id : ids) leaf += id + "\n";
    return leaf;
}

std::string checkpoint_leaf(std::string_view channel, std::uint64_t epoch, std::uint64_t seq,
                            std::string_view hash)
{
    return lines(
        {"entente-checkpoint-v1", channel, std::to_string(epoch), std::to_string(seq), hash});
}

std::string snapshot_leaf(std::string_view channel, std::uint64_t epoch, std::uint64_t seq,
                          std::string_view hash, std::int64_t at, std::string_view state)
{
    const auto state_hash = base64url(sha256("entente-state-v1\n" + std::string(state)));
    return lines({"entente-snapshot-v1", channel, std::to_string(epoch), std::to_string(seq), hash,
                  std::to_string(at), state_hash});
}

std::string entry_hash(std::string_view channel, std::uint64_t epoch, std::uint64_t seq,
                       std::int64_t at, std::string_view before, std::string_view event_id)
{
    return base64url(sha256(lines({"entente-log-v1", channel, std::to_string(epoch),
                                   std::to_string(seq), std::to_string(at), before, event_id})));
}

nlohmann::json submission(std::string_view channel, const std::vector<Event>& events,
                          std::size_t root)
{
    auto items = nlohmann::json::array();
    std::vector<std::string> ids;
    for (const auto& event : events) {
        items.push_back(event.item());
        ids.push_back(event.id());
    }
    return {{"channel", channel},
            {"events", std::move(items)},
            {"seal", {{"events", ids}, {"proof", proof_of({seal_leaf(channel, ids)}, 0, root)}}}};
}

nlohmann::json submitting(std::string_view server, const SigningKey& key, std::string_view channel,
                          const std::vector<Event>& events, std::int64_t at)
{
    std::vector<std::string> ids;
    for (const auto& event : events) ids.push_back(event.id());
    return {{"roots", {signed_root(server, key, {seal_leaf(channel, ids)}, at)}},
            {"submissions", {submission(channel, events)}}};
}

}  // namespace entente::conformance
