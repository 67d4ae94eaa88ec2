// Aliases and directories over HTTPS; what only a real channel shows is tested with the
// federation floor.
#include "rig.hpp"

namespace entente::api::testing {
namespace {

const std::string a_channel = "0192f0c1-0000-7000-8000-000000000001@b.test";

Result<federation::Answer> answered(int status, const std::string& body)
{
    federation::Answer answer;
    answer.status = status;
    answer.body = body;
    return answer;
}

TEST(DirectoryRoutes, AnAliasOfAnotherServerIsAskedThere)
{
    Rig rig;
    const auto alice = rig.person("alice");
    std::string asked;
    rig.elsewhere = [&](const std::string& server, const std::string& target) {
        asked = server + target;
        return answered(200, R"({"channel":")" + a_channel + R"(","servers":["b.test","?"]})");
    };
    for (const auto* path : {"%23general%40b.test", "general@b.test"}) {
        const auto found = rig.get(std::string("/api/v1/aliases/") + path, alice.access);
        ASSERT_EQ(found.status, 200) << found.text;
        EXPECT_EQ(asked, "b.test/federation/v1/aliases/general");
        EXPECT_EQ(found.body, (json{{"channel", a_channel}, {"servers", {"b.test"}}}));
    }
    EXPECT_EQ(rig.get("/api/v1/aliases/General@b.test", alice.access).status, 404);
    EXPECT_EQ(rig.get("/api/v1/aliases/general@b.test").status, 401);
}

TEST(DirectoryRoutes, WhatAnotherServerAnswersBadlyIsUnavailableAndItsNoIsANo)
{
    Rig rig;
    const auto alice = rig.person("alice");
    const auto get = [&](const Result<federation::Answer>& answer) {
        rig.elsewhere = [=](const std::string&, const std::string&) { return answer; };
        return rig.get("/api/v1/aliases/general@b.test", alice.access).status;
    };
    const auto status = [&](int code, const std::string& body) {
        return get(answered(code, body));
    };
    auto no = answered(404, "{}");
    no->problem = Error{Code::not_found, "", {}, 0};
    EXPECT_EQ(get(no), 503);
    no->is_signed = true;
    EXPECT_EQ(get(no), 404);
    EXPECT_EQ(status(500, "{}"), 503);
    EXPECT_EQ(status(200, "{}"), 503);
    EXPECT_EQ(status(200, R"({"channel":"no","servers":[]})"), 503);
    const std::string good = R"({"channel":")" + a_channel + R"(","servers":[]})";
    EXPECT_EQ(status(200, good), 200);
    EXPECT_EQ(status(200, good + std::string(federation::max_directory_answer - good.size(), ' ')),
              200);
    EXPECT_EQ(
        status(200, good + std::string(federation::max_directory_answer - good.size() + 1, ' ')),
        503);
}

TEST(DirectoryRoutes, AnotherServersDirectoryComesPageByPage)
{
    Rig rig;
    const auto alice = rig.person("alice");
    std::string asked;
    rig.elsewhere = [&](const std::string&, const std::string& target) {
        asked = target;
        return answered(200, R"({"channels":[{"channel":")" + a_channel +
                                 R"(","name":"Garden","members":3},{"channel":"bad"}],)" +
                                 R"("next":"a+b"})");
    };
    const auto first = rig.get("/api/v1/directory?server=b.test", alice.access);
    ASSERT_EQ(first.status, 200) << first.text;
    EXPECT_EQ(asked, "/federation/v1/directory");
    ASSERT_EQ(first.body["channels"].size(), 1U);
    EXPECT_EQ(first.body["channels"][0]["name"], "Garden");
    EXPECT_EQ(first.body["channels"][0]["members"], 3);
    EXPECT_EQ(first.body["next"], "a+b");
    rig.get("/api/v1/directory?server=b.test&cursor=a%2Bb", alice.access);
    EXPECT_EQ(asked, "/federation/v1/directory?cursor=a%2Bb");
    const std::string longest(512, 'x');
    EXPECT_EQ(rig.get("/api/v1/directory?server=b.test&cursor=" + longest, alice.access).status,
              200);
    EXPECT_EQ(
        rig.get("/api/v1/directory?server=b.test&cursor=" + longest + "x", alice.access).status,
        400);
    EXPECT_EQ(rig.get("/api/v1/directory?server=B", alice.access).status, 400);
    const auto own = rig.get("/api/v1/directory", alice.access);
    EXPECT_EQ(own.body, (json{{"channels", json::array()}, {"next", nullptr}}));
}

TEST(DirectoryRoutes, AnAliasIsSetForAChannelThatOneRunsHere)
{
    Rig rig;
    const auto alice = rig.person("alice");
    const auto put = [&](const std::string& alias, const json& body) {
        return rig.request("PUT", "/api/v1/aliases/" + alias, body, alice.access);
    };
    EXPECT_EQ(put("general@a.test", json::object()).hint(), "/channel: is required");
    EXPECT_EQ(put("general@a.test", {{"channel", a_channel}}).status, 404);
    EXPECT_EQ(put("general@b.test", {{"channel", a_channel}}).code(), "not-home");
}

}  // namespace
}  // namespace entente::api::testing
