#include "conformance/reference/sender.hpp"

#include <charconv>

#include "conformance/reference/structured_fields.hpp"
#include "conformance/reference/verifying.hpp"
#include "conformance/wire/octets.hpp"
#include "conformance/wire/signing.hpp"

namespace entente::conformance::reference {

namespace {

// [SIG-11]
constexpr Millis answer_time{30'000};
constexpr Millis connect_time{10'000};
// Of a mutant.
constexpr Millis impatience{3'000};
constexpr std::size_t max_answer = 8'388'608;

const DictionaryMember* find_member(const std::vector<DictionaryMember>& members,
                                    std::string_view tag)
{
    for (const auto& member : members) {
        const auto* found = find_parameter(member.parameters, "tag");
        if (member.is_list && found != nullptr && found->value == tag) return &member;
    }
    return nullptr;
}

// "@status", "content-digest" and "signature";req, in this order.
bool covers_what_it_must(const DictionaryMember& input)
{
    if (input.list.size() != 3) return false;
    return input.list[0].bare.value == "@status" && input.list[1].bare.value == "content-digest" &&
           input.list[2].bare.value == "signature" &&
           find_parameter(input.list[2].parameters, "req") != nullptr;
}

}  // namespace

Sender::Sender(const Caller& caller, Discovery& discovery, const Identity& identity,
               const PeerClock& clock, const Flags& flags)
    : caller_(caller), discovery_(discovery), identity_(identity), clock_(clock), flags_(flags)
{
}

Request Sender::make_request(const std::string& server, const ServerDocument& document,
                             const std::string& body)
{
    Request request;
    request.target = "/federation/v1/inbox";
    request.fields = {{"Host", authority_of(document.api_host, document.api_port)},
                      {"Entente-Destination", server},
                      {"Content-Type", "application/json"},
                      {"Content-Digest", content_digest(body)},
                      {"Content-Length", std::to_string(body.size())}};
    request.body = body;
    if (flags_.has<"sends-wrong-digest">())
        set_field(request.fields, "Content-Digest", content_digest(body + " "));
    auto input = full_input(true, identity_.name(), identity_.key(), clock_.seconds());
    if (flags_.has<"sends-no-query-covered">()) input.drop_component("@query");
    if (flags_.has<"sends-nonces-twice">())
        input.set("nonce",
                  conformance::quoted(base64url(std::string(24, static_cast<char>(body.size())))));
    sign(request, input, identity_.key());
    return request;
}

Outcome Sender::send(const std::string& server, const ServerDocument& document,
                     const std::string& body, KeptConnection& kept)
{
    const auto request = make_request(server, document, body);
    const auto where = authority_of(document.api_host, document.api_port);
    const auto deadline = in(flags_.has<"impatient">() ? impatience : answer_time);
    // What has come meanwhile is an end, or nothing that was asked for.
    if (kept.stream && (kept.where != where || !kept.rest.empty() ||
                        wait_readable(kept.stream->descriptor(), Clock::now())))
        kept = {};
    if (!kept.stream)
        kept = {caller_.connect(document.api_host, document.api_port, in(connect_time)), where, {}};
    const bool written = kept.stream->write(serialise(request), deadline);
    ReadLimits limits;
    limits.body = max_answer;
    auto result = read_answer(*kept.stream, kept.rest, deadline, limits);
    if (!written || !result.error.empty()) {
        kept = {};
        return {};
    }
    if (flags_.has<"follows-redirects">() && result.answer.status / 100 == 3) {
        Request again;
        again.method = "GET";
        again.target = "/elsewhere";
        static_cast<void>(
            caller_.ask(document.api_host, document.api_port, again, deadline, limits));
        return {};
    }
    return outcome_of(result.answer, request, server);
}

bool Sender::is_signed(const Answer& answer, const Request& request, const std::string& server)
{
    if (flags_.has<"takes-unsigned-answers">()) return true;
    const auto field = [&](const char* name) { return field_of(answer.fields, name).value_or(""); };
    const auto digest = field("content-digest");
    if (digest != content_digest(answer.body) && !flags_.has<"takes-answers-undigested">())
        return false;
    try {
        const auto inputs = read_dictionary(field("signature-input"), flags_);
        const auto signatures = read_dictionary(field("signature"), flags_);
        const auto* input = find_member(inputs, "entente-v1-response");
        if (input == nullptr || !covers_what_it_must(*input)) return false;
        const auto* keyid = find_parameter(input->parameters, "keyid");
        if (keyid == nullptr || !keyid->value.starts_with(server + "#")) return false;
        if (flags_.has<"takes-answers-by-any-key">() || flags_.has<"takes-answers-to-others">())
            return true;
        const auto key = discovery_.request_key(server, keyid->value.substr(server.size() + 1), {});
        const auto base =
            answer_base(answer.status, digest, field_of(request.fields, "signature").value_or(""),
                        input->written);
        for (const auto& signature : signatures)
            if (signature.name == input->name)
                return is_right_signature(base, signature.item.value, key, flags_);
    } catch (const Refused&) {
    }
    return false;
}

Outcome Sender::outcome_of(const Answer& answer, const Request& request, const std::string& server)
{
    Outcome outcome;
    outcome.status = answer.status;
    if (answer.status == 200) {
        outcome.body = json_body(answer);
        // No answer: on as after a timeout.
        if (!is_signed(answer, request, server)) return {};
        return outcome;
    }
    outcome.code = problem_code(answer);
    const auto wait = field_of(answer.fields, "retry-after").value_or("");
    std::int64_t seconds = 0;
    const auto read = std::from_chars(wait.data(), wait.data() + wait.size(), seconds);
    if (read.ec == std::errc() && !wait.empty()) outcome.retry_after = seconds;
    return outcome;
}

}  // namespace entente::conformance::reference
