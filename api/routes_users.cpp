// /users: what people show of themselves, here and on other servers.
#include <utility>

#include "api/api.hpp"
#include "api/asking.hpp"
#include "api/json_body.hpp"
#include "api/wire.hpp"
#include "federation/people/announcer.hpp"
#include "protocol/people_queries.hpp"
#include "protocol/raw_members.hpp"
#include "storage/announcement_store.hpp"
#include "storage/device_store.hpp"

namespace entente::api {
namespace {

using RouteResult = asio::awaitable<Result<net::Response>>;

constexpr std::size_t max_profile_body = 16 * 1024;

asio::awaitable<Result<net::Response>> show(Api& api, protocol::UserId user)
{
    auto shown = co_await api.people().look_up(std::move(user));
    if (!shown) co_return fail(shown);
    co_return json_response(200, protocol::write_user(*shown));
}

RouteResult own(Api& api, Caller caller, const net::Request&)
{
    auto shown = co_await show(api, caller.user);
    co_return shown;
}

RouteResult look_up_user(Api& api, Caller caller, const net::Request& request)
{
    auto text = decode_segment(request.captures.front());
    if (!text) co_return fail(text);
    auto user = protocol::parse_user_id(*text, api.options().names);
    if (!user) co_return refuse(Code::not_found, "no such user");
    auto permitted = ask_policies(api, caller,
                                  {trust::policy::Action::directory_look_up,
                                   trust::policy::ResourceKind::account,
                                   user->str(),
                                   protocol::server_of(*user).str(),
                                   {}});
    if (!permitted) co_return fail(permitted);
    if (protocol::server_of(*user) != api.options().server) {
        auto allowed = api.people_rates().take(caller.user.str(), api.now());
        if (!allowed) co_return fail(allowed);
    }
    auto shown = co_await show(api, std::move(*user));
    co_return shown;
}

// What isn't named stays as it is.
RouteResult change(Api& api, Caller caller, const net::Request& request)
{
    auto object = object_text(request);
    if (!object) co_return fail(object);
    protocol::RawMembers members{*object, ""};
    auto name = members.may_text("name", protocol::max_profile_name_octets);
    auto avatar = members.may_text("avatar", protocol::max_avatar_octets);
    if (members.error()) co_return protocol::Failure{*members.error()};
    auto job = [user = caller.user, account = caller.account, name = std::move(name),
                avatar =
                    std::move(avatar)](storage::WriteTransaction& transaction) -> Result<void> {
        auto& db = transaction.db();
        auto profile = storage::profile_of(db, account);
        if (!profile) return fail(profile);
        if (name) profile->name = *name;
        if (avatar) profile->avatar = *avatar;
        auto noted = storage::put_announcement(db, user.str(), federation::profile_changed);
        if (!noted) return noted;
        return storage::set_profile(db, account, *profile);
    };
    auto changed = co_await api.parts().commit.write(std::move(job));
    if (!changed) co_return fail(changed);
    api.people().changed(caller.user);
    auto shown = co_await show(api, caller.user);
    co_return shown;
}

}  // namespace

void add_user_routes(net::Router& router, Api& api)
{
    router.add({"GET", "/api/v1/users/me", 0, caller_route(api, own)});
    router.add({"PATCH", "/api/v1/users/me", max_profile_body, caller_route(api, change)});
    router.add({"GET", "/api/v1/users/{user}", 0, caller_route(api, look_up_user)});
}

}  // namespace entente::api
