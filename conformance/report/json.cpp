// The report itself: what a run found, as JSON that never fails to be written.
#include <algorithm>
#include <array>
#include <ctime>
#include <utility>

#include "conformance/cli/options.hpp"
#include "conformance/report/clauses.hpp"
#include "conformance/report/report.hpp"
#include "conformance/report/signature.hpp"
#include "conformance/report/visible.hpp"
#include "conformance/report/words.hpp"
#include "conformance/wire/octets.hpp"

namespace entente::conformance {

namespace {

// Octets of a sentence, of a name.
constexpr std::size_t max_sentence = 4'096;
constexpr std::size_t max_name = 256;
// What is kept of a case's exchanges, and of all: octets. The last ones tell most.
constexpr std::size_t first_exchanges = 8;
constexpr std::size_t last_exchanges = 56;
constexpr std::size_t max_case_octets = 2 * 1024 * 1024;
// As JSON at most twice as much, which leaves room below max_report for all else.
constexpr std::size_t max_report_octets = 24 * 1024 * 1024;

std::string sentence(std::string_view text)
{
    return bounded(utf8_of(text), max_sentence);
}

// RFC 3339, in UTC.
std::string time_text(std::int64_t at)
{
    const auto seconds = static_cast<std::time_t>(at / 1000);
    std::tm parts{};
    ::gmtime_r(&seconds, &parts);
    std::array<char, 32> text{};
    const auto length = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts);
    auto fraction = std::to_string(1000 + at % 1000);
    return std::string(text.data(), length) + "." + fraction.substr(1) + "Z";
}

// Whether people can read it as it is. JSON would spell other control characters six times as long.
bool is_text(std::string_view octets)
{
    return is_utf8(octets) && std::all_of(octets.begin(), octets.end(), [](char c) {
               return static_cast<unsigned char>(c) >= 0x20 || c == '\t' || c == '\n' || c == '\r';
           });
}

// Trial has already cut what is as long as it keeps.
nlohmann::json kept(std::string_view octets)
{
    const bool cut = octets.size() >= Exchange::max_kept;
    // Whole code points, where they are some.
    const auto whole = octets.substr(0, Exchange::max_kept);
    const auto text = cut ? beginning_of(whole, Exchange::max_kept - 1) : whole;
    nlohmann::json json =
        is_text(text) ? nlohmann::json{{"text", text}} : nlohmann::json{{"base64", base64(text)}};
    if (cut) json["cut"] = true;
    return json;
}

std::size_t octets_of(const Exchange& one)
{
    return one.what.size() + one.sent.size() + one.received.size() +
           std::min(one.request_base.size(), Exchange::max_kept) +
           std::min(one.answer_base.size(), Exchange::max_kept);
}

nlohmann::json exchange_json(const Exchange& one)
{
    nlohmann::json json = {{"at", one.at},
                           {"what", bounded(utf8_of(one.what), max_name)},
                           {"from_target", one.from_target},
                           {"sent", kept(one.sent)},
                           {"received", kept(one.received)}};
    if (!one.request_base.empty()) json["request_base"] = kept(one.request_base);
    if (!one.answer_base.empty()) json["answer_base"] = kept(one.answer_base);
    return json;
}

// `left`: octets that the report has left for exchanges.
void add_exchanges(nlohmann::json& json, const Verdict& verdict, std::size_t& left)
{
    const auto& all = verdict.exchanges;
    auto own = std::min(max_case_octets, left);
    const auto skipped_from = std::min(first_exchanges, all.size());
    const auto skipped_to =
        std::max(skipped_from, all.size() - std::min(last_exchanges, all.size()));
    auto kept_ones = nlohmann::json::array();
    for (std::size_t place = 0; place < all.size(); ++place) {
        if (place >= skipped_from && place < skipped_to) continue;
        const auto size = octets_of(all[place]);
        if (size > own) continue;
        own -= size;
        left -= size;
        kept_ones.push_back(exchange_json(all[place]));
    }
    json["exchanges_left_out"] = verdict.exchanges_left_out + all.size() - kept_ones.size();
    json["exchanges"] = std::move(kept_ones);
}

nlohmann::json case_json(const Verdict& verdict, const Invocation& invocation,
                         const RunOptions& options, std::size_t& left)
{
    const auto* known = find_case(verdict.case_id);
    const bool verifies = known != nullptr && std::find(known->hooks.begin(), known->hooks.end(),
                                                        "verify") != known->hooks.end();
    const auto repro = invocation.command("repro " + verdict.case_id) + " --seed " +
                       std::to_string(options.seed) + (verifies ? invocation.vectors : "");
    nlohmann::json json = {{"id", verdict.case_id},
                           {"state", name_of(verdict.state)},
                           {"assertion", sentence(verdict.assertion)},
                           {"detail", sentence(verdict.detail)},
                           {"milliseconds", verdict.milliseconds},
                           {"expected_because", sentence(verdict.expected_because)},
                           {"repro", utf8_of(repro)}};
    if (known != nullptr) {
        json["group"] = known->group;
        json["clause"] = known->clause;
        json["document"] = clause_document(known->clause);
        json["level"] = name_of(known->level);
        json["profile"] = name_of(known->profile);
        json["proves"] = known->proves;
        json["descends_from"] = known->descends_from;
    }
    if (verdict.state != State::pass) add_exchanges(json, verdict, left);
    return json;
}

// What the clauses of the cases say, each once.
nlohmann::json clauses_json(const std::vector<Verdict>& verdicts)
{
    auto json = nlohmann::json::object();
    for (const auto& verdict : verdicts) {
        const auto* one = find_case(verdict.case_id);
        const auto* clause = one == nullptr ? nullptr : find_clause(one->clause);
        if (clause != nullptr)
            json[one->clause] = {{"document", clause->document}, {"text", clause->text}};
    }
    return json;
}

nlohmann::json groups_json(const std::vector<Verdict>& verdicts)
{
    auto json = nlohmann::json::object();
    for (const auto& verdict : verdicts)
        if (const auto* one = find_case(verdict.case_id))
            json[one->group] = about_group(one->group);
    return json;
}

nlohmann::json target_json(const ReportSubject& subject)
{
    nlohmann::json json = {{"name", utf8_of(subject.name)}, {"base", utf8_of(subject.base)}};
    const auto software =
        subject.document.is_object() ? subject.document.find("software") : subject.document.end();
    for (const auto* name : {"name", "version"}) {
        if (software == subject.document.end() || !software->is_object()) break;
        const auto found = software->find(name);
        if (found != software->end() && found->is_string())
            json["software"][name] = bounded(found->get_ref<const std::string&>(), max_name);
    }
    return json;
}

nlohmann::json options_json(const RunOptions& options)
{
    auto expected = nlohmann::json::object();
    for (const auto& [id, why] : options.expected) expected[id] = sentence(why);
    return {{"profile", name_of(options.profile)},
            {"level", options.level == Level::must ? "must" : "should"},
            {"only", sentence(options.only)},
            {"skip", sentence(options.skip)},
            {"jobs", options.jobs},
            {"destructive", options.destructive},
            {"min_graded", options.min_graded},
            {"repeat", options.repeat},
            {"seed", options.seed},
            {"expected", std::move(expected)}};
}

}  // namespace

