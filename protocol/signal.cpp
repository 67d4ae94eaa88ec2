#include "protocol/signal.hpp"

#include <utility>

#include "protocol/json_rules.hpp"
#include "protocol/raw_members.hpp"

namespace entente::protocol {

namespace {

constexpr std::size_t max_word_octets = 32;

}  // namespace

std::string_view to_text(SignalType type)
{
    switch (type) {
        case SignalType::typing: return "typing";
        case SignalType::presence: return "presence";
        case SignalType::read: return "read";
    }
    return "typing";
}

std::optional<SignalType> signal_type_from(std::string_view text)
{
    for (const auto type : {SignalType::typing, SignalType::presence, SignalType::read})
        if (to_text(type) == text) return type;
    return std::nullopt;
}

bool is_presence(std::string_view text)
{
    return text == "online" || text == "away" || text == "offline";
}

std::string LiveSignal::key() const
{
    return std::string(to_text(type)) + '\n' + channel.str() + '\n' + user.str();
}

std::string write_signal(const LiveSignal& signal)
{
    std::string out = R"({"type":")" + std::string(to_text(signal.type));
    out += R"(","channel":)" + json_string(signal.channel.str());
    out += R"(,"user":)" + json_string(signal.user.str());
    switch (signal.type) {
        case SignalType::typing: out += signal.on ? R"(,"on":true)" : R"(,"on":false)"; break;
        case SignalType::presence: out += R"(,"status":)" + json_string(signal.status); break;
        case SignalType::read: out += R"(,"seq":)" + std::to_string(signal.seq); break;
    }
    return out + "}";
}

Result<LiveSignal> parse_signal(std::string_view object, NameRules rules)
{
    RawMembers members{object, ""};
    LiveSignal signal;
    const auto word = members.text("type", max_word_octets);
    const auto channel_text = members.text("channel", max_name_octets);
    const auto user_text = members.text("user", max_name_octets);
    if (members.error()) return Failure{*members.error()};
    const auto type = signal_type_from(word);
    if (!type) return refuse(Code::unsupported, "/type: not a signal");
    signal.type = *type;
    if (*type == SignalType::typing) signal.on = members.flag_or("on", true);
    if (*type == SignalType::presence) signal.status = members.text("status", max_word_octets);
    if (*type == SignalType::read) signal.seq = members.integer("seq", 0, max_json_integer);
    if (members.error()) return Failure{*members.error()};
    if (*type == SignalType::presence && !is_presence(signal.status))
        return refuse(Code::malformed, "/status: online, away or offline is needed");
    auto channel = parse_channel_id(channel_text, rules);
    if (!channel) return fail(channel);
    auto user = parse_user_id(user_text, rules);
    if (!user) return fail(user);
    signal.channel = std::move(*channel);
    signal.user = std::move(*user);
    return signal;
}

}  // namespace entente::protocol
