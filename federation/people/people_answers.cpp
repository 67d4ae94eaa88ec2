#include "federation/people/people_answers.hpp"

#include <utility>

#include "federation/event_policy.hpp"
#include "protocol/ed25519.hpp"
#include "storage/account_store.hpp"
#include "storage/device_store.hpp"

namespace entente::federation {

namespace {

protocol::Failure unknown_user()
{
    return refuse(Code::not_found, "no such user");
}

net::Response response_of(const Result<std::string>& body, Millis now)
{
    if (!body) return net::problem_response(body.error(), now);
    net::Response response;
    response.body = *body;
    return response;
}

}  // namespace

Result<protocol::ShownUser> read_user(storage::Connection& db, const protocol::UserId& user)
{
    auto account = storage::find_user(db, protocol::localpart_of(user));
    if (!account && account.error().code == Code::not_found) return unknown_user();
    if (!account) return fail(account);
    if (account->suspended || account->banned) return unknown_user();
    auto profile = storage::profile_of(db, account->id);
    if (!profile) return fail(profile);
    auto devices = storage::devices_of(db, account->id);
    if (!devices) return fail(devices);
    protocol::ShownUser shown;
    shown.user = user;
    shown.name = std::move(profile->name);
    shown.avatar = std::move(profile->avatar);
    for (auto& device : *devices)
        shown.devices.push_back(
            {device.device, protocol::to_base64url(device.key), std::move(device.keys)});
    return shown;
}

PeopleAnswers::PeopleAnswers(const Identity& identity, storage::GroupCommit& commits,
                             KeyClaims& claims, trust::Budgets& budgets,
                             const protocol::Clock& clock, trust::policy::Enforcer* policies)
    : identity_(identity),
      commits_(commits),
      claims_(claims),
      budgets_(budgets),
      clock_(clock),
      policies_(policies)
{
}

asio::awaitable<net::Response> PeopleAnswers::user(const net::Request& request,
                                                   const Admitted& admitted)
{
    const auto& localpart = request.captures.at(0);
    if (!protocol::is_localpart(localpart))
        co_return net::problem_response(unknown_user().value(), clock_.now_ms());
    auto allowed = ask_policies(
        policies_, {trust::policy::Action::directory_look_up, admitted.origin, admitted.tier,
                    identity_.name, trust::policy::ResourceKind::account, localpart});
    if (!allowed) co_return net::problem_response(allowed.error(), clock_.now_ms());
    auto job = [user = protocol::UserId::trusted(localpart + "@" + identity_.name.str())](
                   storage::Connection& db) -> Result<std::string> {
        auto shown = read_user(db, user);
        if (!shown) return fail(shown);
        return protocol::write_user(*shown);
    };
    storage::Cause cause{admitted.origin.str(), 0};
    auto body = co_await commits_.read(std::move(job), std::move(cause));
    co_return response_of(body, clock_.now_ms());
}

asio::awaitable<net::Response> PeopleAnswers::claim(const net::Request& request,
                                                    const Admitted& admitted)
{
    auto body = co_await answer_claim(request, admitted);
    co_return response_of(body, clock_.now_ms());
}

// A repeat is charged as well: the asker's own server has no reason for many.
asio::awaitable<Result<std::string>> PeopleAnswers::answer_claim(const net::Request& request,
                                                                 const Admitted& admitted)
{
    auto claims = protocol::parse_key_claims(request.body, identity_.names);
    if (!claims) co_return fail(claims);
    auto allowed =
        budgets_.spend_claims(admitted.origin, admitted.tier,
                              static_cast<std::int64_t>(claims->claims.size()), clock_.now_ms());
    if (!allowed) co_return fail(allowed);
    auto answer = co_await claims_.claim(admitted.origin, admitted.tier, std::move(*claims));
    co_return answer;
}

}  // namespace entente::federation
