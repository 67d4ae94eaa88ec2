#include "conformance/reference/document_fetch.hpp"

#include "conformance/reference/json_rules.hpp"
#include "conformance/reference/refused.hpp"
#include "conformance/reference/server_document.hpp"

namespace entente::conformance::reference {

namespace {

constexpr Millis fetch_time{10'000};
constexpr std::size_t max_document = 65'536;
constexpr int max_delegations = 1;
// Of mutants.
constexpr int max_redirects = 4;
constexpr std::size_t too_small = 32'768;

// From when on the fetch that `began` is given up.
Deadline deadline_of(Deadline began, const Flags& flags)
{
    if (flags.has<"document-time-unbounded">() || flags.has<"document-time-per-read">())
        return in(3 * fetch_time);
    if (flags.has<"document-time-per-hop">()) return in(fetch_time);
    return began + fetch_time;
}

ReadLimits limits_of(const Flags& flags)
{
    ReadLimits limits;
    if (!flags.has<"document-size-unbounded">()) limits.body = max_document;
    if (flags.has<"document-size-unbounded">()) limits.body = 16 * limits.body;
    if (flags.has<"document-size-too-small">()) limits.body = too_small;
    return limits;
}

nlohmann::json fetch_once(const HttpsOrigin& where, const Caller& caller, Deadline began,
                          std::string& cookie, const Flags& flags)
{
    const auto deadline = deadline_of(began, flags);
    Request request;
    request.method = "GET";
    request.target = "/.well-known/entente";
    request.fields = {{"Accept", "application/json"}, {"Connection", "close"}};
    if (!cookie.empty()) request.fields.emplace_back("Cookie", cookie);
    auto answer = caller.ask(where.host, where.port, request, deadline, limits_of(flags));
    if (flags.has<"sends-cookies">()) cookie = field_of(answer.fields, "set-cookie").value_or("");
    for (int redirects = 0;
         answer.status / 100 == 3 && redirects < max_redirects && flags.has<"redirects-followed">();
         ++redirects) {
        const auto location = field_of(answer.fields, "location").value_or("");
        const auto to = read_https_origin(location, false, flags);
        const auto path = location.find('/', location.find("://") + 3);
        request.target = path == std::string::npos ? "/" : location.substr(path);
        answer = caller.ask(to.host, to.port, request, deadline, limits_of(flags));
    }
    if (answer.status != 200 && !flags.has<"document-status-ignored">())
        throw Refused{"unavailable", "the document is answered " + std::to_string(answer.status)};
    return read_json(answer.body, flags, JsonPlace::document);
}

HttpsOrigin delegate_of(const nlohmann::json& document, const Flags& flags)
{
    const auto written = text_of(document, "delegate");
    if (flags.has<"delegation-refused">() ||
        (flags.has<"delegation-port-refused">() && written.find(':', 8) != std::string::npos))
        throw Refused{"malformed", "a delegation"};
    return read_https_origin(written, !flags.has<"delegation-unchecked">(), flags);
}

}  // namespace

nlohmann::json fetch_document(const std::string& server, const Caller& caller, const Flags& flags)
{
    const auto began = Clock::now();
    HttpsOrigin where{server, 443};
    if (flags.has<"names-unchecked">()) where = read_https_origin(server, false, flags);
    std::string cookie;
    for (int delegations = 0;; ++delegations) {
        auto document = fetch_once(where, caller, began, cookie, flags);
        if (!document.is_object()) throw Refused{"malformed", "the document is no object"};
        if (!document.contains("delegate")) return document;
        if (delegations >= max_delegations &&
            (!flags.has<"delegation-chain">() || delegations > max_redirects))
            throw Refused{"malformed", "a delegation in answer to a delegation"};
        where = delegate_of(document, flags);
    }
}

}  // namespace entente::conformance::reference
