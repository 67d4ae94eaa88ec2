#include "federation/gate/signed_client.hpp"

#include <gtest/gtest.h>

#include "protocol/problem.hpp"
#include "tests/federation/edge_rig.hpp"
#include "tests/federation/gate_rig.hpp"

namespace entente::federation {
namespace {

using testing_rig::a_test;
using testing_rig::b_test;
using testing_rig::Node;
using testing_rig::text_response;
using testing_rig::World;

asio::awaitable<net::Response> echo(const net::Request& request, const Admitted&)
{
    co_return text_response(200, request.body);
}

class SignedClientTest : public testing::Test {
 protected:
    SignedClientTest()
    {
        us.open();
        them.open();
        them.inbox = [this](const net::Request& request) { return answer(request); };
    }
    asio::awaitable<net::Response> answer(const net::Request& request)
    {
        requests.push_back(request);
        auto field = std::string{request.field("signature").value_or("")};
        auto response = text_response(200, "{}");
        if (reply) {
            response = reply(field);
        }
        co_return response;
    }
    net::Response signed_by(const Identity& identity, const std::string& field, int status = 200,
                            std::string body = "{}")
    {
        return signed_answer(identity, std::string_view{field},
                             text_response(status, std::move(body)), world.clock);
    }
    Result<Answer> send(std::string body = "{}")
    {
        return world.run(us.client->send(a_test, "POST", "/federation/v1/inbox", std::move(body)));
    }
    static net::Response problem(Code code, std::int64_t retry_after = 0)
    {
        return net::problem_response(Error{code, "", "", retry_after}, 0);
    }

    World world;
    Node them{world, "a.test"};
    Node us{world, "b.test"};
    std::vector<net::Request> requests;
    std::function<net::Response(const std::string&)> reply;
};

// [KEY-1]
TEST_F(SignedClientTest, TwoServersThatNeverMetProveThemselvesToEachOther)
{
    them.inbox = them.gate->guard(echo, false);
    auto answer = send(R"({"hello":"there"})");
    ASSERT_TRUE(answer) << answer.error().detail;
    EXPECT_EQ(answer->status, 200);
    EXPECT_TRUE(answer->is_signed);
    EXPECT_EQ(answer->body, R"({"hello":"there"})");
    EXPECT_NE(us.ring->find(a_test), nullptr);
    EXPECT_NE(them.ring->find(b_test), nullptr);
}

TEST_F(SignedClientTest, AnAnswerSignedByThePeerIsTaken)
{
    reply = [this](const std::string& field) { return signed_by(them.identity, field); };
    auto answer = send();
    ASSERT_TRUE(answer) << answer.error().detail;
    EXPECT_FALSE(answer->problem);
}

// [SIG-10]
TEST_F(SignedClientTest, A200WithoutAValidSignatureIsNoAnswer)
{
    std::vector<std::function<net::Response(const std::string&)>> replies;
    replies.push_back([](const std::string&) { return text_response(200, "{}"); });
    replies.push_back([this](const std::string& field) {
        auto response = signed_by(them.identity, field);
        response.body = "[]";
        return response;
    });
    replies.push_back([this](const std::string& field) { return signed_by(us.identity, field); });
    replies.push_back([this](const std::string& field) {
        auto response = signed_by(them.identity, field, 500);
        response.status = 200;
        return response;
    });
    replies.push_back([this](const std::string&) {
        // The answer to some other request.
        return signed_by(them.identity, "entente=:" + std::string(86, 'A') + "==:");
    });
    for (const auto& each : replies) {
        reply = each;
        auto answer = send();
        ASSERT_FALSE(answer);
        EXPECT_EQ(answer.error().code, Code::unavailable) << answer.error().detail;
    }
    EXPECT_EQ(requests.size(), replies.size());
}

// [SIG-10]
TEST_F(SignedClientTest, AnUnpinnedKeyOfThePeerIsNoValidSignature)
{
    ASSERT_TRUE(world.run(us.discovery->peer(a_test)));
    auto thief = them.identity;
    thief.key = protocol::SigningKey::generate(world.random);
    reply = [&](const std::string& field) { return signed_by(thief, field); };
    auto answer = send();
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, Code::unavailable);
}

TEST_F(SignedClientTest, ProblemsAreTakenAsHintsWhenUnsigned)
{
    reply = [](const std::string&) { return problem(Code::rate_limited, 7); };
    auto unsigned_one = send();
    ASSERT_TRUE(unsigned_one);
    ASSERT_TRUE(unsigned_one->problem);
    EXPECT_EQ(unsigned_one->problem->code, Code::rate_limited);
    EXPECT_EQ(unsigned_one->problem->retry_after, 7);
    EXPECT_FALSE(unsigned_one->is_signed);

    reply = [this](const std::string& field) {
        return signed_answer(them.identity, std::string_view{field}, problem(Code::not_found),
                             world.clock);
    };
    auto signed_one = send();
    ASSERT_TRUE(signed_one);
    EXPECT_EQ(signed_one->problem->code, Code::not_found);
    EXPECT_TRUE(signed_one->is_signed);
}

// [RETRY-4]
TEST_F(SignedClientTest, AProxysErrorPageIsNothingFinal)
{
    for (int status : {400, 403, 404, 500, 502}) {
        reply = [status](const std::string&) { return text_response(status, "<html>no</html>"); };
        auto answer = send();
        ASSERT_TRUE(answer);
        EXPECT_EQ(answer->problem->code, Code::unavailable) << status;
    }
}

// [RETRY-4] Only sizes and rates are a proxy's to judge.
TEST_F(SignedClientTest, AProxysPageSaysThatABatchIsTooLargeOrComesTooSoon)
{
    const auto code_after = [&](int status) {
        reply = [status](const std::string&) {
            auto page = text_response(status, "<html>no</html>");
            page.fields.emplace_back("retry-after", "9");
            return page;
        };
        auto answer = send();
        EXPECT_TRUE(answer && answer->problem);
        EXPECT_EQ(answer->problem->retry_after, 9);
        return answer->problem->code;
    };
    EXPECT_EQ(code_after(413), Code::too_large);
    EXPECT_EQ(code_after(429), Code::rate_limited);
    EXPECT_EQ(code_after(503), Code::unavailable);
}

// [SIG-11]
TEST(SignedClientOptions, GiveAPeerHalfAMinuteAtLeast)
{
    EXPECT_GE(federation::SignedClientOptions{}.time, std::chrono::seconds(30));
}

TEST_F(SignedClientTest, AReplayIsSignedAnewOnceAtOnce)
{
    int calls = 0;
    reply = [&](const std::string& field) {
        return ++calls == 1 ? problem(Code::replayed) : signed_by(them.identity, field);
    };
    EXPECT_TRUE(send());
    ASSERT_EQ(requests.size(), 2U);
    EXPECT_NE(requests[0].field("signature-input"), requests[1].field("signature-input"));

    reply = [](const std::string&) { return problem(Code::replayed); };
    auto answer = send();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->problem->code, Code::replayed);
    EXPECT_EQ(requests.size(), 4U);
}

TEST_F(SignedClientTest, APeerThatCantBeFoundIsAnError)
{
    them.served = text_response(503, "");
    auto answer = send();
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, Code::unavailable);
    EXPECT_TRUE(requests.empty());
}

}  // namespace
}  // namespace entente::federation
