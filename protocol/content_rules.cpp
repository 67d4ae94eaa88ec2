#include "protocol/content_rules.hpp"

#include <charconv>

#include "protocol/state_values.hpp"

namespace entente::protocol {

namespace {

constexpr Millis clocks_apart_ms = 60'000;

}  // namespace

bool can_be_deleted(std::string_view type)
{
    return type == "message.create" || type == "message.edit" || type == "message.react";
}

bool can_expire(std::string_view type)
{
    return type.starts_with("message.");
}

bool deletes(const Event& deletion, const Event& event)
{
    if (deletion.type != "message.delete" || !deletion.target) return false;
    return *deletion.target == event.id ||
           (event.type == "message.edit" && event.target == deletion.target);
}

std::optional<std::int64_t> retention_days(std::string_view retention)
{
    constexpr std::string_view prefix = "days:";
    if (!retention.starts_with(prefix)) return std::nullopt;
    retention.remove_prefix(prefix.size());
    if (retention.empty() || retention.front() == '0' || retention.front() == '-')
        return std::nullopt;
    std::int64_t days = 0;
    const auto* end = retention.data() + retention.size();
    const auto read = std::from_chars(retention.data(), end, days);
    const bool is_number = read.ec == std::errc{} && read.ptr == end;
    return is_number && days <= max_retention_days ? std::optional{days} : std::nullopt;
}

bool may_have_expired(std::string_view retention, std::string_view type, Millis at, Millis now)
{
    if (!can_expire(type)) return false;
    if (retention == "relay") return true;
    const auto days = retention_days(retention);
    return days && at <= now - *days * day_ms + clocks_apart_ms;
}

}  // namespace entente::protocol
