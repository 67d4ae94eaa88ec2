#include "federation/gate/signed_client.hpp"

#include <charconv>

#include "protocol/message_signature.hpp"
#include "protocol/octets.hpp"
#include "protocol/problem.hpp"

namespace entente::federation {

namespace {

constexpr std::size_t nonce_octets = 24;

std::string only_field(const protocol::Fields& fields, std::string_view name)
{
    auto value = protocol::single_field(fields, name);
    return value && *value ? **value : std::string{};
}

std::int64_t retry_after(const protocol::Fields& fields)
{
    auto text = only_field(fields, "retry-after");
    std::int64_t seconds = 0;
    auto parsed = std::from_chars(text.data(), text.data() + text.size(), seconds);
    bool is_number = parsed.ec == std::errc{} && parsed.ptr == text.data() + text.size();
    return is_number && seconds > 0 ? seconds : 0;
}

// Without a problem document nobody said anything final: a proxy's error page must not
// make us drop what a user was told is sent. Only sizes and rates are a proxy's to judge.
Error problem_of_status(int status)
{
    Error error{Code::unavailable, "the peer answered " + std::to_string(status), {}, 0};
    if (status == 413) error.code = Code::too_large;
    if (status == 429) error.code = Code::rate_limited;
    return error;
}

Error problem_of(const net::FetchedResponse& response)
{
    auto error = protocol::parse_problem(response.body);
    if (!error) error = problem_of_status(response.status);
    if (error->retry_after == 0) error->retry_after = retry_after(response.fields);
    return *error;
}

}  // namespace

SignedClient::SignedClient(const Identity& identity, Discovery& discovery, net::Fetcher& http,
                           const protocol::Clock& clock, protocol::Random& random,
                           SignedClientOptions options)
    : identity_(identity),
      discovery_(discovery),
      http_(http),
      clock_(clock),
      random_(random),
      options_(options)
{
}

asio::awaitable<Result<Answer>> SignedClient::send(ServerName destination, std::string method,
                                                   std::string target, std::string body)
{
    auto answer = co_await send_once(destination, method, target, body);
    bool is_replay = answer && answer->problem && answer->problem->code == Code::replayed;
    if (!is_replay) co_return answer;
    // Signed anew, once, at once (section 9).
    auto second = co_await send_once(std::move(destination), std::move(method), std::move(target),
                                     std::move(body));
    co_return second;
}

asio::awaitable<Result<Answer>> SignedClient::send_once(ServerName destination, std::string method,
                                                        std::string target, std::string body)
{
    auto peer = co_await discovery_.peer(destination);
    if (!peer) co_return fail(peer);
    auto origin = protocol::parse_https_origin(peer->api);
    if (!origin) co_return fail(origin);

    auto now = clock_.now_s();
    protocol::SigningTime time{now, now + protocol::max_lifetime_s};
    auto nonce = protocol::to_base64url(random_.octets(nonce_octets));
    net::Fetch fetch;
    fetch.fields = protocol::sign_request(identity_.key, identity_.name, destination, method,
                                          target, body, time, nonce);
    auto signature = only_field(fetch.fields, "signature");
    fetch.method = std::move(method);
    fetch.host = origin->host;
    fetch.port = origin->port;
    fetch.target = std::move(target);
    fetch.body = std::move(body);
    fetch.time = options_.time;
    fetch.max_body = options_.max_body;
    auto response = co_await http_.fetch(std::move(fetch));
    if (!response) co_return fail(response);

    auto proven = co_await check_signature(std::move(destination), *response, signature);
    if (response->status == 200 && !proven) {
        co_return fail(Code::unavailable,
                       "a 200 without the peer's signature: " + proven.error().detail);
    }
    Answer answer;
    answer.status = response->status;
    answer.is_signed = proven.has_value();
    if (answer.status != 200) answer.problem = problem_of(*response);
    answer.body = std::move(response->body);
    answer.fields = std::move(response->fields);
    co_return answer;
}

// For a 200 a key that isn't known yet is looked up; a refusal is a hint either way and
// causes no fetch.
asio::awaitable<Result<void>> SignedClient::check_signature(ServerName destination,
                                                            const net::FetchedResponse& response,
                                                            std::string request_signature)
{
    auto read = protocol::read_answer_signature(response.status, response.fields, response.body,
                                                request_signature, identity_.names);
    if (!read) co_return fail(read);
    if (read->key.server != destination) {
        co_return fail(Code::signature_invalid, "signed by " + read->key.str());
    }
    auto key = discovery_.ring().request_key(read->key, clock_.now_ms());
    if (!key && response.status == 200) key = co_await discovery_.answer_key(read->key);
    if (!key) co_return fail(key);
    if (!key->verifies(read->signature, read->base)) {
        co_return fail(Code::signature_invalid, "the answer's signature doesn't verify");
    }
    co_return Result<void>{};
}

}  // namespace entente::federation
