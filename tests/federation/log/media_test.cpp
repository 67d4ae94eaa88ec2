// Files of another server: only what the id names is taken, and nothing is answered to be shown
// [QRY-11].
#include "federation/people/media.hpp"

#include <boost/asio/thread_pool.hpp>

#include "protocol/octets.hpp"
#include "tests/federation/log/log_rig.hpp"

namespace entente::federation::log_rig {
namespace {

class MediaTest : public ::testing::Test {
 protected:
    Result<MediaFile> find(const ServerName& at, const std::string& name)
    {
        return a.world.run(media.find("alice@a.example", at, name));
    }
    asio::awaitable<Result<Answer>> answer()
    {
        Answer made;
        made.status = status;
        made.is_signed = true;
        made.body = octets;
        if (status != 200) made.problem = Error{Code::not_found, "", {}, 0};
        co_return made;
    }

    const std::string octets = "a picture of tulips";
    const std::string id = protocol::to_base64url(protocol::sha256(octets));
    int status = 200;
    Servers servers;
    Server& a = servers.a;
    asio::thread_pool pool{1};
    MediaOptions options{.folder = servers.world.folder.file("media"), .max_octets = 19};
    trust::Tier tier = trust::Tier::guest;  // of the server that has the file
    int asked = 0;
    Media media{
        {a.identity, *a.commits, pool.get_executor(), servers.world.clock,
         [this](const ServerName&, const std::string&, const std::string&, const std::string&) {
             ++asked;
             return answer();
         },
         options, [this](const ServerName&) { return tier; }, a.enforcer.get()}};
};

// [QRY-11]
TEST_F(MediaTest, WhatTheIdDoesNotNameIsNotTaken)
{
    const auto there = servers.b.identity.name;
    const auto file = find(there, id);
    ASSERT_TRUE(file) << file.error().detail;
    EXPECT_EQ(file->octets, octets);
    const auto other = protocol::to_base64url(protocol::sha256("another picture"));
    EXPECT_EQ(find(there, other).error().code, Code::unavailable);
    EXPECT_EQ(find(there, "no-id").error().code, Code::not_found);
}

// [QRY-11]
TEST_F(MediaTest, WhatThereIsNotIsNotFound)
{
    EXPECT_EQ(find(a.identity.name, id).error().code, Code::not_found);
    status = 404;
    EXPECT_EQ(find(servers.b.identity.name, id).error().code, Code::not_found);
}

TEST_F(MediaTest, ByTheTierOfItsServerAFileIsFetchedWhenAUserAsksOrWhenItIsShown)
{
    using trust::Tier;
    struct Case {
        Tier tier;
        bool asked, shown;
    };
    for (const auto& [its_tier, may_ask, may_show] :
         {Case{Tier::blocked, false, false}, Case{Tier::quarantined, true, false},
          Case{Tier::guest, true, true}, Case{Tier::known, true, true},
          Case{Tier::trusted, true, true}}) {
        tier = its_tier;
        for (const auto wanted : {Wanted::asked, Wanted::shown}) {
            const bool is_permitted = wanted == Wanted::asked ? may_ask : may_show;
            const auto before = asked;
            const auto file =
                a.world.run(media.find("alice@a.example", servers.b.identity.name, id, wanted));
            EXPECT_EQ(file.has_value(), is_permitted) << to_text(tier);
            EXPECT_EQ(asked - before, is_permitted ? 1 : 0) << to_text(tier);
            if (!is_permitted) EXPECT_EQ(file.error().code, Code::forbidden) << to_text(tier);
        }
    }
}

TEST_F(MediaTest, APolicyRefusesFilesOfAServer)
{
    a.enforce(R"({"id":"r","actions":["media.*"],"when":{"eq":["subject.server","b.example"]},)"
              R"("effects":["deny"]})");
    EXPECT_EQ(find(servers.b.identity.name, id).error().hint, "by the policy rule own@1/r");
    EXPECT_TRUE(find(servers.c.identity.name, id));
}

// [QRY-11]
TEST_F(MediaTest, FilesAreAnsweredToBeSavedAndNeverShown)
{
    const auto response = media_response({octets, nullptr});
    EXPECT_EQ(response.content_type, "application/octet-stream");
    EXPECT_EQ(response.body, octets);
    const std::pair<std::string, std::string> saved{"Content-Disposition", "attachment"};
    EXPECT_NE(std::ranges::find(response.fields, saved), response.fields.end());
}

}  // namespace
}  // namespace entente::federation::log_rig
