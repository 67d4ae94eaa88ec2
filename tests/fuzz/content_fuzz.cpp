// Contents that match their hash: whatever else they are, checking and folding them
// ends in a Result, and a refused one leaves the state alone.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "protocol/channel_state.hpp"

namespace {

using namespace entente::protocol;

ChannelState a_channel()
{
    ChannelState state;
    state.kind = "group";
    state.home = "a.example";
    state.members = {{"alice@a.example", Role::owner}, {"bob@b.example", Role::member}};
    return state;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    static constexpr std::string_view types[] = {
        "channel.update", "channel.successors", "channel.move", "member.invite",  "member.kick",
        "member.ban",     "member.unban",       "member.role",  "message.create", "message.edit",
        "message.react",  "message.delete",     "key.share",    "something.new"};
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    Event event;
    event.octets = "{}";
    event.content_hash = content_hash(text);
    if (!check_content(event, text)) return 0;

    const auto home = ServerName::trusted("a.example");
    event.channel = ChannelId::trusted("0192f0c1-7b1a-7c3d-8e4f-0123456789ab@a.example");
    event.sender = {"alice@a.example", home, false};
    event.target = Hash{};
    for (const auto type : types) {
        event.type = type;
        auto state = a_channel();
        const auto change = apply_event(state, event, text, 5, 1,
                                        TargetFacts{"message.create", "alice@a.example"}, {});
        if (!change && state != a_channel()) std::abort();
        const auto json = state_json(state);
        if (state.index.octets() != json.size()) std::abort();
        if (change && !parse_state(json, {})) std::abort();
    }
    return 0;
}
