#include "conformance/reference/null_server.hpp"

#include <fstream>
#include <sstream>
#include <utility>

#include <nlohmann/json.hpp>

#include "conformance/reference/http_reader.hpp"
#include "conformance/wire/keys.hpp"
#include "conformance/wire/octets.hpp"

namespace entente::conformance::reference {

namespace {

std::string text_of_file(const std::string& path)
{
    std::ifstream file(path, std::ios::binary);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
}

class NullSite final : public Site {
 public:
    NullSite(std::string name, NullKind kind)
        : name_(std::move(name)), kind_(kind), key_(SigningKey::random())
    {
    }

    Reply serve(const Request& request) override
    {
        if (request.target == "/.well-known/entente") return say(200, document());
        if (request.target.starts_with("/api/v1/")) return serve_client(request);
        switch (kind_) {
            case NullKind::always_200: return say(200, nlohmann::json::object());
            case NullKind::always_401: return say(401, nlohmann::json::object());
            case NullKind::always_500: return say(500, nlohmann::json::object());
            case NullKind::closes: return reply_nothing();
            case NullKind::hangs: {
                Reply reply;
                reply.end = Reply::End::hang;
                return reply;
            }
            case NullKind::echoes: break;
        }
        Answer answer;
        answer.status = 200;
        answer.fields = {{"Content-Type", "application/json"}};
        answer.body = request.body;
        return reply_with(std::move(answer));
    }

 private:
    static Reply say(int status, const nlohmann::json& body)
    {
        Answer answer;
        answer.status = status;
        answer.fields = {{"Content-Type", "application/json"},
                         {"Date", http_date(system_milliseconds())}};
        answer.body = body.dump();
        return reply_with(std::move(answer));
    }

    nlohmann::json document() const
    {
        auto key = key_.jwk();
        key["from"] = 0;
        return {{"server", name_},
                {"api", "https://" + name_},
                {"versions", {"1"}},
                {"keys", {key}},
                {"recovery", key_.jwk()}};
    }

    // Whatever is written is taken, and nothing can be read.
    Reply serve_client(const Request& request) const
    {
        if (request.target == "/api/v1/auth/login") return say(200, {{"access_token", "none"}});
        if (request.method == "GET")
            return say(200, {{"entries", nlohmann::json::array()}, {"status", "pending"}});
        return say(201, {{"channel", time_uuid(system_milliseconds()) + "@" + name_},
                         {"event", base64url(random_octets(32))}});
    }

    const std::string name_;
    const NullKind kind_;
    const SigningKey key_;
};

}  // namespace

std::string_view name_of(NullKind kind)
{
    switch (kind) {
        case NullKind::always_200: return "always 200";
        case NullKind::always_401: return "always 401";
        case NullKind::always_500: return "always 500";
        case NullKind::closes: return "closes";
        case NullKind::hangs: return "hangs";
        case NullKind::echoes: return "echoes";
    }
    return "";
}

std::unique_ptr<Host> start_null(const Settings& settings, NullKind kind)
{
    auto host = std::make_unique<Host>(
        settings.listen, Authority::load(text_of_file(settings.file("authority.pem")),
                                         text_of_file(settings.file("authority.key"))));
    host->add(settings.name, std::make_shared<NullSite>(settings.name, kind));
    return host;
}

}  // namespace entente::conformance::reference
