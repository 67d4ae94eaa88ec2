// Policies as the operator sees, tries and changes them; why something is decided as it is, and
// what other policies would have decided.
#include "api/policy_desk.hpp"
#include "api/policy_wire.hpp"
#include "daemon/control/answers.hpp"
#include "daemon/control/control.hpp"
#include "protocol/json_rules.hpp"

namespace entente::daemon {

namespace {

using control::Json;
namespace policy = trust::policy;

Json policy_json(const api::ShownPolicy& shown)
{
    Json json{{"policy", shown.id},
              {"version", shown.version},
              {"shipped", shown.is_shipped},
              {"rules", shown.rules}};
    if (!shown.unasked.empty()) json["unasked"] = shown.unasked;
    if (!shown.left_out.empty()) json["left_out"] = shown.left_out;
    if (shown.version == 0) return json;
    json["author"] = shown.author;
    json["reason"] = shown.reason;
    json["at"] = shown.at;
    return json;
}

Json policy_text_json(const std::optional<std::string>& text)
{
    return text ? Json(*text) : Json();
}

api::PolicyWish policy_wish_in(const net::Request& request)
{
    return {request.captures.at(0), std::nullopt, request.body,
            request.parameter("reason").value_or("")};
}

}  // namespace

void Control::add_policy_routes(net::Router& router)
{
    const std::string path = "/control/v1/policies";
    router.add({"GET", path, 0, [this](const net::Request& request) { return policies(request); }});
    router.add({"GET", path + "/{policy}", 0,
                [this](const net::Request& request) { return show_policy(request); }});
    router.add({"POST", path + "/{policy}", policy::max_policy_octets + 1,
                [this](const net::Request& request) { return put_policy(request); }});
    router.add({"POST", path + "/{policy}/check", policy::max_policy_octets + 1,
                [this](const net::Request& request) { return check_policy(request); }});
    router.add({"GET", path + "/{policy}/versions", 0,
                [this](const net::Request& request) { return policy_versions(request); }});
    router.add({"POST", path + "/{policy}/restore", 0,
                [this](const net::Request& request) { return restore_policy(request); }});
    router.add({"POST", path + "/{policy}/rehearse", policy::max_policy_octets + 1,
                [this](const net::Request& request) { return rehearse(request); }});
    router.add({"GET", "/control/v1/trust/explain", 0,
                [this](const net::Request& request) { return explain(request); }});
}

asio::awaitable<net::Response> Control::policies(const net::Request& /*request*/)
{
    auto all = co_await parts_.policies.list();
    if (!all) co_return control::refusal(all.error(), parts_.clock.now_ms());
    Json json{{"policies", Json::array()}};
    for (const auto& shown : *all) json["policies"].push_back(policy_json(shown));
    co_return control::answer(json);
}

asio::awaitable<net::Response> Control::shown_policy(std::string id)
{
    auto shown = co_await parts_.policies.show(std::move(id));
    if (!shown) co_return control::refusal(shown.error(), parts_.clock.now_ms());
    auto json = policy_json(*shown);
    json["text"] = policy_text_json(shown->text);
    co_return control::answer(json);
}

asio::awaitable<net::Response> Control::show_policy(const net::Request& request)
{
    co_return co_await shown_policy(request.captures.at(0));
}

asio::awaitable<net::Response> Control::put_policy(const net::Request& request)
{
    auto wish = policy_wish_in(request);
    auto id = wish.id;
    api::Administrator by;
    auto put = co_await parts_.policies.put(std::move(by), std::move(wish));
    if (!put) co_return control::refusal(put.error(), parts_.clock.now_ms());
    co_return co_await shown_policy(std::move(id));
}

asio::awaitable<net::Response> Control::check_policy(const net::Request& request)
{
    auto wish = policy_wish_in(request);
    auto checked = co_await parts_.policies.check(std::move(wish));
    if (!checked) co_return control::refusal(checked.error(), parts_.clock.now_ms());
    Json json{{"version", checked->version}};
    if (!checked->unasked.empty()) json["unasked"] = checked->unasked;
    co_return control::answer(json);
}

asio::awaitable<net::Response> Control::policy_versions(const net::Request& request)
{
    auto page = control::page_of(request);
    if (!page) co_return control::refusal(page.error(), parts_.clock.now_ms());
    std::int64_t before = 0;
    if (!page->after.empty()) {
        auto number = control::whole_number(page->after, protocol::max_json_integer);
        if (!number) co_return control::refusal(number.error(), parts_.clock.now_ms());
        before = *number;
    }
    auto rows = co_await parts_.policies.versions(request.captures.at(0), before, page->limit);
    if (!rows) co_return control::refusal(rows.error(), parts_.clock.now_ms());
    auto json = control::page_json(*page, rows->size(), parts_.clock.now_ms());
    json["versions"] = Json::array();
    for (const auto& row : *rows)
        json["versions"].push_back({{"version", std::to_string(row.version)},
                                    {"author", row.author},
                                    {"reason", row.reason},
                                    {"at", row.at},
                                    {"text", policy_text_json(row.text)}});
    co_return control::answer(json);
}

// ?version=, ?reason=
asio::awaitable<net::Response> Control::restore_policy(const net::Request& request)
{
    const auto text = request.parameter("version").value_or("");
    auto version = text == "0" ? Result<std::int64_t>{0}
                               : control::whole_number(text, protocol::max_json_integer);
    if (!version) co_return control::refusal(version.error(), parts_.clock.now_ms());
    auto id = request.captures.at(0);
    auto reason = request.parameter("reason").value_or("");
    api::Administrator by;
    auto put = co_await parts_.policies.restore(std::move(by), id, *version, std::move(reason));
    if (!put) co_return control::refusal(put.error(), parts_.clock.now_ms());
    co_return co_await shown_policy(std::move(id));
}

// ?since=, so many seconds ago; a week where it is absent.
asio::awaitable<net::Response> Control::rehearse(const net::Request& request)
{
    const auto text = request.parameter("since").value_or(std::to_string(api::max_rehearsed_s));
    auto seconds = control::whole_number(text, api::max_rehearsed_s);
    if (!seconds) co_return control::refusal(seconds.error(), parts_.clock.now_ms());
    auto wish = policy_wish_in(request);
    const auto since = parts_.clock.now_ms() - *seconds * 1'000;
    auto done = co_await parts_.policies.rehearse(std::move(wish), since);
    if (!done) co_return control::refusal(done.error(), parts_.clock.now_ms());
    co_return control::answer(api::rehearsal_json(*done));
}

// ?subject=, ?action=, ?resource=
asio::awaitable<net::Response> Control::explain(const net::Request& request)
{
    const auto& self = parts_.identity;
    auto wish = api::explain_wish_in(request, parts_.trust, self.name, self.names);
    if (!wish) co_return control::refusal(wish.error(), parts_.clock.now_ms());
    auto question = wish->question;
    auto all = co_await parts_.policies.explain(std::move(question));
    if (!all) co_return control::refusal(all.error(), parts_.clock.now_ms());
    co_return control::answer(api::explained_json(*wish, *all));
}

}  // namespace entente::daemon
