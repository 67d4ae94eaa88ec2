// Discovery: what a target takes for a server's document, and what it leaves alone on the way
// there [DISC-1, DISC-2, DISC-6, DISC-7]. Delegations, certificates and waits are in
// discovery_fetch.cpp, names in discovery_names.cpp, addresses in discovery_dns.cpp.
#include <algorithm>
#include <iterator>
#include <thread>

#include "conformance/cases/discovery_parts.hpp"
#include "conformance/host/canary.hpp"

namespace entente::conformance {

namespace {

constexpr std::size_t max_document = 65'536;
constexpr Millis reading_time{5'000};
constexpr Millis reading_step{20};

// The very first request of a case: there is no control before it.
void meets_a_stranger(Trial& trial)
{
    auto& origin = trial.origin();
    const auto channel = trial.accounts().create_channel(Who::first, {});
    const auto text = trial.new_text();
    const auto join =
        make_event({{"type", "member.join"}, {"channel", channel}, {"sender", origin.user()}},
                   salted({}), trial.now());
    const auto body =
        trial.submitting(origin, channel, {join, trial.message_of(origin.user(), channel, text)});
    trial.expect_ok(patiently(trial, origin, [&] {
        return trial.transact(origin, body, {}, "the first request of a new server");
    }));
    const auto until = in(reading_time);
    for (;;) {
        const auto all = trial.accounts().messages(Who::first, channel);
        const auto times = std::count_if(all.begin(), all.end(),
                                         [&](const Message& one) { return one.text == text; });
        if (times == 1) return;
        trial.expect(times == 0 && Clock::now() < until, "once",
                     "the target's account reads it " + std::to_string(times) + " times");
        std::this_thread::sleep_for(reading_step);
    }
}

// What is answered in the document's place is made of the document's text.
std::function<void(Trial&)> turns_away_answer(const std::function<Reply(std::string)>& answer)
{
    return [=](Trial& trial) {
        auto& other = trial.another();
        other.on(at_discovery(
            [reply = answer(other.document().dump())](const Request&) { return reply; }));
        turns_away(trial, other);
    };
}

// The document with a member nobody knows, that makes it so many octets long.
DocumentChange padded_to(std::size_t octets)
{
    return [=](nlohmann::json& document, const Origin&) {
        document["padding"] = "";
        document["padding"] = std::string(octets - document.dump().size(), 'x');
    };
}

Reply redirect(int status, const std::string& location)
{
    Answer answer;
    answer.status = status;
    answer.fields = {{"Location", location}};
    return reply_with(std::move(answer));
}

// Led to another path of its own, where a whole document is.
void redirected_to_own_path(Trial& trial)
{
    auto& other = trial.another();
    other.on([text = other.document().dump(),
              name = other.name()](const Request& request) -> std::optional<Reply> {
        if (request.target == "/.well-known/entente")
            return redirect(301, "https://" + name + "/elsewhere");
        if (request.target == "/elsewhere") return reply_json(200, text);
        return std::nullopt;
    });
    trial.control();
    const auto arrival = arrive(trial, other);
    const auto followed =
        other.count([](const Received& one) { return one.request.target == "/elsewhere"; });
    trial.expect(followed == 0, "not-followed", "it followed a 301 to another path");
    expect_turned_away(trial, arrival);
}

// Led to another of the runner's hosts, which serves the whole document.
void redirected_to_other_host(Trial& trial)
{
    auto& other = trial.another();
    auto& elsewhere = trial.another("c");
    elsewhere.on(at_discovery(
        [text = other.document().dump()](const Request&) { return reply_json(200, text); }));
    other.on(at_discovery([place = elsewhere.name()](const Request&) {
        return redirect(302, "https://" + place + "/.well-known/entente");
    }));
    trial.control();
    const auto arrival = arrive(trial, other);
    trial.expect(elsewhere.connections() == 0, "not-followed", "it followed a 302 to another host");
    expect_turned_away(trial, arrival);
}

std::function<void(Trial&)> redirected_to_canary(int status, const std::string& scheme)
{
    return [=](Trial& trial) {
        auto& other = trial.another();
        const Canary canary;
        const auto location = scheme + canary.authority() + "/.well-known/entente";
        other.on(at_discovery([=](const Request&) { return redirect(status, location); }));
        trial.control();
        const auto arrival = arrive(trial, other);
        trial.expect(canary.connections() == 0, "not-followed",
                     "it followed a " + std::to_string(status) + " to " + location);
        expect_turned_away(trial, arrival);
    };
}

// Led to the place that it has just asked, for ever.
void redirected_in_a_loop(Trial& trial)
{
    auto& other = trial.another();
    other.on(at_discovery([name = other.name()](const Request&) {
        return redirect(308, "https://" + name + "/.well-known/entente");
    }));
    trial.control();
    const auto arrival = arrive(trial, other);
    trial.expect(arrival.fetches <= 1, "not-followed",
                 "it asked " + std::to_string(arrival.fetches) + " times");
    expect_turned_away(trial, arrival);
}

std::vector<Case> document_cases()
{
    return {
        {.id = "disc-01",
         .clause = "KEY-1",
         .proves = "A server that was never met is found under its own name and served",
         .run = meets_a_stranger,
         .mutants = {{"strangers-refused", "accepted"}},
         .negative = false},
        {.id = "disc-02",
         .clause = "DISC-1",
         .proves = "A document with members, versions and features that nobody knows is usable",
         .run = takes_document([](nlohmann::json& document, const Origin&) {
             document["hue"] = {{"degrees", 240}};
             document["versions"] = {"0", "1", "2-beta"};
             document["features"] = {"levitation"};
         }),
         .mutants = {{"unknown-document-member-refused", "accepted"}},
         .negative = false},
        {.id = "disc-03",
         .clause = "DISC-1",
         .proves = "A document with only its required members is usable",
         .run = takes_document([](nlohmann::json& document, const Origin&) {
             for (const auto* name : {"software", "old_keys", "statements", "max_age"})
                 document.erase(name);
         }),
         .mutants = {{"optional-document-member-required", "accepted"}},
         .negative = false},
        {.id = "disc-04",
         .clause = "DISC-1",
         .proves = "An api that names the port 443 is an https origin",
         .run = takes_document([](nlohmann::json& document, const Origin& origin) {
             document["api"] = "https://" + origin.name() + ":443";
         }),
         .mutants = {{"api-port-refused", "accepted"}},
         .negative = false},
        {.id = "disc-05",
         .clause = "DISC-1",
         .proves = "A whole document under a status of 404 is none",
         .run = turns_away_answer([](std::string text) { return reply_json(404, text); }),
         .mutants = {{"document-status-ignored", "refused"}}},
        {.id = "disc-06",
         .clause = "DISC-1",
         .proves = "A document with something behind its JSON is none",
         .run = turns_away_answer([](std::string text) { return reply_json(200, text + " }"); }),
         .mutants = {{"document-json-lenient", "refused"}}},
        {.id = "disc-07",
         .clause = "DISC-1",
         .proves = "A document that names another server isn't that of the one that was asked",
         .run = turns_away_document([](nlohmann::json& document, const Origin& origin) {
             document["server"] = "x" + origin.name();
         }),
         .mutants = {{"document-name-ignored", "refused"}}},
        {.id = "disc-08",
         .clause = "DISC-1",
         .proves = "A document whose api is plain http isn't usable",
         .run = turns_away_document([](nlohmann::json& document, const Origin& origin) {
             document["api"] = "http://" + origin.name();
         }),
         .mutants = {{"api-unchecked", "refused"}}},
        {.id = "disc-09",
         .clause = "DISC-1",
         .proves = "A document whose api has a path isn't usable",
         .run = turns_away_document([](nlohmann::json& document, const Origin& origin) {
             document["api"] = "https://" + origin.name() + "/entente";
         }),
         .mutants = {{"api-unchecked", "refused"}}},
        {.id = "disc-10",
         .clause = "DISC-1",
         .proves = "A document whose api has user information isn't usable",
         .run = turns_away_document([](nlohmann::json& document, const Origin& origin) {
             document["api"] = "https://admin@" + origin.name();
         }),
         .mutants = {{"api-unchecked", "refused"}}},
        {.id = "disc-11",
         .clause = "DISC-1",
         .proves = "A document of other protocol versions alone isn't usable",
         .run = turns_away_document(
             [](nlohmann::json& document, const Origin&) { document["versions"] = {"0", "2"}; }),
         .mutants = {{"document-versions-ignored", "refused"}}},
        {.id = "disc-12",
         .clause = "DISC-7",
         .proves = "A document with a limit of zero isn't usable",
         .run = turns_away_document([](nlohmann::json& document, const Origin&) {
             document["limits"] = {{"transaction_bytes", 0}, {"transaction_items", 1000}};
         }),
         .mutants = {{"document-limits-unchecked", "refused"}}},
        {.id = "disc-13",
         .clause = "DISC-2",
         .proves = "A document of exactly 64 KiB is usable",
         .run = takes_document(padded_to(max_document)),
         .mutants = {{"document-size-too-small", "accepted"}},
         .negative = false},
        {.id = "disc-14",
         .clause = "DISC-2",
         .proves = "A document of 64 KiB and one octet isn't",
         .run = turns_away_document(padded_to(max_document + 1)),
         .mutants = {{"document-size-unbounded", "refused"}}},
    };
}

std::vector<Case> redirect_cases()
{
    return {
        {.id = "disc-15",
         .clause = "DISC-2",
         .proves = "A redirect to another path isn't followed",
         .run = redirected_to_own_path,
         .mutants = {{"redirects-followed", "not-followed"}}},
        {.id = "disc-16",
         .clause = "DISC-2",
         .proves = "A redirect to another host isn't followed",
         .run = redirected_to_other_host,
         .mutants = {{"redirects-followed", "not-followed"}}},
        {.id = "disc-17",
         .clause = "DISC-2",
         .proves = "A redirect to an address of the target's own machine isn't followed",
         .run = redirected_to_canary(307, "https://"),
         .mutants = {{"redirects-followed", "not-followed"}}},
        {.id = "disc-18",
         .clause = "DISC-2",
         .proves = "A redirect to plain http isn't followed",
         .run = redirected_to_canary(302, "http://"),
         .mutants = {{"redirects-followed", "not-followed"}}},
        {.id = "disc-19",
         .clause = "DISC-2",
         .proves = "A redirect to the very place that was asked isn't followed",
         .run = redirected_in_a_loop,
         .mutants = {{"redirects-followed", "not-followed"}}},
    };
}

}  // namespace

Origin::Handler at_discovery(std::function<Reply(const Request&)> reply)
{
    return [reply = std::move(reply)](const Request& request) -> std::optional<Reply> {
        if (request.target != "/.well-known/entente") return std::nullopt;
        return reply(request);
    };
}

std::vector<Case> discovery_cases()
{
    std::vector<Case> all;
    for (auto part : {document_cases, redirect_cases, discovery_fetch_cases, discovery_cache_cases,
                      discovery_name_cases, discovery_address_cases}) {
        auto cases = part();
        std::move(cases.begin(), cases.end(), std::back_inserter(all));
    }
    return all;
}

}  // namespace entente::conformance
