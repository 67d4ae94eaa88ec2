// /auth: register, login, refresh, logout, tickets for the WebSocket.
#include <utility>

#include <nlohmann/json.hpp>

#include "api/api.hpp"
#include "api/json_body.hpp"
#include "api/text_limits.hpp"
#include "api/wire.hpp"
#include "net/source_key.hpp"
#include "protocol/ed25519.hpp"
#include "protocol/json_rules.hpp"
#include "protocol/octets.hpp"

namespace entente::api {
namespace {

using nlohmann::json;
using RouteResult = asio::awaitable<Result<net::Response>>;
namespace policy = trust::policy;
using A = policy::Attribute;

constexpr std::size_t max_auth_body = 16 * 1024;
constexpr std::size_t max_name_octets = 64;
constexpr std::size_t max_token_octets = 128;

struct Credentials {
    std::string name;
    std::string password;
    std::string code;
    std::string new_password;  // with one that is for one login
    storage::DeviceInfo device;
};

Result<storage::DeviceInfo> read_device(const json& object)
{
    Members members{object, "/device"};
    storage::DeviceInfo device;
    device.device = members.uuid("id");
    const auto x = members.text("key", max_token_octets);
    device.name = members.text_or("name", "", max_device_name_octets);
    if (!members.error()) {
        auto key = protocol::PublicKey::from_x(x);
        if (key)
            device.key = std::string{key->octets()};
        else
            members.breach("key", "an Ed25519 public key in base64url is needed");
    }
    if (members.error()) return protocol::Failure{*members.error()};
    return device;
}

Result<Credentials> read_credentials(const net::Request& request)
{
    auto body = parse_body(request);
    if (!body) return fail(body);
    Members members{*body, ""};
    Credentials credentials;
    credentials.name = members.text("name", max_name_octets);
    credentials.password = members.text("password", max_password_octets);
    credentials.code = members.text_or("code", "", max_token_octets);
    credentials.new_password = members.text_or("new_password", "", max_password_octets);
    const auto* device = members.object("device");
    if (members.error()) return protocol::Failure{*members.error()};
    auto read = read_device(*device);
    if (!read) return fail(read);
    credentials.device = std::move(*read);
    return credentials;
}

std::string tokens_json(const Tokens& tokens)
{
    std::string out = R"({"user":)" + protocol::json_string(tokens.user.str());
    out += R"(,"role":")" + std::string{storage::to_text(tokens.role)};
    out += R"(","session":")" + tokens.session.str();
    out += R"(","access_token":")" + tokens.access;
    out += R"(","token_type":"Bearer","expires_in":)" + std::to_string(access_token_life_s);
    out += R"(,"refresh_token":")" + tokens.refresh + "\"}";
    return out;
}

// Tokens are nothing that a cache may keep.
net::Response tokens_response(int status, const Tokens& tokens)
{
    auto response = json_response(status, tokens_json(tokens));
    response.fields.emplace_back("Cache-Control", "no-store");
    return response;
}

Result<void> check_registration(Registration mode, const Credentials& wanted)
{
    if (mode == Registration::closed) return refuse(Code::forbidden, "registration is closed here");
    if (mode == Registration::invite && wanted.code.empty())
        return refuse(Code::forbidden, "/code: registration needs a code here");
    if (!protocol::is_localpart(wanted.name))
        return refuse(Code::malformed,
                      "/name: 1 to 64 of a-z 0-9 . _ -, the first a letter or digit");
    return check_password(wanted.password);
}

// Nobody yet, who wants to be somebody.
Result<void> ask_registration(const Api& api, const net::Request& request, const std::string& name)
{
    const auto& own = api.options().server.str();
    const auto user = name + "@" + own;
    const auto network = net::source_key(request.source);
    policy::Request asked{policy::Action::account_register};
    asked.word(A::subject_kind, policy::SubjectKind::user)
        .text(A::subject_id, user)
        .text(A::subject_server, own)
        .flag(A::subject_local, true)
        .word(A::subject_role, policy::ServerRole::none)
        .word(A::resource_kind, policy::ResourceKind::account)
        .text(A::resource_id, user)
        .text(A::resource_server, own)
        .text(A::context_network, network);
    auto ruling = api.parts().policies.decide(asked);
    if (!ruling) return fail(ruling);
    return {};
}

asio::awaitable<Result<storage::Account>> account_of(Api& api, std::string name)
{
    auto job = [name = std::move(name)](storage::Connection& db) {
        return storage::find_user(db, name);
    };
    co_return co_await api.parts().commit.read(std::move(job));
}

