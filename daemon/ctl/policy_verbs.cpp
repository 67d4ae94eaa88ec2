// policy: what is allowed here, in every version; trust explain and trust rehearse: why, and what
// another policy would have decided.
#include <charconv>
#include <iostream>
#include <optional>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "daemon/ctl/asking.hpp"
#include "daemon/ctl/files.hpp"
#include "daemon/ctl/text.hpp"
#include "daemon/ctl/verbs.hpp"
#include "trust/policy/language.hpp"

namespace entente::daemon::ctl {

using nlohmann::json;

namespace {

constexpr const char* policies_path = "/control/v1/policies";

struct PolicyOptions {
    std::string name, file, reason;
    std::int64_t version = 0;
    std::string since = "7d";
};
struct ExplainOptions {
    std::string subject, action, resource;
};

std::string path_of(const PolicyOptions& options, const std::string& what = "")
{
    return std::string(policies_path) + "/" + query_text(options.name) + what;
}

std::string number_of(const json& object, const char* name)
{
    return std::to_string(object.value(name, std::int64_t{0}));
}

Result<std::string> policy_text(const std::string& file)
{
    auto text = read_file(file, trust::policy::max_policy_octets);
    if (text && text->size() > trust::policy::max_policy_octets)
        return refuse(Code::too_large, file + " is over 1 MiB");
    return text;
}

// The text in the file, posted.
Asked post_file(const Settings& settings, const std::string& target, const std::string& file)
{
    auto text = policy_text(file);
    if (!text) return {std::nullopt, failed(text.error())};
    return ask_daemon(settings,
                      [&](Daemon& daemon) { return daemon.post_text(target, std::move(*text)); });
}

int list_policies(const Settings& settings)
{
    const auto asked =
        ask_daemon(settings, [](Daemon& daemon) { return daemon.get(policies_path); });
    if (!asked.answer) return asked.exit_code;
    if (settings.json) return show_json(*asked.answer);
    std::vector<Row> rows{{"POLICY", "VERSION", "RULES", "FROM", "REASON"}};
    for (const auto& one : asked.answer->at("policies")) {
        const bool is_shipped = one.value("shipped", false);
        const auto author = one.contains("author") ? harmless(one.value("author", "")) + ", " +
                                                         time_text(one.value("at", std::int64_t{0}))
                                                   : std::string();
        rows.push_back(
            {one.value("policy", ""), number_of(one, "version"), number_of(one, "rules"),
             is_shipped ? "as shipped" + (author.empty() ? "" : " again, by " + author) : author,
             one.contains("left_out") ? "LEFT OUT: " + harmless(one.value("left_out", ""))
                                      : harmless(one.value("reason", ""))});
    }
    print_table(std::cout, rows);
    return exit_done;
}

int print_text(const Settings& settings, const Asked& asked)
{
    if (!asked.answer) return asked.exit_code;
    if (settings.json) return show_json(*asked.answer);
    const auto& text = asked.answer->at("text");
    if (text.is_string()) std::cout << text.get<std::string>() << "\n";
    return exit_done;
}

int show_policy(const Settings& settings, const PolicyOptions& options)
{
    return print_text(settings, ask_daemon(settings, [&](Daemon& daemon) {
                          return daemon.get(path_of(options));
                      }));
}

int say_version(const Settings& settings, const Asked& asked, const std::string& name,
                const std::string& what)
{
    if (!asked.answer) return asked.exit_code;
    if (settings.json) return show_json(*asked.answer);
    std::cout << name << " " << what << number_of(*asked.answer, "version") << "\n";
    if (!asked.answer->contains("unasked")) return exit_done;
    std::cout << "nothing asks about these actions yet, so its rules have no effect on them:";
    for (const auto& action : asked.answer->at("unasked"))
        std::cout << " " << action.get<std::string>();
    std::cout << "\n";
    return exit_done;
}

int put_policy(const Settings& settings, const PolicyOptions& options)
{
    const auto asked = post_file(
        settings, path_of(options, "?reason=" + query_text(options.reason)), options.file);
    return say_version(settings, asked, options.name, "is in force as version ");
}

int check_policy(const Settings& settings, const PolicyOptions& options)
{
    const auto asked = post_file(settings, path_of(options, "/check"), options.file);
    return say_version(settings, asked, options.name, "could be put, as version ");
}

int restore_policy(const Settings& settings, const PolicyOptions& options)
{
    const auto asked = ask_daemon(settings, [&](Daemon& daemon) {
        return daemon.post(path_of(options, "/restore?version=" + std::to_string(options.version) +
                                                "&reason=" + query_text(options.reason)));
    });
    return say_version(settings, asked, options.name, "is in force as version ");
}

int policy_versions(const Settings& settings, const PolicyOptions& options)
{
    const auto asked = ask_daemon(settings, [&](Daemon& daemon) {
        return daemon.get_all(path_of(options, "/versions"), "versions", "version");
    });
    if (!asked.answer) return asked.exit_code;
    if (settings.json) return show_json(*asked.answer);
    std::vector<Row> rows{{"VERSION", "AT", "BY", "WHAT", "REASON"}};
    for (const auto& one : asked.answer->at("versions"))
        rows.push_back({one.value("version", ""), time_text(one.value("at", std::int64_t{0})),
                        harmless(one.value("author", "")),
                        one.at("text").is_null() ? "taken back" : "a text",
                        harmless(one.value("reason", ""))});
    print_table(std::cout, rows);
    return exit_done;
}

std::string outcome_of(const json& decision)
{
    if (!decision.contains("depends_on")) return decision.value("outcome", "");
    std::string names;
    for (const auto& name : decision.at("depends_on"))
        names += (names.empty() ? "" : ", ") + name.get<std::string>();
    return "depends on " + names;
}

int explain(const Settings& settings, const ExplainOptions& options)
{
    auto target = "/control/v1/trust/explain?subject=" + query_text(options.subject);
    if (!options.action.empty()) target += "&action=" + query_text(options.action);
    if (!options.resource.empty()) target += "&resource=" + query_text(options.resource);
    const auto asked = ask_daemon(settings, [&](Daemon& daemon) { return daemon.get(target); });
    if (!asked.answer) return asked.exit_code;
    if (settings.json) return show_json(*asked.answer);
    if (asked.answer->contains("tier"))
        std::cout << "its server is " << asked.answer->value("tier", "") << " ("
                  << asked.answer->value("reason", "") << ")\n";
    std::vector<Row> rows{{"ACTION", "OUTCOME", "RULE", "EFFECTS"}};
    for (const auto& one : asked.answer->at("decisions")) {
        rows.push_back({one.value("action", ""), outcome_of(one), one.value("rule", ""), ""});
        if (options.action.empty()) continue;
        for (const auto& match : one.at("matches"))
            rows.push_back({"", "", match.value("rule", ""), match.value("effects", "")});
    }
    print_table(std::cout, rows);
    return exit_done;
}

// Of "7d", "12h" or "30m", up to 7 days; nothing where it is none.
std::optional<std::int64_t> seconds_in(const std::string& text)
{
    constexpr std::int64_t most = 7 * 86'400;
    std::int64_t number = 0;
    const auto* end = text.data() + text.size();
    const auto read = std::from_chars(text.data(), end, number);
    if (read.ec != std::errc{} || read.ptr + 1 != end || number < 1 || number > most)
        return std::nullopt;
    const std::int64_t unit = *read.ptr == 'd'   ? 86'400
                              : *read.ptr == 'h' ? 3'600
                              : *read.ptr == 'm' ? 60
                                                 : 0;
    if (unit == 0 || number * unit > most) return std::nullopt;
    return number * unit;
}

int rehearse(const Settings& settings, PolicyOptions options)
{
    if (options.name.empty()) {
        const auto slash = options.file.find_last_of('/');
        options.name = options.file.substr(slash == std::string::npos ? 0 : slash + 1);
        options.name = options.name.substr(0, options.name.find('.'));
    }
    const auto asked = post_file(
        settings, path_of(options, "/rehearse?since=" + std::to_string(*seconds_in(options.since))),
        options.file);
    if (!asked.answer) return asked.exit_code;
    if (settings.json) return show_json(*asked.answer);
    std::cout << number_of(*asked.answer, "decided") << " decisions, "
              << number_of(*asked.answer, "differing") << " would be others\n";
    if (asked.answer->value("drifted", std::int64_t{0}) > 0)
        std::cout << number_of(*asked.answer, "drifted")
                  << " are others already with the policies of today\n";
    std::vector<Row> rows{{"ACTION", "WHO", "ON", "BEFORE", "AFTER"}};
    for (const auto& one : asked.answer->at("differences"))
        rows.push_back({one.value("action", ""), harmless(one.value("subject", "")),
                        harmless(one.value("resource", "")),
                        one.value("before", "") + " by " + one.value("rule_before", ""),
                        one.value("after", "") + " by " + one.value("rule_after", "")});
    if (rows.size() > 1) print_table(std::cout, rows);
    return exit_done;
}

std::string since_fault(const std::string& text)
{
    return seconds_in(text) ? "" : text + " is no time up to 7d, such as 7d, 12h or 30m";
}

std::string policy_name_fault(const std::string& text)
{
    return trust::policy::is_policy_id(text)
               ? ""
               : text + " is no policy's name: 1 to 64 of a-z, 0-9, dot, hyphen, underscore";
}

}  // namespace

void add_policy_verbs(Verbs& verbs)
{
    auto& group = verbs.group("policy", "What is allowed here: rules, in every version");
    verbs.add(group, "list", "All policies, and whose each is", list_policies);
    const auto add = [&](const char* name, const char* help, auto run) -> auto& {
        const auto options = std::make_shared<PolicyOptions>();
        auto& verb = verbs.add(group, name, help, [options, run](const Settings& settings) {
            return run(settings, *options);
        });
        verb.add_option("NAME", options->name, "The policy's")
            ->required()
            ->check(policy_name_fault);
        return *options;
    };
    const auto last = [&]() -> CLI::App& { return *verbs.list().back().app; };
    add("show", "Its text as it is in force", show_policy);
    const auto add_file = [&](PolicyOptions& options) {
        last().add_option("FILE", options.file, "Its text, up to 1 MiB")->required();
    };
    const auto add_reason = [&](PolicyOptions& options) {
        last()
            .add_option("--reason", options.reason, "Why, for the audit log")
            ->type_name("TEXT")
            ->required();
    };
    auto& putting = add("put", "Puts a text into force, as a new version", put_policy);
    add_file(putting);
    add_reason(putting);
    add_file(
        add("check", "Says whether put would take it, and what is wrong with it", check_policy));
    add("versions", "Every version there was, by whom and why", policy_versions);
    auto& restoring =
        add("restore", "Puts an earlier version's text into force again", restore_policy);
    last()
        .add_option("VERSION", restoring.version, "0: as shipped; none, where none is shipped")
        ->required()
        ->check(CLI::NonNegativeNumber);
    add_reason(restoring);
}

void add_decision_verbs(Verbs& verbs, CLI::App& trust)
{
    const auto options = std::make_shared<ExplainOptions>();
    auto& explaining =
        verbs.add(trust, "explain", "What a server or user may do here, and by which rule",
                  [options](const Settings& settings) { return explain(settings, *options); });
    explaining.add_option("SUBJECT", options->subject, "A server, or a user")->required();
    explaining.add_option("ACTION", options->action, "Only this one, with all rules that hold");
    explaining.add_option("RESOURCE", options->resource, "A channel or a user it is done to");
    const auto trying = std::make_shared<PolicyOptions>();
    auto& rehearsing = verbs.add(
        trust, "rehearse", "What would have been decided otherwise with the policy in the file",
        [trying](const Settings& settings) { return rehearse(settings, *trying); });
    rehearsing.add_option("FILE", trying->file, "Its text")->required();
    rehearsing.add_option("--policy", trying->name, "In whose place; else as the file is called")
        ->type_name("NAME")
        ->check(policy_name_fault);
    rehearsing.add_option("--since", trying->since, "So far back, 7d at most: 7d, 12h, 30m")
        ->check(since_fault)
        ->capture_default_str();
}

}  // namespace entente::daemon::ctl
