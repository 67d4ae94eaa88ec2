#include "conformance/reference/peer.hpp"

#include <fstream>
#include <sstream>

#include <unistd.h>

#include "conformance/reference/verifying.hpp"
#include "conformance/wire/octets.hpp"

namespace entente::conformance::reference {

namespace {

constexpr const char* federation = "/federation/v1";

std::string contents_of(const std::string& path)
{
    std::ifstream file(path, std::ios::binary);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
}

Answer plain_answer(const nlohmann::json& body, const char* type = "application/json")
{
    Answer answer;
    answer.status = 200;
    answer.fields = {{"Content-Type", type}};
    answer.body = body.dump();
    return answer;
}

Answer problem_answer(const Refused& refused)
{
    auto answer = plain_answer(problem_of(refused), "application/problem+json");
    answer.status = status_of(refused.code);
    if (refused.members.contains("retry_after"))
        answer.fields.emplace_back("Retry-After", refused.members["retry_after"].dump());
    return answer;
}

std::string from_hex(const std::string& text)
{
    std::string octets;
    for (std::size_t at = 0; at + 1 < text.size(); at += 2)
        octets += static_cast<char>(std::stoi(text.substr(at, 2), nullptr, 16));
    return octets;
}

}  // namespace

Peer::Peer(const Settings& settings)
    : settings_(settings),
      flags_(settings.flags),
      clock_(settings.file("clock")),
      journal_(settings.file("journal")),
      identity_(settings.name, flags_, clock_, journal_),
      caller_(settings_, flags_),
      discovery_(flags_, clock_, journal_, caller_),
      nonces_(flags_, journal_),
      gate_(settings.name, flags_, clock_, discovery_, nonces_),
      channels_(identity_, flags_, clock_, journal_),
      outbox_(flags_, journal_),
      sender_(caller_, discovery_, identity_, clock_, flags_),
      links_(channels_, outbox_, discovery_, sender_, identity_, flags_, mutex_, changed_),
      inbox_(channels_, discovery_, identity_, flags_, clock_, journal_, mutex_, changed_),
      queries_(channels_, identity_, flags_),
      client_api_(channels_, outbox_, identity_, flags_, clock_,
                  [this](const std::string& channel) { links_.wake(channel); })
{
    journal_.replay([this](const nlohmann::json& record) { replay(record); });
    identity_.make_keys();
    const Certificate certificate{contents_of(settings.file("certificate.pem")),
                                  contents_of(settings.file("certificate.key"))};
    server_ =
        std::make_unique<HttpServer>(settings.listen, settings.name, certificate, clock_, flags_,
                                     [this](const Request& request, const std::string& source) {
                                         return serve(request, source);
                                     });
    // Of a mutant that forgets what it knew: it asks nobody before it is asked.
    if (flags_.has<"pins-not-durable">()) return;
    const std::lock_guard lock(mutex_);
    links_.wake_all();
}

void Peer::replay(const nlohmann::json& record)
{
    const auto kind = record.at("is").get<std::string>();
    if (kind == "key" || kind == "recovery") return identity_.replay(record);
    if (kind == "document" || kind == "statements") return discovery_.replay(record);
    if (kind == "nonce" || kind == "swept") return nonces_.replay(record);
    if (kind == "unsent" || kind == "settled") return outbox_.replay(record);
    if (kind == "direct") return inbox_.replay(record);
    channels_.replay(record);
}

Answer Peer::serve(const Request& request, const std::string& source)
{
    const auto is_get = request.method == "GET";
    if (is_get && request.target == "/.well-known/entente")
        return plain_answer(identity_.document());
    if (is_get && request.target == "/.well-known/http-message-signatures-directory" &&
        !flags_.has<"no-key-directory">())
        return plain_answer(identity_.key_set(),
                            "application/http-message-signatures-directory+json");
    if (request.target.starts_with("/api/v1/")) {
        const std::lock_guard lock(mutex_);
        return client_api_.serve(request);
    }
    if (request.target.starts_with(federation)) return serve_federation(request, source);
    return problem_answer({"not-found", "no such path"});
}

Answer Peer::serve_federation(Request request, const std::string& source)
{
    const auto path = request.target.substr(0, request.target.find('?'));
    const bool any_case = flags_.has<"method-in-any-case">();
    const bool is_post = request.method == "POST" || (any_case && request.method == "post");
    if (!is_post && request.method != "GET") return problem_answer({"not-found", "no such method"});
    if (is_post && path != "/federation/v1/inbox")
        return problem_answer({"not-found", "no such path"});
    const auto admission = gate_.admit(request, source);
    const auto signed_answer = [&](Answer answer) {
        if (admission.is_proven) identity_.sign_answer(answer, admission.claim.signature_field);
        return answer;
    };
    if (admission.refused) return signed_answer(problem_answer(*admission.refused));
    // Within its budget only: it has this peer call an address that the origin names.
    discovery_.heard_from(admission.claim.origin);
    links_.heard_from(admission.claim.origin);
    try {
        if (flags_.has<"path-normalised">() || flags_.has<"path-escapes-taken">())
            request.target = decoded_path(request.target);
        if (any_case && is_post) request.method = "POST";
        return signed_answer(plain_answer(answer(request, admission.claim.origin)));
    } catch (const Refused& refused) {
        return signed_answer(problem_answer(refused));
    }
}

nlohmann::json Peer::answer(const Request& request, const std::string& origin)
{
    if (request.method == "GET") {
        const std::lock_guard lock(mutex_);
        return queries_.answer(request.target.substr(std::string(federation).size()), origin);
    }
    auto result = inbox_.take(request.body, origin);
    const std::lock_guard lock(mutex_);
    if (result.contains("submissions"))
        for (const auto& submission : result["submissions"])
            if (submission["channel"].is_string()) links_.wake(submission["channel"]);
    return result;
}

nlohmann::json Peer::metrics()
{
    std::ifstream file("/proc/self/statm");
    std::int64_t pages = 0;
    std::int64_t resident = 0;
    file >> pages >> resident;
    const std::lock_guard lock(mutex_);
    return {{"rss_bytes", resident * ::sysconf(_SC_PAGESIZE)},
            {"rows", channels_.entries() + nonces_.size() + discovery_.servers()}};
}

nlohmann::json Peer::obey(const std::string& hook, const nlohmann::json& input)
{
    if (hook == "clock") {
        const auto seconds = input.value("ahead", std::int64_t{0});
        clock_.set_ahead(input.value("ahead_ms", seconds * 1'000));
        return nlohmann::json::object();
    }
    if (hook == "rotate-key") {
        identity_.rotate();
        return {{"kid", identity_.key().id()}};
    }
    if (hook == "metrics") return metrics();
    if (hook == "verify") {
        const bool is_right = is_right_signature(from_hex(input.value("message", "")),
                                                 from_hex(input.value("signature", "")),
                                                 from_hex(input.value("public", "")), flags_);
        return {{"valid",
                 (is_right || flags_.has<"verify-anything">()) && !flags_.has<"verify-nothing">()}};
    }
    throw std::runtime_error("there is no hook " + hook);
}

}  // namespace entente::conformance::reference
