// The property that everything else stands on: however a log is cut into slices, and in
// whatever order and how often they arrive, a follower that goes on from its `have` ends with
// the home's log, hash and state; restarts in between change nothing [LOG-1, LOG-2].
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "storage/held_store.hpp"
#include "tests/federation/log/log_rig.hpp"

namespace entente::federation::log_rig {
namespace {

using protocol::SliceStatus;

enum class Step : std::uint8_t {
    post_at_home,
    post_remote,
    rename,
    invite,
    join,
    leave,
    kick,
    react,
    unknown,
    several,  // entries
    slice,
    torn_slice,
    tail,
    restart_follower,
    restart_home,
    lose_index,
    back_up_home,
    put_back_home
};

struct Move {
    Step step = Step::post_at_home;
    std::uint8_t one = 0;
    std::uint8_t two = 0;
};

rc::Gen<std::vector<Move>> moves()
{
    const auto step = rc::gen::weightedElement<Step>({{4, Step::post_at_home},
                                                      {4, Step::post_remote},
                                                      {1, Step::rename},
                                                      {3, Step::invite},
                                                      {3, Step::join},
                                                      {2, Step::leave},
                                                      {1, Step::kick},
                                                      {2, Step::react},
                                                      {1, Step::unknown},
                                                      {3, Step::several},
                                                      {8, Step::slice},
                                                      {2, Step::torn_slice},
                                                      {2, Step::tail},
                                                      {1, Step::restart_follower},
                                                      {1, Step::restart_home},
                                                      {1, Step::lose_index},
                                                      {1, Step::back_up_home},
                                                      {1, Step::put_back_home}});
    return rc::gen::container<std::vector<Move>>(
        rc::gen::map(rc::gen::tuple(step, rc::gen::arbitrary<std::uint8_t>(),
                                    rc::gen::arbitrary<std::uint8_t>()),
                     [](const std::tuple<Step, std::uint8_t, std::uint8_t>& made) {
                         return Move{std::get<0>(made), std::get<1>(made), std::get<2>(made)};
                     }));
}

// A home, an author's server and a follower, with a channel that all three share.
class Stage {
 public:
    Stage(const std::string& history, std::size_t cached) : servers(cached)
    {
        channel = shared_channel(a, b, history);
        RC_ASSERT(a.post("alice", channel, "before").has_value());
        auto invited = a.world.run(a.channels->invite(a.actor("alice"), channel, c.user("carol")));
        RC_ASSERT(invited.has_value());
        settle_all(a, c);
        auto joined = c.world.run(c.channels->join(c.actor("carol"), channel));
        RC_ASSERT(joined.has_value());
        // The join's result only: what lies behind it comes by the moves' own slices.
        RC_ASSERT(exchange(c, a).has_value());
        RC_ASSERT(c.image(channel).has_value());
    }

    void play(const Move& move)
    {
        servers.world.clock.now += 1 + move.one;
        const auto remote = "bob@b.example";
        const auto guest = move.two % 2 == 0 ? "dave@b.example" : "eve@c.example";
        Server& server = move.two % 2 == 0 ? b : c;
        const std::string user = "{\"user\":\"" + std::string(guest) + "\"}";
        const std::string text = "{\"text\":\"" + std::to_string(move.one) + "\"}";
        switch (move.step) {
            case Step::post_at_home: at_home("message.create", text); break;
            case Step::post_remote: submit(b, {{"message.create", remote, text}}); break;
            case Step::several:
                submit(b, {{"message.create", remote, text},
                           {"message.create", guest, text},
                           {"no.such.type", remote, text},
                           {"message.create", remote, text}});
                break;
            case Step::rename:
                at_home("channel.update", "{\"name\":\"n" + std::to_string(move.one) + "\"}");
                break;
            case Step::invite: at_home("member.invite", user); break;
            case Step::join: submit(server, {{"member.join", guest}}); break;
            case Step::leave: submit(server, {{"member.leave", guest}}); break;
            case Step::kick: at_home("member.kick", user); break;
            case Step::unknown: at_home("future.thing", text); break;
            case Step::react: react(move.one); break;
            case Step::slice: send(move.one, 1 + move.two % 7); break;
            case Step::torn_slice: tear(move.one, 1 + move.two % 7); break;
            case Step::tail: send(255, all_entries); break;
            case Step::restart_follower: c.restart(); break;
            case Step::restart_home: a.restart(); break;
            case Step::lose_index:
                c.close();
                c.places = std::make_shared<MemoryIndex>();
                c.open();
                break;
            case Step::back_up_home:
                a.close();
                copy_database(servers.world, "a.example", ".db", ".old");
                a.open();
                has_backup = true;
                break;
            case Step::put_back_home:
                if (has_backup) put_back();
                break;
        }
    }

    // From `have` on, as a home goes on.
    void finish()
    {
        for (int i = 0; i < 1000; ++i) {
            const auto have = c.image(channel)->seq;
            if (have == a.image(channel)->seq) return;
            const auto answer = deliver(a, c, slice(a, channel, have, 3));
            RC_ASSERT(answer.status == SliceStatus::ok);
            RC_ASSERT(answer.have.seq > have);
        }
        RC_FAIL("the follower never gets there");
    }

