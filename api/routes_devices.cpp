// /devices and /keys: a user's own devices, what they publish, and the claim of other
// devices' one-time keys.
#include <utility>

#include <nlohmann/json.hpp>

#include "api/api.hpp"
#include "api/asking.hpp"
#include "api/device_send.hpp"
#include "api/json_body.hpp"
#include "api/key_upload.hpp"
#include "api/people_wire.hpp"
#include "api/text_limits.hpp"
#include "api/wire.hpp"
#include "federation/people/announcer.hpp"
#include "protocol/json_rules.hpp"
#include "storage/announcement_store.hpp"
#include "storage/device_store.hpp"

namespace entente::api {
namespace {

using RouteResult = asio::awaitable<Result<net::Response>>;

constexpr std::size_t max_device_body = 16 * 1024;

RouteResult list_devices(Api& api, Caller caller, const net::Request&)
{
    auto job = [account = caller.account](storage::Connection& db) {
        return storage::devices_of(db, account);
    };
    auto devices = co_await api.parts().commit.read(std::move(job));
    if (!devices) co_return fail(devices);
    std::string items = "[";
    for (const auto& device : *devices)
        append_item(items, own_device_json(device, device.device == caller.device));
    co_return json_response(200, R"({"devices":)" + items + "]}");
}

RouteResult rename(Api& api, Caller caller, const net::Request& request)
{
    auto body = parse_body(request);
    if (!body) co_return fail(body);
    Members members{*body, ""};
    const auto device = members.uuid("device");
    auto name = members.text("name", max_device_name_octets);
    if (members.error()) co_return protocol::Failure{*members.error()};
    auto answer =
        R"({"device":")" + device.str() + R"(","name":)" + protocol::json_string(name) + "}";
    auto job = [account = caller.account, device,
                name = std::move(name)](storage::WriteTransaction& transaction) {
        return storage::rename_device(transaction.db(), account, device, name);
    };
    auto renamed = co_await api.parts().commit.write(std::move(job));
    if (!renamed) co_return fail(renamed);
    co_return json_response(200, std::move(answer));
}

RouteResult revoke(Api& api, Caller caller, const net::Request& request)
{
    auto device = protocol::parse_uuid(request.captures.front());
    if (!device) co_return refuse(Code::not_found, "no such device");
    auto ended = co_await api.sessions().end_device(caller.user, caller.account, *device);
    if (!ended) co_return fail(ended);
    api.people().changed(caller.user);
    co_return json_response(204, "");
}

RouteResult upload_keys(Api& api, Caller caller, const net::Request& request)
{
    auto text = json_text(request);
    if (!text) co_return fail(text);
    auto parsed = parse_key_upload(*text);
    if (!parsed) co_return fail(parsed);
    const bool has_published = parsed->keys.has_value();
    using Counts = std::vector<storage::KeyCount>;
    auto job = [caller, upload_keys = std::move(*parsed)](
                   storage::WriteTransaction& transaction) -> Result<Counts> {
        auto& db = transaction.db();
        auto device = storage::find_device(db, protocol::localpart_of(caller.user), caller.device);
        if (!device) return fail(device);
        if (!*device) return refuse(Code::not_found, "no such device");
        auto done = storage::upload_keys(db, **device, upload_keys);
        if (!done) return fail(done);
        auto noted = upload_keys.keys ? storage::put_announcement(db, caller.user.str(),
                                                                  federation::device_changed)
                                      : Result<void>{};
        if (!noted) return fail(noted);
        return storage::key_counts(db, **device);
    };
    auto counts = co_await api.parts().commit.write(std::move(job));
    if (!counts) co_return fail(counts);
    if (has_published) api.people().changed(caller.user);
    co_return json_response(200, key_counts_json(*counts));
}

RouteResult count(Api& api, Caller caller, const net::Request&)
{
    auto counts = co_await own_key_counts(api, std::move(caller));
    if (!counts) co_return fail(counts);
    co_return json_response(200, key_counts_json(*counts));
}

using Refusals = std::vector<std::optional<Error>>;  // of each claim

// Takes out of `claims` what policies don't allow. A repeat after they have changed may thereby
// ask for something else under its txn, and is told so.
Refusals refuse_claims(const Api& api, const Caller& caller, protocol::KeyClaims& claims)
{
    Refusals refusals;
    std::vector<protocol::KeyClaim> allowed;
    for (auto& one : claims.claims) {
        auto may = ask_policies(api, caller,
                                {trust::policy::Action::key_claim, trust::policy::ResourceKind::key,
                                 one.user.str(), protocol::server_of(one.user).str()});
        refusals.push_back(may ? std::nullopt : std::optional(may.error()));
        if (may) allowed.push_back(std::move(one));
    }
    claims.claims = std::move(allowed);
    return refusals;
}

// One result for each that was asked.
std::vector<federation::ClaimResult> with_refusals(const std::vector<protocol::KeyClaim>& asked,
                                                   const Refusals& refusals,
                                                   std::vector<federation::ClaimResult> given)
{
    std::vector<federation::ClaimResult> all;
    auto next = given.begin();
    for (std::size_t at = 0; at < asked.size(); ++at) {
        if (!refusals[at]) {
            all.push_back(std::move(*next++));
            continue;
        }
        federation::ClaimResult refused;
        refused.key.claim = asked[at];
        refused.problem = refusals[at];
        all.push_back(std::move(refused));
    }
    return all;
}

RouteResult claim(Api& api, Caller caller, const net::Request& request)
{
    auto text = json_text(request);
    if (!text) co_return fail(text);
    auto claims = protocol::parse_key_claims(*text, api.options().names);
    if (!claims) co_return fail(claims);
    auto allowed = api.people_rates().take(caller.user.str(), api.now(),
                                           static_cast<double>(claims->claims.size()));
    if (!allowed) co_return fail(allowed);
    const auto asked = claims->claims;
    const auto refusals = refuse_claims(api, caller, *claims);
    auto results = co_await api.people().claim(caller.user, std::move(*claims));
    if (!results) co_return fail(results);
    auto all = with_refusals(asked, refusals, std::move(*results));
    co_return json_response(200, claimed_json(all, api.now()));
}

// Each message is charged like one that is posted.
RouteResult send(Api& api, Caller caller, const net::Request& request)
{
    auto text = json_text(request);
    if (!text) co_return fail(text);
    auto sends = parse_device_sends(*text, api.options().names);
    if (!sends) co_return fail(sends);
    auto allowed = api.user_rates().take(caller.user.str(), api.now(),
                                         static_cast<double>(sends->messages.size()));
    if (!allowed) co_return fail(allowed);
    for (auto& message : sends->messages) {
        auto may =
            ask_policies(api, caller,
                         {trust::policy::Action::device_send, trust::policy::ResourceKind::account,
                          message.user.str(), protocol::server_of(message.user).str(),
                          static_cast<std::int64_t>(message.message.size())});
        if (!may) message.refusal = may.error();
    }
    federation::Actor actor{caller.user, caller.device, sends->txn, person_of(caller)};
    auto results = co_await api.people().send(std::move(actor), sends->messages);
    if (!results) co_return fail(results);
    co_return json_response(201, sent_json(sends->messages, *results, api.now()));
}

}  // namespace

void add_device_routes(net::Router& router, Api& api)
{
    const auto add = [&](const char* method, const char* pattern, std::size_t body,
                         CallerRoute route) {
        router.add({method, pattern, body, caller_route(api, route)});
    };
    add("GET", "/api/v1/devices", 0, list_devices);
    add("POST", "/api/v1/devices", max_device_body, rename);
    add("DELETE", "/api/v1/devices/{device}", max_device_body, revoke);
    add("POST", "/api/v1/devices/messages", max_device_send_octets, send);
    add("POST", "/api/v1/keys/upload", max_upload_octets, upload_keys);
    add("GET", "/api/v1/keys/count", 0, count);
    add("POST", "/api/v1/keys/claim", protocol::max_claim_body_octets, claim);
}

}  // namespace entente::api
