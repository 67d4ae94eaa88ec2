// A gate with a real peer: signs requests as that peer would, altered as a test wants them.
#pragma once

#include <gtest/gtest.h>

#include "tests/federation/edge_rig.hpp"

namespace entente::federation::testing_rig {

inline const ServerName a_test = ServerName::trusted("a.test");
inline const ServerName b_test = ServerName::trusted("b.test");

// What a refusal is compared with where there is none.
inline constexpr std::optional<Code> passes = std::nullopt;

inline asio::awaitable<net::Response> say_who(const net::Request&, const Admitted& admitted)
{
    co_return text_response(200, "\"" + admitted.origin.str() + "\"");
}

// What a test changes of a correct request before it is signed.
struct Draft {
    std::string method = "POST";
    std::string target = "/federation/v1/inbox";
    std::string body = "{}";
    ServerName destination = b_test;
    protocol::Seconds created = 0;  // from now
    protocol::Seconds lifetime = 300;
    std::string nonce;  // empty: a fresh one
    std::string source = "192.0.2.1";
};

class GateTest : public testing::Test {
 protected:
    GateTest() { us.open(); }

    net::Request sign(const Draft& draft, const protocol::SigningKey& key)
    {
        auto now = world.clock.now_s();
        protocol::SigningTime time{now + draft.created, now + draft.created + draft.lifetime};
        auto nonce =
            draft.nonce.empty() ? protocol::to_base64url(world.random.octets(16)) : draft.nonce;
        net::Request request;
        request.method = draft.method;
        request.target = draft.target;
        request.path = draft.target.substr(0, draft.target.find('?'));
        request.body = draft.body;
        request.fields = protocol::sign_request(key, a_test, draft.destination, draft.method,
                                                draft.target, draft.body, time, nonce);
        request.source = asio::ip::make_address(draft.source);
        return request;
    }
    net::Request sign(const Draft& draft) { return sign(draft, them.identity.key); }

    Result<Admitted> admit(const net::Request& request, bool volatile_nonce = false)
    {
        auto own = request;
        return world.run(us.gate->admit(own, volatile_nonce));
    }
    Result<Admitted> admit(const Draft& draft) { return admit(sign(draft)); }
    // The code that refuses, or nothing where the request is admitted.
    template <class T>
    std::optional<Code> refusal(const T& request)
    {
        auto outcome = admit(request);
        if (outcome) return std::nullopt;
        return outcome.error().code;
    }
    net::Response pass(const net::Request& request)
    {
        auto own = request;
        return world.run(us.gate->guard(say_who, false)(own));
    }
    static void edit(net::Request& request, std::string_view name, std::string_view from,
                     std::string_view to)
    {
        for (auto& [field, value] : request.fields) {
            if (field != name) continue;
            auto at = value.find(from);
            ASSERT_NE(at, std::string::npos) << value;
            value.replace(at, from.size(), to);
            return;
        }
        FAIL() << "no field " << name;
    }
    bool is_signed_by_us(const net::Response& response, const net::Request& request)
    {
        auto field = std::string{request.field("signature").value_or("")};
        auto read = protocol::read_answer_signature(response.status, response.fields, response.body,
                                                    field, us.identity.names);
        return read && read->key == us.key_ref() &&
               us.identity.key.public_key().verifies(read->signature, read->base);
    }
    void with_budget(std::int64_t requests)
    {
        us.tier_config.servers[a_test] = trust::Tier::known;
        us.tier_config.table.rows[static_cast<std::size_t>(trust::Tier::known)].requests = requests;
        us.restart();
    }

    World world;
    Node them{world, "a.test"};
    Node us{world, "b.test"};
};

}  // namespace entente::federation::testing_rig
