// A home whose older data is put back, and its follower.
#pragma once

#include "storage/held_store.hpp"
#include "tests/federation/log/log_rig.hpp"

namespace entente::federation::log_rig {

class RepairOfAHome : public ::testing::Test {
 protected:
    RepairOfAHome() : channel(shared_channel(a, b))
    {
        EXPECT_TRUE(a.post("alice", channel, "old"));
        settle_all(a, b);
        back_up();
        a.reachable = {{"b.example", &b}, {"c.example", &c}};
    }

    void back_up()
    {
        a.close();
        copy_database(servers.world, "a.example", ".db", ".old");
        a.open();
    }
    // Entries of both sides that the copy lacks.
    void go_on()
    {
        EXPECT_TRUE(a.post("alice", channel, "new"));
        EXPECT_TRUE(b.post("bob", channel, "new"));
        settle_all(a, b);
        EXPECT_TRUE(a.append(
            a.event(channel, {"channel.update", "alice@a.example", R"({"name":"other"})"})));
        settle_all(a, b);
    }
    void put_back(bool noticed = true)
    {
        a.close();
        copy_database(servers.world, "a.example", ".old", ".db");
        a.open();
        if (!noticed) return;
        ASSERT_TRUE(a.write([&](storage::WriteTransaction& transaction) {
            return storage::hold_all_followed(transaction.db(), a.identity.name);
        }));
        start();
    }
    void start() { ASSERT_TRUE(a.world.run(a.repair->start(true))); }
    void look() { ASSERT_TRUE(a.world.run(a.repair->look())); }
    void wait(Millis time)
    {
        servers.world.clock.now += time;
        look();
    }
    // The same where c.example follows too and has all of it, or all but the newest.
    void lose_what_three_had(bool carol_has_all)
    {
        let_carol_in();
        back_up();
        go_on();
        if (carol_has_all) settle_all(a, c);
        put_back();
    }
    // Accepted by the home with a number, and on nobody else's disk when that was lost.
    [[nodiscard]] protocol::Hash lose_what_was_numbered()
    {
        auto posted = b.post("bob", channel, "mine");
        EXPECT_TRUE(posted);
        EXPECT_TRUE(exchange(b, a));
        EXPECT_GT(b.submission(posted->event_id)->seq, 0);
        put_back();
        b.woken.clear();
        return posted->event_id;
    }
    // The last entries at both.
    void expect_in_order(const protocol::Hash& earlier, const protocol::Hash& later)
    {
        EXPECT_FALSE(b.submission(earlier));
        EXPECT_FALSE(b.submission(later));
        const auto entries = b.entries(channel, 0);
        ASSERT_GE(entries.size(), 2U);
        EXPECT_EQ(entries[entries.size() - 2].event_id, earlier);
        EXPECT_EQ(entries.back().event_id, later);
        EXPECT_EQ(a.image(channel)->hash, b.image(channel)->hash);
    }
    [[nodiscard]] bool is_held()
    {
        return a
            .read([&](storage::Connection& db) -> Result<bool> {
                auto row = storage::read_channel(db, channel);
                if (!row) return fail(row);
                return storage::is_held(db, row->id);
            })
            .value();
    }
    [[nodiscard]] Result<BatchDraft> question_to(const Server& follower)
    {
        Held held;
        held.questions.insert(channel.str());
        return a.read([&](storage::Connection& db) {
            return read_batch(db, a.identity.name, follower.identity.name, BatchLimits{}, held);
        });
    }
    [[nodiscard]] protocol::OutgoingTransaction heartbeat_for(const Server& follower)
    {
        return sign_batch(question_to(follower).value(), a.identity, a.world.clock.now_ms());
    }
    // What a lying follower says instead of the truth.
    void say(Server& follower, const protocol::SliceResult& lie)
    {
        const auto draft = question_to(follower);
        ASSERT_TRUE(draft);
        ASSERT_EQ(draft->logs.size(), 1U);
        protocol::TransactionResult result;
        result.logs.push_back(lie);
        auto settled =
            a.world.run(a.settlement->settle(follower.identity.name, *draft, std::move(result)));
        ASSERT_TRUE(settled);
        for (const auto& word : settled->words) a.repair->said(follower.identity.name, word);
    }
    [[nodiscard]] protocol::SliceResult claim()
    {
        const auto now = *a.image(channel);
        protocol::SliceResult claimed;
        claimed.channel = channel.str();
        claimed.status = protocol::SliceStatus::ahead;
        claimed.have = {now.seq + 2, protocol::to_base64url(Hash{})};
        claimed.agrees = protocol::Position{now.seq, now.hash};
        return claimed;
    }
    void let_carol_in()
    {
        ASSERT_TRUE(a.append(a.event(
            channel, {"member.invite", "alice@a.example", R"({"user":"carol@c.example"})"})));
        settle_all(a, c);
        ASSERT_TRUE(c.world.run(c.channels->join(c.actor("carol"), channel)));
        settle_all(a, c);
        settle_all(a, b);
    }

    Servers servers;
    Server& a = servers.a;
    Server& b = servers.b;
    Server& c = servers.c;
    ChannelId channel;
};

}  // namespace entente::federation::log_rig
