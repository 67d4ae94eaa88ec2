// Aliases and the list of public channels: who sets them, who learns of what, page by page,
// and what another server is answered.
#include "federation/channels/channel_changes.hpp"
#include "tests/federation/log/log_rig.hpp"

namespace entente::federation::log_rig {
namespace {

protocol::Alias alias(const std::string& text)
{
    return protocol::parse_alias(text, protocol::NameRules{}).value();
}

// The signed query that `from` sends, without the network.
asio::awaitable<Result<Answer>> query(Server& from, Server& to, trust::Tier tier,
                                      std::string target)
{
    net::Request request;
    request.method = "GET";
    const auto mark = target.find('?');
    request.path = target.substr(0, mark);
    if (mark != std::string::npos) request.query = target.substr(mark + 1);
    const Admitted admitted{from.identity.name, from.identity.key_ref(), tier, ""};
    const std::string aliases = "/federation/v1/aliases/";
    net::Response response;
    if (request.path.starts_with(aliases)) {
        request.captures.push_back(request.path.substr(aliases.size()));
        response = co_await to.directory->answer_alias(request, admitted);
    } else {
        response = co_await to.directory->answer_page(request, admitted);
    }
    Answer answer;
    answer.status = response.status;
    answer.is_signed = true;
    if (response.status != 200) {
        auto problem = protocol::parse_problem(response.body);
        if (problem) answer.problem = std::move(*problem);
    }
    answer.body = std::move(response.body);
    co_return answer;
}

class DirectoryTest : public ::testing::Test {
 protected:
    DirectoryTest()
    {
        b.ask = [this](const ServerName&, std::string target) {
            return query(b, a, tier, std::move(target));
        };
    }

    std::optional<Code> set(const std::string& who, const std::string& text,
                            const ChannelId& channel)
    {
        auto done = a.world.run(a.directory->set_alias(a.user(who), alias(text), channel));
        if (done) return std::nullopt;
        return done.error().code;
    }
    std::optional<Code> drop(const std::string& who, const std::string& text)
    {
        auto done = a.world.run(a.directory->drop_alias(a.user(who), alias(text)));
        if (done) return std::nullopt;
        return done.error().code;
    }
    Result<protocol::AliasAnswer> look_up(Server& at, const std::string& who,
                                          const std::string& text)
    {
        return at.world.run(at.directory->look_up(at.user(who), alias(text)));
    }
    Result<protocol::DirectoryAnswer> page(Server& at, const std::string& cursor = "")
    {
        return at.world.run(at.directory->page(a.identity.name, cursor));
    }