RouteResult register_user(Api& api, const net::Request& request)
{
    auto wanted = read_credentials(request);
    if (!wanted) co_return fail(wanted);
    const auto mode = api.settings().values().registration;
    auto allowed = check_registration(mode, *wanted);
    if (allowed) allowed = ask_registration(api, request, wanted->name);
    if (!allowed) co_return fail(allowed);
    auto hash = co_await api.passwords().hash(wanted->password);
    if (!hash) co_return fail(hash);

    const bool by_code = mode == Registration::invite;
    auto job = [name = wanted->name, hash = *hash, code = protocol::sha256(wanted->code), by_code,
                now = api.now()](storage::WriteTransaction& transaction) {
        if (by_code) return storage::create_user_by_code(transaction.db(), code, name, hash, now);
        return storage::create_user(transaction.db(), name, hash, storage::AccountRole::user, now);
    };
    auto created = co_await api.parts().commit.write(std::move(job));
    if (!created) co_return fail(created);

    auto account = co_await account_of(api, wanted->name);
    if (!account) co_return fail(account);
    auto tokens = co_await api.sessions().open(std::move(*account), wanted->device);
    if (!tokens) co_return fail(tokens);
    co_return tokens_response(201, *tokens);
}

// Of who has shown his password. One that is for one login is over at some time, and opens a
// session only together with the one that replaces it.
Result<void> check_account(const storage::Account& account, const Credentials& given,
                           protocol::Millis now)
{
    if (account.one_time_until && *account.one_time_until <= now)
        return refuse(Code::unauthenticated, "name or password is wrong");
    if (account.banned) return refuse(Code::forbidden, "this account is banned");
    if (account.suspended) return refuse(Code::forbidden, "this account is suspended");
    if (!account.one_time_until) return {};
    if (given.new_password.empty())
        return refuse(Code::forbidden,
                      "/new_password: this password is for one login: one of "
                      "your own is needed with it");
    if (given.new_password == given.password)
        return refuse(Code::malformed, "/new_password: it has to be another");
    auto fine = check_password(given.new_password);
    if (!fine) fine.error().hint.replace(0, std::string_view("/password").size(), "/new_password");
    return fine;
}

// One answer for a wrong name and a wrong password, after the same work.
RouteResult login(Api& api, const net::Request& request)
{
    auto given = read_credentials(request);
    if (!given) co_return fail(given);
    auto account = co_await account_of(api, given->name);
    if (!account && account.error().code != Code::not_found) co_return fail(account);
    auto stored = account ? account->password_hash : std::string{};
    auto matches = co_await api.passwords().matches(std::move(stored), given->password);
    if (!matches) co_return fail(matches);
    if (!*matches) co_return refuse(Code::unauthenticated, "name or password is wrong");
    auto allowed = check_account(*account, *given, api.now());
    if (!allowed) co_return fail(allowed);
    std::string new_hash;
    if (account->one_time_until) {
        auto hashed = co_await api.passwords().hash(given->new_password);
        if (!hashed) co_return fail(hashed);
        new_hash = std::move(*hashed);
    }
    auto tokens =
        co_await api.sessions().open(std::move(*account), given->device, std::move(new_hash));
    if (!tokens) co_return fail(tokens);
    co_return tokens_response(200, *tokens);
}

RouteResult refresh(Api& api, const net::Request& request)
{
    auto body = parse_body(request);
    if (!body) co_return fail(body);
    Members members{*body, ""};
    auto token = members.text("refresh_token", max_token_octets);
    if (members.error()) co_return protocol::Failure{*members.error()};
    auto tokens = co_await api.sessions().refresh(std::move(token));
    if (!tokens) co_return fail(tokens);
    co_return tokens_response(200, *tokens);
}

RouteResult logout(Api& api, Caller caller, const net::Request&)
{
    auto ended = co_await api.sessions().end(caller.session);
    if (!ended) co_return fail(ended);
    co_return json_response(204, "");
}

RouteResult logout_all(Api& api, Caller caller, const net::Request&)
{
    auto ended = co_await api.sessions().end_all(caller.account);
    if (!ended) co_return fail(ended);
    co_return json_response(204, "");
}

RouteResult ws_ticket(Api& api, Caller caller, const net::Request&)
{
    auto ticket = api.sessions().issue_ticket(caller);
    if (!ticket) co_return fail(ticket);
    auto response = json_response(201, R"({"ticket":")" + *ticket + R"(","expires_in":)" +
                                           std::to_string(ticket_life_ms / 1000) + "}");
    response.fields.emplace_back("Cache-Control", "no-store");
    co_return response;
}

}  // namespace

void add_auth_routes(net::Router& router, Api& api)
{
    const auto post = [&](const char* pattern, net::Handler handler) {
        router.add({"POST", pattern, max_auth_body, std::move(handler)});
    };
    post("/api/v1/auth/register", open_route(api, register_user));
    post("/api/v1/auth/login", open_route(api, login));
    post("/api/v1/auth/refresh", open_route(api, refresh));
    post("/api/v1/auth/logout", caller_route(api, logout));
    post("/api/v1/auth/logout-all", caller_route(api, logout_all));
    post("/api/v1/auth/ws-ticket", caller_route(api, ws_ticket));
}

}  // namespace entente::api
