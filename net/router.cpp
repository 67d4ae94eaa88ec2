#include "net/router.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace entente::net {

namespace {

std::vector<std::string_view> segments_of(std::string_view path)
{
    std::vector<std::string_view> segments;
    if (path.empty() || path.front() != '/') return segments;
    path.remove_prefix(1);
    while (true) {
        const auto slash = path.find('/');
        segments.push_back(path.substr(0, slash));
        if (slash == std::string_view::npos) return segments;
        path.remove_prefix(slash + 1);
    }
}

bool is_capture(std::string_view segment)
{
    return segment.size() > 2 && segment.front() == '{' && segment.back() == '}';
}

}  // namespace

struct Router::Entry {
    std::vector<std::string> segments;
    Route route;
    std::optional<WebSocketHandler> websocket;

    // What the captures hold, or nothing where the path is another. A capture is never empty.
    [[nodiscard]] std::optional<std::vector<std::string>> fits(
        const std::vector<std::string_view>& path) const
    {
        if (path.size() != segments.size()) return std::nullopt;
        std::vector<std::string> captures;
        for (std::size_t i = 0; i < path.size(); ++i) {
            if (is_capture(segments[i])) {
                if (path[i].empty()) return std::nullopt;
                captures.emplace_back(path[i]);
            } else if (path[i] != segments[i]) {
                return std::nullopt;
            }
        }
        return captures;
    }

    // Sorts by literal segments first, from the left: /channels/dm before /channels/{id}.
    std::string rank;

    static std::shared_ptr<Entry> make(const std::string& pattern)
    {
        auto entry = std::make_shared<Entry>();
        for (const auto segment : segments_of(pattern)) {
            entry->segments.emplace_back(segment);
            entry->rank += is_capture(segment) ? '1' : '0';
        }
        return entry;
    }
};

void Router::insert(std::shared_ptr<const Entry> entry)
{
    const auto before = [](const auto& left, const auto& right) {
        return left->rank < right->rank;
    };
    const auto at = std::upper_bound(entries_.begin(), entries_.end(), entry, before);
    entries_.insert(at, std::move(entry));
}

void Router::add(Route route)
{
    auto entry = Entry::make(route.pattern);
    entry->route = std::move(route);
    insert(std::move(entry));
}

void Router::add_websocket(std::string pattern, WebSocketHandler handler)
{
    auto entry = Entry::make(pattern);
    entry->route.method = "GET";
    entry->websocket = std::move(handler);
    insert(std::move(entry));
}

Router::Match Router::match(std::string_view method, std::string_view path) const
{
    const auto segments = segments_of(path);
    Match match;
    const std::string* rank = nullptr;
    for (const auto& entry : entries_) {
        // Only the most literal pattern counts: another method of a looser one is no answer.
        if (rank != nullptr && entry->rank != *rank) break;
        auto captures = entry->fits(segments);
        if (!captures) continue;
        rank = &entry->rank;
        const auto& offered = entry->route.method;
        if (offered == method || (method == "HEAD" && offered == "GET" && !entry->websocket)) {
            match.captures = std::move(*captures);
            match.allow.clear();
            if (entry->websocket) {
                match.websocket = &*entry->websocket;
            } else {
                match.route = &entry->route;
            }
            return match;
        }
        if (match.allow.find(offered) != std::string::npos) continue;
        if (!match.allow.empty()) match.allow += ", ";
        match.allow += offered;
        if (offered == "GET" && !entry->websocket) match.allow += ", HEAD";
    }
    return match;
}

}  // namespace entente::net