    Servers servers;
    Server& a = servers.a;
    Server& b = servers.b;
    trust::Tier tier = trust::Tier::guest;
};

TEST_F(DirectoryTest, AModeratorNamesAChannelAndNobodyElse)
{
    const auto channel = a.create("alice", "all", true);
    const auto other = a.create("carol", "all", true);
    ASSERT_TRUE(a.world.run(a.channels->join(a.actor("dave"), channel)));
    EXPECT_EQ(set("dave", "#general@a.example", channel), Code::forbidden);
    EXPECT_EQ(set("carol", "#general@a.example", channel), Code::not_found);
    EXPECT_EQ(set("alice", "#general@b.example", channel), Code::not_home);
    EXPECT_EQ(set("alice", "#general@a.example", channel), std::nullopt);
    EXPECT_EQ(set("alice", "#general@a.example", channel), std::nullopt);
    EXPECT_EQ(set("carol", "#general@a.example", other), Code::conflict);
    const auto found = look_up(a, "eve", "#general@a.example");
    ASSERT_TRUE(found);
    EXPECT_EQ(found->channel, channel);
    EXPECT_EQ(found->servers, std::vector<ServerName>{a.identity.name});

    EXPECT_EQ(drop("dave", "#general@a.example"), Code::forbidden);
    EXPECT_EQ(drop("carol", "#general@a.example"), Code::not_found);
    EXPECT_EQ(drop("alice", "#general@a.example"), std::nullopt);
    EXPECT_EQ(drop("alice", "#general@a.example"), Code::not_found);
    EXPECT_EQ(set("carol", "#general@a.example", other), std::nullopt);
}

TEST_F(DirectoryTest, AChannelHasSixteenAliasesAndNoMore)
{
    const auto channel = a.create("alice", "all", true);
    for (int i = 1; i <= 16; ++i)
        EXPECT_EQ(set("alice", "#room" + std::to_string(i) + "@a.example", channel), std::nullopt);
    EXPECT_EQ(set("alice", "#room17@a.example", channel), Code::forbidden);
    EXPECT_EQ(set("alice", "#room16@a.example", channel), std::nullopt);
}

TEST_F(DirectoryTest, AChannelHomedElsewhereIsNotOursToName)
{
    const auto channel = shared_channel(b, a);  // bob@a has joined what alice@b made
    ASSERT_TRUE(b.change("alice", channel, changes::set_role(a.user("bob"), "moderator")));
    settle_all(a, b);
    EXPECT_EQ(set("bob", "#garden@a.example", channel), Code::not_home);
}

// [QRY-6]
TEST_F(DirectoryTest, OfAClosedChannelOnlyThoseLearnWhoMayKnowOfIt)
{
    const auto channel = a.create("alice");
    ASSERT_EQ(set("alice", "#closed@a.example", channel), std::nullopt);
    EXPECT_TRUE(look_up(a, "alice", "#closed@a.example"));
    EXPECT_EQ(look_up(a, "eve", "#closed@a.example").error().code, Code::not_found);
    EXPECT_EQ(look_up(b, "bob", "#closed@a.example").error().code, Code::not_found);
    ASSERT_TRUE(a.world.run(a.channels->invite(a.actor("alice"), channel, b.user("bob"))));
    ASSERT_TRUE(a.world.run(a.channels->invite(a.actor("alice"), channel, a.user("eve"))));
    EXPECT_EQ(look_up(b, "bob", "#closed@a.example")->channel, channel);
    EXPECT_EQ(look_up(a, "eve", "#closed@a.example")->channel, channel);
    EXPECT_EQ(look_up(b, "bob", "#nothing@a.example").error().code, Code::not_found);
}

// [RETRY-4] A proxy's page is no word of the server's.
TEST_F(DirectoryTest, WhatIsNotSignedDoesNotSayThatThereIsNoSuchAlias)
{
    b.ask = [](const ServerName&, std::string) -> asio::awaitable<Result<Answer>> {
        Answer answer;
        answer.status = 404;
        answer.problem = Error{Code::not_found, "", {}, 0};
        co_return answer;
    };
    EXPECT_EQ(look_up(b, "bob", "#general@a.example").error().code, Code::unavailable);
}

// [QRY-7]
TEST_F(DirectoryTest, TheListFollowsWhatIsPublicAndSaysWhatItIs)
{
    const auto channel = a.create("alice", "all", true);
    const auto closed = a.create("alice");
    ASSERT_EQ(set("alice", "#general@a.example", channel), std::nullopt);
    changes::ChannelPatch patch;
    patch.topic = "tulips";
    ASSERT_TRUE(a.change("alice", channel, changes::update(patch)));
    for (auto* at : {&a, &b}) {
        const auto listed = page(*at);
        ASSERT_TRUE(listed) << listed.error().detail;
        ASSERT_EQ(listed->channels.size(), 1U);
        const auto& one = listed->channels.front();
        EXPECT_EQ(one.channel, channel);
        EXPECT_EQ(one.name, "garden");
        EXPECT_EQ(one.topic, "tulips");
        EXPECT_EQ(one.history, "all");
        EXPECT_EQ(one.members, 1);
        EXPECT_EQ(one.aliases, std::vector<std::string>{"#general@a.example"});
        EXPECT_EQ(listed->next, "");
    }
    changes::ChannelPatch open;
    open.is_public = true;
    ASSERT_TRUE(a.change("alice", closed, changes::update(open)));
    EXPECT_EQ(page(b)->channels.size(), 2U);
    open.is_public = false;
    ASSERT_TRUE(a.change("alice", channel, changes::update(open)));
    EXPECT_EQ(page(b)->channels.front().channel, closed);
    // What bob's server follows is not its own to list.
    EXPECT_TRUE(b.world.run(b.directory->page(b.identity.name, ""))->channels.empty());
    tier = trust::Tier::quarantined;
    EXPECT_EQ(page(b).error().code, Code::unavailable);
}

// [QRY-7]
TEST_F(DirectoryTest, AfterThePageOfFiftyComesTheRest)
{
    std::vector<ChannelId> made;
    for (std::size_t i = 0; i <= directory_page_channels; ++i) {
        made.push_back(a.create("alice", "all", true));
        a.world.clock.now += 1;
    }
    const auto first = page(b);
    ASSERT_TRUE(first);
    ASSERT_EQ(first->channels.size(), directory_page_channels);
    EXPECT_EQ(first->channels.front().channel, made.front());
    ASSERT_NE(first->next, "");
    const auto second = page(b, first->next);
    ASSERT_TRUE(second);
    ASSERT_EQ(second->channels.size(), 1U);
    EXPECT_EQ(second->channels.front().channel, made.back());
    EXPECT_EQ(second->next, "");
    EXPECT_EQ(page(a, "*").error().code, Code::malformed);
}

TEST_F(DirectoryTest, LongTopicsMakeShortPages)
{
    changes::ChannelPatch patch;
    patch.topic = std::string(50'000, 't');
    for (int i = 0; i < 6; ++i) {
        const auto channel = a.create("alice", "all", true);
        a.world.clock.now += 1;
        ASSERT_TRUE(a.change("alice", channel, changes::update(patch)));
    }
    const auto first = page(a);
    ASSERT_TRUE(first);
    EXPECT_EQ(first->channels.size(), 5U);
    EXPECT_EQ(page(a, first->next)->channels.size(), 1U);
}

}  // namespace
}  // namespace entente::federation::log_rig
