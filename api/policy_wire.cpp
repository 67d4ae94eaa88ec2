#include "api/policy_wire.hpp"

#include <string>
#include <utility>

#include <nlohmann/json.hpp>

namespace entente::api {

namespace {

using nlohmann::json;
namespace policy = trust::policy;

json attribute_names(policy::Attributes attributes)
{
    auto names = json::array();
    for (std::size_t at = 0; at < policy::attribute_count; ++at) {
        const auto attribute = static_cast<policy::Attribute>(at);
        if ((attributes & policy::bit(attribute)) != 0)
            names.push_back(policy::row_of(attribute).name);
    }
    return names;
}

json decision_json(const Explained& explained)
{
    json one{{"action", policy::row_of(explained.action).name}, {"matches", json::array()}};
    if (!policy::is_asked(explained.action)) {
        one["outcome"] = "unasked";
    } else if (explained.depends_on != 0) {
        one["outcome"] = "depends";
        one["depends_on"] = attribute_names(explained.depends_on);
    } else {
        one["outcome"] = policy::to_text(explained.outcome);
        one["rule"] = explained.rule;
    }
    for (const auto& match : explained.matches) {
        json matched{{"rule", match.rule.text()},
                     {"effects", match.effects},
                     {"scope", policy::to_text(match.scope)}};
        if (!match.note.empty()) matched["note"] = match.note;
        one["matches"].push_back(std::move(matched));
    }
    return one;
}

}  // namespace

Result<ExplainWish> explain_wish_in(const net::Request& request, const TrustDesk& trust,
                                    const protocol::ServerName& self, protocol::NameRules names)
{
    ExplainWish wish;
    auto& question = wish.question;
    question.subject = request.parameter("subject").value_or("");
    question.resource = request.parameter("resource").value_or("");
    if (const auto name = request.parameter("action")) {
        question.action = policy::action_from(*name);
        const auto near = policy::nearest_action(*name);
        if (!question.action)
            return refuse(
                Code::malformed,
                "there is no action " + *name +
                    (near.empty() ? std::string() : "; did you mean " + std::string(near) + "?"));
    }
    auto server =
        protocol::parse_server_name(question.subject.substr(question.subject.find('@') + 1), names);
    if (!server || *server == self) return wish;
    wish.verdict = trust.verdict(*server);
    question.tier = wish.verdict->tier;
    return wish;
}

json explained_json(const ExplainWish& wish, const std::vector<Explained>& decisions)
{
    json told{{"decisions", json::array()}};
    if (wish.verdict) {
        told["tier"] = trust::to_text(wish.verdict->tier);
        told["reason"] = trust::to_text(wish.verdict->reason);
    }
    for (const auto& one : decisions) told["decisions"].push_back(decision_json(one));
    return told;
}

json rehearsal_json(const policy::Rehearsal& rehearsal)
{
    json told{{"decided", rehearsal.decided},
              {"unreadable", rehearsal.unreadable},
              {"differing", rehearsal.differing},
              {"drifted", rehearsal.drifted},
              {"differences", json::array()}};
    for (const auto& one : rehearsal.differences)
        told["differences"].push_back({{"action", policy::row_of(one.action).name},
                                       {"before", policy::to_text(one.before)},
                                       {"after", policy::to_text(one.after)},
                                       {"rule_before", one.rule_before},
                                       {"rule_after", one.rule_after},
                                       {"only_effects", one.only_effects},
                                       {"drifted", one.is_drifted},
                                       {"subject", one.subject},
                                       {"resource", one.resource}});
    return told;
}

}  // namespace entente::api
