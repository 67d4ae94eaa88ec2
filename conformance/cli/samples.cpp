// What the runner writes on the wire, as JSON, so that tests/conformance/independence can judge it
// by libraries that have nothing to do with it. Hidden: no part of the tool.
#include <cstdio>

#include <nlohmann/json.hpp>

#include "conformance/cli/options.hpp"
#include "conformance/wire/events.hpp"
#include "conformance/wire/octets.hpp"
#include "conformance/wire/signing.hpp"

namespace entente::conformance {

namespace {

constexpr std::int64_t sample_time = 1'763'683'209;
constexpr const char* sample_server = "b.example";

nlohmann::json fields_json(const Fields& fields)
{
    auto list = nlohmann::json::array();
    for (const auto& [name, value] : fields) list.push_back({name, value});
    return list;
}

nlohmann::json request_json(const Request& request)
{
    return {{"method", request.method},
            {"target", request.target},
            {"fields", fields_json(request.fields)},
            {"body", request.body}};
}

Request sample_request(const std::string& method, const std::string& target,
                       const std::string& body)
{
    Request request;
    request.method = method;
    request.target = target;
    request.fields = {{"Host", "chat.a.example"}, {"Entente-Destination", "a.example"}};
    request.body = body;
    if (!body.empty()) {
        request.fields.emplace_back("Content-Type", "application/json");
        request.fields.emplace_back("Content-Digest", content_digest(body));
    }
    return request;
}

nlohmann::json signed_messages(const SigningKey& key)
{
    auto list = nlohmann::json::array();
    for (auto request : {sample_request("POST", "/federation/v1/inbox", R"({"roots":[]})"),
                         sample_request("GET", "/federation/v1/directory?cursor=x", ""),
                         sample_request("GET", "/federation/v1/users/bob", "")}) {
        sign(request, full_input(!request.body.empty(), sample_server, key, sample_time), key);
        Answer answer;
        answer.status = 200;
        answer.fields = {{"Content-Type", "application/json"}};
        answer.body = R"({"user":"Jürgen"})";
        sign_answer(answer, request, sample_server, key, sample_time);
        list.push_back({{"request", request_json(request)},
                        {"answer",
                         {{"status", answer.status},
                          {"fields", fields_json(answer.fields)},
                          {"body", answer.body}}}});
    }
    return list;
}

nlohmann::json trees()
{
    auto list = nlohmann::json::array();
    std::vector<std::string> leaves;
    for (int size = 1; size <= 9; ++size) {
        leaves.push_back("leaf " + std::to_string(size) + "\n");
        auto proofs = nlohmann::json::array();
        for (std::size_t index = 0; index < leaves.size(); ++index)
            proofs.push_back(proof_of(leaves, index));
        list.push_back({{"leaves", leaves},
                        {"root", base64url(tree_hash(leaves))},
                        {"proofs", std::move(proofs)}});
    }
    return list;
}

nlohmann::json log_sample(const Event& event)
{
    const std::string channel = "019aa3b5-ec00-7001-8001-000000000001@a.example";
    const auto first = entry_hash(channel, 1, 1, sample_time * 1000, "", event.id());
    return {{"channel", channel},
            {"epoch", 1},
            {"at", sample_time * 1000},
            {"event", event.id()},
            {"first", first},
            {"second", entry_hash(channel, 1, 2, sample_time * 1000, first, event.id())},
            {"seal", seal_leaf(channel, {event.id(), event.id()})},
            {"checkpoint", checkpoint_leaf(channel, 1, 1, first)},
            {"state", "{}"},
            {"snapshot", snapshot_leaf(channel, 1, 1, first, sample_time * 1000, "{}")}};
}

}  // namespace

int do_samples()
{
    const auto key = SigningKey::random();
    const auto event = make_event({{"type", "message.create"}, {"sender", "bob@b.example"}},
                                  salted({{"text", "hello, Jürgen"}}), sample_time * 1000);
    const nlohmann::json samples = {
        {"key", key.jwk()},
        {"messages", signed_messages(key)},
        {"root", signed_root(sample_server, key, {"leaf\n"}, sample_time * 1000)},
        {"trees", trees()},
        {"event", {{"octets", event.octets}, {"content", event.content}, {"id", event.id()}}},
        {"log", log_sample(event)}};
    std::printf("%s\n", samples.dump().c_str());
    return 0;
}

}  // namespace entente::conformance
