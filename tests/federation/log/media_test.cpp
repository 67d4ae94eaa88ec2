// Files of another server: only what the id names is taken, and nothing is answered to be shown
// [QRY-11].
#include "federation/media.hpp"

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
    Media media{{a.identity, *a.commits, pool.get_executor(), servers.world.clock,
                 [this](const ServerName&, const std::string&, const std::string&,
                        const std::string&) { return answer(); },
                 options}};
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
