// A rig in which alice has a channel, for tests of what is pushed.
#pragma once

#include <numeric>

#include "rig.hpp"

namespace entente::api::testing {

inline const std::string channels_path = "/api/v1/channels";

inline std::vector<std::int64_t> run_of(std::int64_t first, std::int64_t last)
{
    std::vector<std::int64_t> numbers(static_cast<std::size_t>(last - first + 1));
    std::iota(numbers.begin(), numbers.end(), first);
    return numbers;
}

// Alice with a channel of one entry.
struct Room {
    explicit Room(ApiOptions options = roomy_options()) : rig(std::move(options))
    {
        alice = rig.person("alice");
        channel = rig.post(channels_path, {{"txn", uuid(100)}, {"name", "room"}}, alice.access)
                      .body["channel"];
        id = protocol::ChannelId::trusted(channel);
    }
    // One commit with that many messages.
    void commit(std::size_t messages, std::size_t octets = 10)
    {
        const std::vector<std::string> contents(messages,
                                                R"({"text":")" + std::string(octets, 'x') + "\"}");
        rig.on_io([&] { rig.channels.commit(id, "alice@a.test", "message.create", contents); });
    }
    json follow(std::int64_t seq) const { return {{"follow", {{channel, seq}}}}; }
    json message(int txn) const
    {
        return {{"channel", channel}, {"txn", uuid(txn)}, {"content", {{"n", txn}}}};
    }

    Rig rig;
    Person alice;
    std::string channel;
    protocol::ChannelId id;
};

}  // namespace entente::api::testing
