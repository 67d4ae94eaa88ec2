// Policies as the operator sees, tries and changes them; why something is decided as it is, and
// what other policies would have decided.
#include "api/policy_desk.hpp"
#include "daemon/control/answers.hpp"
#include "daemon/control/control.hpp"
#include "protocol/json_rules.hpp"

namespace entente::daemon {

namespace {

using control::Json;
namespace policy = trust::policy;

constexpr std::int64_t max_rehearsed_s = 7 * 86'400;

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

Json attribute_names(policy::Attributes attributes)
{
    auto names = Json::array();
    for (std::size_t at = 0; at < policy::attribute_count; ++at) {
        const auto attribute = static_cast<policy::Attribute>(at);
        if ((attributes & policy::bit(attribute)) != 0)
            names.push_back(policy::row_of(attribute).name);
    }
    return names;
}

Json explained_json(const api::Explained& explained)
{
    Json json{{"action", policy::row_of(explained.action).name}, {"matches", Json::array()}};
    if (!policy::is_asked(explained.action)) {
        json["outcome"] = "unasked";
    } else if (explained.depends_on != 0) {
        json["outcome"] = "depends";
        json["depends_on"] = attribute_names(explained.depends_on);
    } else {
        json["outcome"] = policy::to_text(explained.outcome);
        json["rule"] = explained.rule;
    }
    for (const auto& match : explained.matches) {
        Json one{{"rule", match.rule.text()},
                 {"effects", match.effects},
                 {"scope", policy::to_text(match.scope)}};
        if (!match.note.empty()) one["note"] = match.note;
        json["matches"].push_back(std::move(one));
    }
    return json;
}

Json rehearsal_json(const policy::Rehearsal& rehearsal)
{
    Json json{{"decided", rehearsal.decided},
              {"unreadable", rehearsal.unreadable},
              {"differing", rehearsal.differing},
              {"drifted", rehearsal.drifted},
              {"differences", Json::array()}};
    for (const auto& one : rehearsal.differences)
        json["differences"].push_back({{"action", policy::row_of(one.action).name},
                                       {"before", policy::to_text(one.before)},
                                       {"after", policy::to_text(one.after)},
                                       {"rule_before", one.rule_before},
                                       {"rule_after", one.rule_after},
                                       {"only_effects", one.only_effects},
                                       {"drifted", one.is_drifted},
                                       {"subject", one.subject},
                                       {"resource", one.resource}});
    return json;
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
    const auto text = request.parameter("since").value_or(std::to_string(max_rehearsed_s));
    auto seconds = control::whole_number(text, max_rehearsed_s);
    if (!seconds) co_return control::refusal(seconds.error(), parts_.clock.now_ms());
    auto wish = policy_wish_in(request);
    const auto since = parts_.clock.now_ms() - *seconds * 1'000;
    auto done = co_await parts_.policies.rehearse(std::move(wish), since);
    if (!done) co_return control::refusal(done.error(), parts_.clock.now_ms());
    co_return control::answer(rehearsal_json(*done));
}

// ?subject=, ?action=, ?resource=
asio::awaitable<net::Response> Control::explain(const net::Request& request)
{
    api::ExplainQuestion question;
    question.subject = request.parameter("subject").value_or("");
    question.resource = request.parameter("resource").value_or("");
    if (const auto name = request.parameter("action")) {
        question.action = policy::action_from(*name);
        const auto near = policy::nearest_action(*name);
        const auto wrong = refuse(
            Code::malformed,
            "there is no action " + *name +
                (near.empty() ? std::string() : "; did you mean " + std::string(near) + "?"));
        if (!question.action) co_return control::refusal(wrong.value(), parts_.clock.now_ms());
    }
    auto server = protocol::parse_server_name(
        question.subject.substr(question.subject.find('@') + 1), parts_.identity.names);
    Json json{{"decisions", Json::array()}};
    if (server && *server != parts_.identity.name) {
        const auto* pin = parts_.discovery.ring().find(*server);
        const auto standing =
            parts_.tiers.explain(*server, pin != nullptr && pin->conflict, parts_.clock.now_ms());
        question.tier = standing.tier;
        json["tier"] = trust::to_text(standing.tier);
        json["reason"] = trust::to_text(standing.reason);
    }
    auto all = co_await parts_.policies.explain(std::move(question));
    if (!all) co_return control::refusal(all.error(), parts_.clock.now_ms());
    for (const auto& one : *all) json["decisions"].push_back(explained_json(one));
    co_return control::answer(json);
}

}  // namespace entente::daemon