    Servers servers;
    Server& a = servers.a;
    Server& b = servers.b;
    Server& c = servers.c;
    ChannelId channel;
    bool has_backup = false;

 private:
    // [LOG-5] Whatever one of the others holds stands where it stood.
    void put_back()
    {
        const auto held = *c.image(channel);
        const auto elsewhere = *b.image(channel);
        a.close();
        copy_database(servers.world, "a.example", ".old", ".db");
        a.open();
        a.reachable = {{"b.example", &b}, {"c.example", &c}};
        const auto hold = [&](storage::WriteTransaction& transaction) {
            return storage::hold_all_followed(transaction.db(), a.identity.name);
        };
        RC_ASSERT(a.write(hold).has_value());
        RC_ASSERT(a.world.run(a.repair->start(true)).has_value());
        for (auto* follower : {&b, &c}) {
            RC_ASSERT(ask(a, *follower, channel).has_value());
            finish_fetching(a);
        }
        RC_ASSERT(a.world.run(a.repair->look()).has_value());
        RC_ASSERT(a.repair->waiting().empty());
        RC_ASSERT(a.image(channel)->seq >= std::max(held.seq, elsewhere.seq));
        RC_ASSERT(!c.image(channel)->frozen);
        RC_ASSERT(!b.image(channel)->frozen);
    }

    // Whether it is allowed or not: what is refused leaves no trace.
    void at_home(const std::string& type, const std::string& members)
    {
        (void)a.append(a.event(channel, {type, "alice@a.example", members}));
    }

    void submit(Server& author, const std::vector<Server::Wish>& wishes)
    {
        std::vector<EventAndContent> events;
        for (const auto& wish : wishes) {
            if (!wish.sender.ends_with(author.identity.name.str())) continue;
            events.push_back(author.event(channel, wish));
        }
        if (events.empty()) return;
        const auto results = hand_in(author, a, channel, events);
        RC_ASSERT(results.size() == events.size());
    }

    void react(std::uint8_t place)
    {
        const auto held = a.entries(channel, 0);
        const auto& target = held[place % held.size()];
        Server::Wish wish{"message.react", "alice@a.example", "{\"key\":\"ok\"}"};
        wish.target = target.event_id;
        (void)a.append(a.event(channel, wish));
    }

    void send(std::uint8_t place, std::int64_t size)
    {
        const auto latest = a.image(channel)->seq;
        const auto after = place == 255 ? latest / 2 : place % (latest + 1);
        const auto before = c.image(channel);
        const auto made = slice(a, channel, after, size);
        const auto& sent = made.logs.front();
        const auto answer = deliver(a, c, made);
        const auto now = c.image(channel);
        RC_ASSERT(answer.have.seq == now->seq);
        RC_ASSERT(answer.have.hash == now->hash);
        RC_ASSERT(answer.status == SliceStatus::ok || answer.status == SliceStatus::gap);
        const bool continues =
            sent.after.seq <= before->seq && sent.checkpoint.seq >= before->floor;
        RC_ASSERT((answer.status == SliceStatus::ok) == continues);
        RC_ASSERT(now->seq ==
                  (continues ? std::max(before->seq, sent.checkpoint.seq) : before->seq));
    }

    // Torn on its way: a follower takes nothing of it.
    void tear(std::uint8_t place, std::int64_t size)
    {
        auto made = slice(a, channel, place % (a.image(channel)->seq + 1), size);
        auto& sent = made.logs.front();
        if (sent.entries.empty()) return;
        sent.entries.back().at += 1;
        const auto before = c.image(channel);
        const auto answer = deliver(a, c, made);
        RC_ASSERT(answer.status == SliceStatus::refused);
        RC_ASSERT(c.image(channel)->hash == before->hash);
    }
};

void check_same(Stage& stage)
{
    const auto home = stage.a.image(stage.channel);
    const auto followed = stage.c.image(stage.channel);
    RC_ASSERT(followed->seq == home->seq);
    RC_ASSERT(followed->hash == home->hash);
    RC_ASSERT(followed->state == home->state);
    RC_ASSERT(!followed->frozen);
    const auto ours = stage.a.entries(stage.channel, followed->floor);
    const auto theirs = stage.c.entries(stage.channel, followed->floor);
    RC_ASSERT(ours.size() == theirs.size());
    for (std::size_t i = 0; i < ours.size(); ++i) {
        RC_ASSERT(ours[i].seq == theirs[i].seq);
        RC_ASSERT(ours[i].event_id == theirs[i].event_id);
        RC_ASSERT(ours[i].entry == theirs[i].entry);
    }
}

// [EVT-4] [LOG-1] [LOG-2] [MEM-2]
TEST(Convergence, AnyCutOfAnyLogEndsInTheSameLogHashAndState)
{
    const bool held = rc::check([] {
        const auto history = *rc::gen::element<std::string>("all", "since-join");
        const auto cached = *rc::gen::element<std::size_t>(0, 8);
        const auto made = *rc::gen::scale(0.5, moves());
        Stage stage(history, cached);
        for (const auto& move : made) stage.play(move);
        stage.finish();
        check_same(stage);
        stage.c.restart();
        stage.a.restart();
        check_same(stage);
    });
    EXPECT_TRUE(held);
}

}  // namespace
}  // namespace entente::federation::log_rig
