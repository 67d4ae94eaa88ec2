// Deletion takes the octets out of everything that held them, at home and at a follower, and
// leaves the chain [MEM-4].
#include <chrono>
#include <fstream>
#include <thread>

#include "federation/channels/channel_changes.hpp"
#include "federation/log/erasing.hpp"
#include "tests/federation/log/log_rig.hpp"

namespace entente::federation::log_rig {
namespace {

const std::string secret = "the-tulips-are-under-the-third-stone";

std::string octets_of(const std::filesystem::path& file)
{
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

class ErasingTest : public ::testing::Test {
 protected:
    ErasingTest() : channel(shared_channel(a, b)) {}

    // Which of a server's files show the secret.
    std::vector<std::string> files_with_it(Server& server)
    {
        std::vector<std::string> found;
        for (const char* suffix : {"", "-wal", "-shm"}) {
            const auto file =
                servers.world.folder.file(server.identity.name.str() + ".db" + suffix);
            if (octets_of(file).find(secret) != std::string::npos) found.push_back(file);
        }
        return found;
    }
    // Within the few seconds that the files may take.
    void expect_gone_from_files(Server& server)
    {
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(15);
        while (!files_with_it(server).empty() && std::chrono::steady_clock::now() < deadline)
            std::this_thread::yield();
        EXPECT_EQ(files_with_it(server), std::vector<std::string>{});
    }
    bool log_shows_it(Server& server)
    {
        for (const auto& stored : server.entries(channel, 0)) {
            if (stored.entry.content.value_or("").find(secret) != std::string::npos) return true;
        }
        return false;
    }
    std::int64_t deleted_by(Server& server, std::int64_t seq)
    {
        return server.entries(channel, seq - 1).front().entry.deleted_by;
    }
    Posted edit(Server& server, const std::string& who, const Hash& target)
    {
        auto edited =
            server.change(who, channel, changes::edit(target, "{\"text\":\"" + secret + "!\"}"));
        EXPECT_TRUE(edited) << edited.error().detail;
        return edited.value();
    }
    Result<Posted> erase(Server& server, const std::string& who, const Hash& target)
    {
        return server.change(who, channel, changes::erase(target, ""));
    }

    Servers servers;
    Server& a = servers.a;
    Server& b = servers.b;
    Server& c = servers.c;
    ChannelId channel;
};

// [MEM-4]
TEST_F(ErasingTest, ADeletionTakesTheMessageAndItsEditsFromEveryFileOfBothServers)
{
    const auto message = a.post("alice", channel, secret);
    const auto kept = a.post("alice", channel, "this one stays");
    const auto edited = edit(a, "alice", message->event_id);
    settle_all(a, b);
    ASSERT_TRUE(log_shows_it(a));
    ASSERT_TRUE(log_shows_it(b));
    ASSERT_FALSE(files_with_it(a).empty());
    ASSERT_FALSE(files_with_it(b).empty());

    const auto deleted = erase(a, "alice", message->event_id);
    ASSERT_TRUE(deleted) << deleted.error().detail;
    settle_all(a, b);
    for (auto* server : {&a, &b}) {
        EXPECT_FALSE(log_shows_it(*server));
        EXPECT_EQ(deleted_by(*server, message->seq), deleted->seq);
        EXPECT_EQ(deleted_by(*server, edited.seq), deleted->seq);
        EXPECT_EQ(deleted_by(*server, kept->seq), 0);
        expect_gone_from_files(*server);
    }
    EXPECT_EQ(a.image(channel)->hash, b.image(channel)->hash);
    EXPECT_NE(a.entries(channel, kept->seq - 1).front().entry.content->find("this one stays"),
              std::string::npos);
}

TEST_F(ErasingTest, AFollowersAuthorDeletesWhatHasNotBeenSentYet)
{
    const auto message = b.post("bob", channel, secret);
    const auto deleted = erase(b, "bob", message->event_id);
    ASSERT_TRUE(deleted);
    EXPECT_EQ(deleted->state, DeliveryState::pending);
    settle_all(a, b);
    for (auto* server : {&a, &b}) {
        EXPECT_FALSE(log_shows_it(*server));
        expect_gone_from_files(*server);
    }
    EXPECT_FALSE(b.submission(message->event_id));
    EXPECT_EQ(a.image(channel)->hash, b.image(channel)->hash);
}

// [MEM-14]
TEST_F(ErasingTest, ALaterEditIsNotFoundAndItsTextIsNotKept)
{
    const auto message = b.post("bob", channel, "a slip");
    settle_all(a, b);
    ASSERT_TRUE(erase(a, "alice", message->event_id));  // by who runs the channel
    // Before bob's server has heard of it.
    const auto late = edit(b, "bob", message->event_id);
    settle_all(a, b);
    const auto row = b.submission(late.event_id);
    ASSERT_TRUE(row);
    EXPECT_EQ(protocol::code_from_name(row->problem), Code::not_found);
    EXPECT_EQ(row->content, "");
    expect_gone_from_files(b);
    EXPECT_EQ(a.change("alice", channel, changes::react(message->event_id, "+1")).error().code,
              Code::not_found);
    EXPECT_EQ(erase(a, "alice", message->event_id).error().code, Code::not_found);
}

// [MEM-4]
TEST_F(ErasingTest, OnlyTheAuthorAndModeratorsDeleteAndOnlyMessages)
{
    const auto by_bob = b.post("bob", channel, "mine");
    const auto by_alice = a.post("alice", channel, "also mine");
    settle_all(a, b);
    const auto refused = erase(b, "bob", by_alice->event_id);
    settle_all(a, b);
    EXPECT_EQ(b.submission(refused->event_id)->problem, "forbidden");
    EXPECT_EQ(deleted_by(a, by_alice->seq), 0);
    const auto first = a.entries(channel, 0).front();
    EXPECT_EQ(erase(a, "alice", first.event_id).error().code, Code::forbidden);
    const auto own = erase(b, "bob", by_bob->event_id);
    settle_all(a, b);
    EXPECT_FALSE(b.submission(own->event_id));
}

TEST_F(ErasingTest, AnEditOrAReactionIsErasedAlone)
{
    const auto message = a.post("alice", channel, "stays");
    const auto edited = edit(a, "alice", message->event_id);
    const auto reaction = a.change("alice", channel, changes::react(message->event_id, secret));
    const auto first = erase(a, "alice", edited.event_id);
    ASSERT_TRUE(first) << first.error().detail;
    const auto second = erase(a, "alice", reaction->event_id);
    ASSERT_TRUE(second) << second.error().detail;
    EXPECT_EQ(deleted_by(a, message->seq), 0);
    EXPECT_EQ(deleted_by(a, edited.seq), first->seq);
    EXPECT_EQ(deleted_by(a, reaction->seq), second->seq);
    expect_gone_from_files(a);
}

TEST_F(ErasingTest, WhoGetsTheMessageErasedAlreadyTakesTheChainAndTheEditBeforeIt)
{
    const auto message = a.post("alice", channel, secret);
    const auto edited = edit(a, "alice", message->event_id);
    const auto deleted = erase(a, "alice", message->event_id);
    // One at a time: the deletion is not there yet when the erased message comes.
    for (auto after = message->seq - 1; after < deleted->seq; ++after) {
        const auto result = deliver(a, b, slice(a, channel, after, 1));
        ASSERT_EQ(result.status, protocol::SliceStatus::ok);
    }
    EXPECT_EQ(b.image(channel)->hash, a.image(channel)->hash);
    EXPECT_EQ(deleted_by(b, message->seq), deleted->seq);
    EXPECT_EQ(deleted_by(b, edited.seq), deleted->seq);
    EXPECT_FALSE(log_shows_it(b));
    EXPECT_TRUE(files_with_it(b).empty());
}

// [MEM-4]
TEST_F(ErasingTest, WhoJoinedBehindTheMessageErasesEditsOfItToo)
{
    const auto message = a.post("alice", channel, "from before carol");
    const auto kept = a.post("alice", channel, "so is this");
    settle_all(a, b);
    a.change("alice", channel, changes::invite(c.user("carol")));
    ASSERT_TRUE(c.world.run(c.channels->join(c.actor("carol"), channel)));
    settle_all(c, a);
    ASSERT_GT(c.image(channel)->floor, kept->seq);

    std::vector<Posted> edits;
    for (std::size_t i = 0; i <= edits_erased_at_once; ++i)
        edits.push_back(edit(a, "alice", message->event_id));
    const auto other =
        a.change("alice", channel, changes::edit(kept->event_id, "{\"text\":\"!\"}"));
    settle_all(a, c);
    ASSERT_TRUE(log_shows_it(c));

    const auto deleted = erase(a, "alice", message->event_id);
    ASSERT_TRUE(deleted) << deleted.error().detail;
    settle_all(a, c);
    c.end_retentions();  // and what is erased in steps
    for (const auto& edited : edits) EXPECT_EQ(deleted_by(c, edited.seq), deleted->seq);
    EXPECT_EQ(deleted_by(c, other->seq), 0);
    expect_gone_from_files(c);
    EXPECT_EQ(c.image(channel)->hash, a.image(channel)->hash);
}

TEST_F(ErasingTest, ADeletionInTheTransactionOfItsMessageShowsItToNobody)
{
    const auto message =
        a.event(channel, {"message.create", "alice@a.example", "{\"text\":\"" + secret + "\"}"});
    const auto id = protocol::event_id(message.event);
    const auto deletion =
        a.event(channel, {"message.delete", "alice@a.example", "{}", std::nullopt, id});
    // Both in one commit.
    auto done = a.write([&](storage::WriteTransaction& transaction) -> Result<void> {
        for (const auto* made : {&message, &deletion}) {
            auto event = protocol::parse_channel_event(made->event, a.identity.names);
            if (!event) return fail(event);
            auto found = a.store->find(transaction.db(), channel);
            if (!found) return fail(found);
            auto appended = a.home->append(transaction, **found, *event, made->content);
            if (!appended) return fail(appended);
        }
        return {};
    });
    ASSERT_TRUE(done) << done.error().detail;
    EXPECT_FALSE(log_shows_it(a));
    EXPECT_TRUE(files_with_it(a).empty());
}

TEST_F(ErasingTest, AnErasureIsThereAfterARestartAndTheRetryOfItsMessageIsStillADuplicate)
{
    const auto actor = a.actor("alice");
    const auto post = [&] {
        return a.world.run(a.channels->post(actor, channel, "{\"text\":\"" + secret + "\"}"));
    };
    const auto message = post();
    ASSERT_TRUE(erase(a, "alice", message->event_id));
    a.restart();
    EXPECT_FALSE(log_shows_it(a));
    expect_gone_from_files(a);
    const auto again = post();
    ASSERT_TRUE(again);
    EXPECT_EQ(again->seq, message->seq);
    EXPECT_EQ(again->event_id, message->event_id);
}

}  // namespace
}  // namespace entente::federation::log_rig