std::string specification_hash()
{
    std::string lines =
        "entente-conformance-specification-v1\nprotocol " + std::to_string(protocol_version) + "\n";
    for (const auto& one : catalogue())
        lines += one.id + "\n" + one.clause + "\n" + std::string(name_of(one.level)) + "\n" +
                 one.proves + "\n";
    return hex(sha256(lines));
}

nlohmann::json build_report(const ReportSubject& subject, const RunResult& result,
                            const RunOptions& options, Exit exit, const SigningKey& key)
{
    auto steps = next_steps(result, options, exit, subject.invocation);
    for (auto& step : steps) step = utf8_of(step);
    nlohmann::json report = {
        {"report", "entente-conformance"},
        {"format", report_format},
        {"runner", {{"name", "entente-conformance"}, {"version", runner_version}}},
        {"specification",
         {{"protocol", protocol_version},
          {"hash", specification_hash()},
          {"cases", catalogue().size()}}},
        {"target", target_json(subject)},
        {"run",
         {{"id", random_uuid()},
          {"began", time_text(result.began)},
          {"ended", time_text(result.ended)},
          {"milliseconds", std::max<std::int64_t>(result.ended - result.began, 0)}}},
        {"options", options_json(options)},
        {"graded", result.graded()},
        {"exit",
         {{"code", static_cast<int>(exit)},
          {"meaning", exit_meaning(exit, options.min_graded)},
          {"next", steps}}}};
    for (const auto state : all_states)
        report["counts"][std::string(name_of(state))] = result.count(state);
    auto cases = nlohmann::json::array();
    auto left = max_report_octets;
    for (const auto& verdict : result.verdicts)
        cases.push_back(case_json(verdict, subject.invocation, options, left));
    report["cases"] = std::move(cases);
    report["groups"] = groups_json(result.verdicts);
    report["clauses"] = clauses_json(result.verdicts);
    sign_report(report, key);
    return report;
}

nlohmann::json make_report(World& world, const RunResult& result, const RunOptions& options,
                           Exit exit, const Invocation& invocation)
{
    const auto& file = world.file();
    return build_report({file.name, file.base, world.document(), invocation}, result, options, exit,
                        SigningKey::random());
}

}  // namespace entente::conformance
