// The fixture of tests with real servers: opens a World, makes people and shared channels,
// and shows the servers' logs where a test has failed.
#pragma once

#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "protocol/ed25519.hpp"
#include "tests/e2e/support/client.hpp"

namespace entente::e2e {

[[nodiscard]] inline json post_item(const std::string& channel, const std::string& text)
{
    return {{"txn", new_uuid()}, {"channel", channel}, {"content", {{"text", text}}}};
}

class WorldTest : public ::testing::Test {
 protected:
    void SetUp() override { protocol::start_crypto(); }
    void TearDown() override
    {
        if (world_ && HasFailure()) std::cerr << world_->logs();
        world_.reset();
    }

    World& open(const std::vector<std::string>& servers,
                const std::vector<std::string>& others = {}, const std::string& extra_config = "",
                Tuning tuning = Tuning::brisk)
    {
        set_up(servers, others, extra_config, tuning);
        world_->start_all();
        return *world_;
    }
    // The same, but no server is started.
    World& set_up(const std::vector<std::string>& servers, const std::vector<std::string>& others,
                  const std::string& extra_config, Tuning tuning)
    {
        world_ = std::make_unique<World>(servers, others, extra_config, tuning);
        return *world_;
    }
    [[nodiscard]] World& world() { return *world_; }
    [[nodiscard]] Node& node(const std::string& name) { return (*world_)[name]; }

    [[nodiscard]] Client person(const std::string& server, const std::string& name)
    {
        Client client(node(server), name);
        client.register_user();
        return client;
    }

    // A channel of `owner` that the others have joined, each server knowing it.
    [[nodiscard]] static std::string shared_channel(Client& owner,
                                                    const std::vector<Client*>& others,
                                                    const json& options = json::object())
    {
        auto channel = owner.create_channel("garden", options);
        for (auto* other : others) {
            owner.invite(channel, other->user());
            other->join(channel);
        }
        return channel;
    }

    [[nodiscard]] static std::vector<std::string> members(Client& reader,
                                                          const std::string& channel)
    {
        std::vector<std::string> users;
        const auto page = reader.call("GET", "/channels/" + channel + "/members?limit=100");
        for (const auto& member : page.at("members"))
            if (member.contains("role")) users.push_back(member.at("user"));
        return users;
    }

 private:
    std::unique_ptr<World> world_;
};

}  // namespace entente::e2e
