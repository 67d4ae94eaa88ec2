#include "protocol/slice.hpp"

#include <array>
#include <utility>

#include "protocol/jwk.hpp"

namespace entente::protocol {
namespace {

constexpr std::array<std::pair<SliceStatus, std::string_view>, 10> slice_statuses{{
    {SliceStatus::ok, "ok"},
    {SliceStatus::gap, "gap"},
    {SliceStatus::need_keys, "need-keys"},
    {SliceStatus::need_snapshot, "need-snapshot"},
    {SliceStatus::not_following, "not-following"},
    {SliceStatus::fork, "fork"},
    {SliceStatus::ahead, "ahead"},
    {SliceStatus::superseded, "superseded"},
    {SliceStatus::deferred, "deferred"},
    {SliceStatus::refused, "refused"},
}};

constexpr std::array<std::pair<Mark, std::string_view>, 6> marks_by_name{{
    {Mark::late, "late"},
    {Mark::key_revoked, "key-revoked"},
    {Mark::key_retired, "key-retired"},
    {Mark::no_effect, "no-effect"},
    {Mark::unverified, "unverified"},
    {Mark::withheld, "withheld"},
}};

}  // namespace

std::vector<std::string_view> names_of_marks(std::uint8_t marks)
{
    std::vector<std::string_view> names;
    for (const auto& [mark, name] : marks_by_name) {
        if ((marks & bit(mark)) != 0) names.push_back(name);
    }
    return names;
}

std::string entry_hash(const ChannelId& channel, std::int64_t epoch, std::int64_t seq, Millis at,
                       std::string_view previous, const Hash& event_id)
{
    std::string input;
    input.reserve(192 + channel.str().size());
    input += "entente-log-v1\n";
    input += channel.str();
    input += '\n';
    input += std::to_string(epoch);
    input += '\n';
    input += std::to_string(seq);
    input += '\n';
    input += std::to_string(at);
    input += '\n';
    input += previous;
    input += '\n';
    input += to_base64url(event_id);
    input += '\n';
    return to_base64url(sha256(input));
}

std::optional<KeyRef> ShownKey::ref() const
{
    if (!key_x) return std::nullopt;
    return KeyRef{server, thumbprint_of(*key_x)};
}

std::string_view to_text(SliceStatus status)
{
    for (const auto& [value, text] : slice_statuses) {
        if (value == status) return text;
    }
    return "refused";
}

std::optional<SliceStatus> slice_status_from(std::string_view text)
{
    for (const auto& [value, name] : slice_statuses) {
        if (name == text) return value;
    }
    return std::nullopt;
}

}  // namespace entente::protocol
