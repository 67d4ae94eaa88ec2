// A channel of a.example in which b.example and c.example follow, and what it takes to move it.
#pragma once

#include "protocol/consent.hpp"
#include "storage/move_store.hpp"
#include "tests/federation/log/log_rig.hpp"

namespace entente::federation::log_rig {

// What `from` owes gets to `to`, and the answer is lost.
inline protocol::TransactionResult send_unheard(Server& from, Server& to)
{
    const auto draft = from.read([&](storage::Connection& db) {
        return read_batch(db, from.identity.name, to.identity.name, BatchLimits{}, {});
    });
    return to.receive(from, sign_batch(draft.value(), from.identity, from.world.clock.now_ms()));
}

class SuccessionTest : public ::testing::Test {
 protected:
    explicit SuccessionTest(const std::string& history = "all")
        : channel(shared_channel(a, b, history))
    {
        invite_carol();
        EXPECT_TRUE(c.world.run(c.channels->join(c.actor("carol"), channel)));
        rest();
    }

    void invite_carol()
    {
        EXPECT_TRUE(a.world.run(a.channels->invite(a.actor("alice"), channel, c.user("carol"))));
        rest();
    }

    // Until nobody owes anybody anything.
    void rest()
    {
        for (int i = 0; i < 4; ++i) {
            settle_all(a, b);
            settle_all(b, c);
            settle_all(a, c);
        }
    }

    Result<Moving> wish(Server& to, const std::string& who = "alice")
    {
        return a.world.run(a.channels->move(a.actor(who), channel, to.identity.name));
    }
    [[nodiscard]] Moving standing()
    {
        return a.world.run(a.channels->moving(a.user("alice"), channel)).value();
    }
    // The question goes to the new home and its consent comes back: the channel.move stands in
    // the log of the old one, and nowhere else.
    void move_to(Server& to)
    {
        ASSERT_TRUE(wish(to));
        ASSERT_TRUE(exchange(a, to));
        ASSERT_EQ(standing().state, DeliveryState::accepted);
    }

    [[nodiscard]] storage::ChannelRow row(Server& server)
    {
        return server
            .read([&](storage::Connection& db) { return storage::read_channel(db, channel); })
            .value();
    }
    [[nodiscard]] std::string home_at(Server& server) { return row(server).home.str(); }

    // Across epochs, as text and in order.
    [[nodiscard]] std::vector<std::string> events(Server& server)
    {
        std::vector<std::string> all;
        for (std::int64_t after = row(server).floor; after < row(server).seq;) {
            for (const auto& stored : server.entries(channel, after)) {
                after = stored.seq;
                all.push_back(stored.entry.event);
            }
        }
        return all;
    }
    [[nodiscard]] std::vector<std::string> texts(Server& server) const
    {
        return server.texts(channel);
    }

    void expect_all_alike(const std::string& home)
    {
        const auto image = a.image(channel);
        for (auto* server : {&a, &b, &c}) {
            EXPECT_EQ(home_at(*server), home) << server->identity.name.str();
            EXPECT_EQ(server->image(channel)->seq, image->seq) << server->identity.name.str();
            EXPECT_EQ(server->image(channel)->hash, image->hash) << server->identity.name.str();
            EXPECT_EQ(server->image(channel)->state, image->state) << server->identity.name.str();
            // From where its log begins.
            auto all = events(a);
            all.erase(all.begin(), all.begin() + server->image(channel)->floor);
            EXPECT_EQ(events(*server), all);
        }
    }

    // A channel.move with the consent of `to`, or with one that its key has not signed.
    EventAndContent move_event(Server& author, const std::string& sender, Server& to,
                               bool is_forged = false)
    {
        const auto consents = [&](std::int64_t epoch) {
            return protocol::make_consent(to.identity.key, to.identity.name, channel, epoch);
        };
        auto consent = consents(row(a).epoch + 1);
        const auto other = consents(row(a).epoch + 2);
        if (is_forged)
            consent = consent.substr(0, consent.rfind('.')) + other.substr(other.rfind('.'));
        return author.event(channel, {"channel.move", sender,
                                      R"({"home":")" + to.identity.name.str() + R"(","consent":")" +
                                          consent + "\"}"});
    }

    Servers servers;
    Server& a = servers.a;
    Server& b = servers.b;
    Server& c = servers.c;
    ChannelId channel;
};

}  // namespace entente::federation::log_rig
