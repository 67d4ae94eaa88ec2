// How many decisions a second the policy engine makes on one core, beside the shipped policies and
// 1,000 rules of an administrator's.
//
// Method: 1,024 requests about messages of members, with texts of real lengths, half of them from
// servers that rules name, are made beforehand and decided in turn. A figure is the median of nine
// runs of at least 100 ms of this thread's CPU time each. `steps` is the mean number of
// comparisons. "At the home" is all that a message of a member pays there: what is known of it is
// gathered from the channel's state, decided, counted for limits, and sampled.
//
// Exits with 1 where one of three limits is passed, each beside what the same run has measured, and
// generous, so that a slow or busy machine doesn't matter: a decision among 1,000 rules of many
// kinds costs no more than to hash 4 KiB; rules that can be found by a server's name cost at most a
// quarter of those that can't be found; and at the home 1,000 rules make a message at most four
// times as dear.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "federation/event_policy.hpp"
#include "protocol/octets.hpp"
#include "tests/bench/measure.hpp"
#include "trust/policy/compiled.hpp"
#include "trust/policy/enforcer.hpp"
#include "trust/policy/shipped.hpp"

namespace entente::bench {
namespace {

using namespace trust::policy;
using A = Attribute;

constexpr std::size_t rule_count = 1'000;
constexpr std::size_t request_count = 1'024;
constexpr int runs = 9;
constexpr Nanoseconds run_time = 100'000'000;
constexpr std::size_t hashed_octets = 4'096;
constexpr double least_gain_by_index = 4;
constexpr double most_by_rules_at_home = 4;

std::string server_name(std::size_t number)
{
    return "chat-" + std::to_string(number) + ".organisation.example";
}

std::string user_name(std::size_t number)
{
    return "somebody." + std::to_string(number) + "@" + server_name(number % 500);
}

std::string channel_name(std::size_t number)
{
    auto digits = std::to_string(number);
    return "0193b6b0-7c00-7000-8000-" + std::string(12 - digits.size(), '0') + digits +
           "@a.example";
}

std::string rule(std::size_t number, const std::string& scope, const std::string& actions,
                 const std::string& when, const std::string& effects)
{
    return R"({"id":"r)" + std::to_string(number) + R"(","scope":")" + scope + R"(","actions":[)" +
           actions + R"(],"when":)" + when + R"(,"effects":[)" + effects + "]}";
}

std::string both(const std::string& left, const std::string& right)
{
    return R"({"all":[)" + left + "," + right + "]}";
}

std::string is(const std::string& attribute, const std::string& value)
{
    return R"({"eq":[")" + attribute + R"(",")" + value + R"("]})";
}

// What an administrator of a large server might have gathered over the years.
std::string mixed(std::size_t number)
{
    const std::string small =
        R"({"lt":["subject.account_age",)" + std::to_string(number * 60) + "]}";
    switch (number % 5) {
        case 0:
            return rule(number, "server", R"("*")", is("subject.server", server_name(number)),
                        R"("deny")");
        case 1:
            return rule(number, "channel:" + channel_name(number), R"("message.*")", small,
                        R"("deny")");
        case 2:
            return rule(number, "server", R"("message.create","member.join")",
                        both(is("subject.id", user_name(number)), small), R"("deny")");
        case 3:
            return rule(number, "category:c" + std::to_string(number), R"("channel.*","member.*")",
                        R"({"not":)" + is("subject.role", "admin") + "}", R"("deny")");
        default:
            return rule(number, "server", number % 2 == 0 ? R"("media.*")" : R"("message.create")",
                        both(is("subject.tier", number % 3 == 0 ? "guest" : "quarantined"),
                             R"({"gt":["context.size",)" + std::to_string(60'000 + number) + "]}"),
                        R"("deny")");
    }
}

// Every rule about the one action that is asked for, and findable by one server's name.
std::string by_server(std::size_t number)
{
    return rule(number, "server", R"("message.create")",
                both(is("subject.server", server_name(number)), R"({"gt":["context.rate",100]})"),
                R"("deny")");
}

// The same by nothing: each condition has to be looked at.
std::string by_nothing(std::size_t number)
{
    return rule(number, "server", R"("message.create")",
                R"({"gt":["context.rate",)" + std::to_string(1'000 + number) + "]}", R"("deny")");
}

std::shared_ptr<const Compiled> compiled(std::string (*make_rule)(std::size_t))
{
    std::string text = R"({"version":1,"rules":[)";
    for (std::size_t i = 0; i < rule_count; ++i) text += (i == 0 ? "" : ",") + make_rule(i);
    auto policy = parse_policy(text + "]}");
    if (!policy) {
        std::fprintf(stderr, "%s\n", policy.error().hint.c_str());
        std::exit(2);
    }
    auto sources = shipped_sources();
    sources.push_back({"own", 1, std::move(*policy)});
    return Compiled::make(std::move(sources)).value();
}

struct Names {
    std::string user, server, channel;
    trust::Tier tier = trust::Tier::guest;
    std::int64_t rate = 0;
};

// Of a message of a member, as a home would ask.
Request request_of(const Names& names)
{
    Request request{Action::message_create};
    request.word(A::subject_kind, SubjectKind::user)
        .text(A::subject_id, names.user)
        .text(A::subject_server, names.server)
        .flag(A::subject_local, false)
        .word(A::subject_tier, names.tier)
        .word(A::subject_role, ServerRole::none)
        .word(A::subject_channel_role, ChannelRole::member)
        .word(A::resource_kind, ResourceKind::event)
        .text(A::context_event_type, "message.create")
        .number(A::context_size, 300)
        .number(A::context_rate, names.rate)
        .at(1'700'000'000'000)
        .in_channel(names.channel);
    return request;
}

// Half of the servers are named by rules.
std::vector<Names> traffic()
{
    std::vector<Names> made;
    std::mt19937 random(1);
    for (std::size_t i = 0; i < request_count; ++i) {
        const std::size_t number = random() % 5'000;
        made.push_back({user_name(number), server_name(number % 1'000 + 500), channel_name(number),
                        number % 2 == 0 ? trust::Tier::guest : trust::Tier::known,
                        static_cast<std::int64_t>(number % 50)});
    }
    return made;
}

struct Count {
    std::uint64_t steps = 0, permitted = 0, made = 0;
};

// Nanoseconds of CPU for each of what `work` goes through.
template <class Work>
double nanoseconds_each(Work work)
{
    std::vector<double> each;
    for (int run = 0; run < runs; ++run) {
        const auto begin = thread_cpu_now();
        std::uint64_t count = 0;
        Nanoseconds spent = 0;
        while (spent < run_time) {
            count += work();
            spent = thread_cpu_now() - begin;
        }
        each.push_back(static_cast<double>(spent) / static_cast<double>(count));
    }
    return median(each);
}

double measure(const char* name, const Compiled& policies, const std::vector<Request>& requests)
{
    Count count;
    const auto each = nanoseconds_each([&] {
        for (const auto& request : requests) {
            const auto verdict = policies.decide(request);
            count.steps += verdict.steps;
            count.permitted += verdict.is_permitted() ? 1U : 0U;
        }
        count.made += requests.size();
        return requests.size();
    });
    const auto made = static_cast<double>(count.made);
    std::printf("%-40s %10.0f decisions/s %7.0f ns each %7.1f steps %5.1f %% permitted\n", name,
                1e9 / each, each, static_cast<double>(count.steps) / made,
                100.0 * static_cast<double>(count.permitted) / made);
    return each;
}

constexpr std::size_t channel_members = 1'000;

// Events of members of one channel, as its home has them before it.
struct Home {
    std::vector<protocol::Event> events;
    protocol::ChannelState state;
    protocol::ChannelId channel = protocol::ChannelId::trusted(channel_name(1));
    protocol::ServerName home = protocol::ServerName::trusted("a.example");
    std::string content = R"({"salt":"AAECAwQFBgcICQoLDA0ODw","text":"hello"})";
};

Home home_with_members()
{
    Home made;
    made.state.kind = "group";
    made.state.home = made.home.str();
    for (std::size_t i = 0; i < channel_members; ++i) {
        const auto user = user_name(i);
        made.state.members[user] = protocol::Role::member;
        protocol::Event event;
        event.type = "message.create";
        event.octets = std::string(300, 'x');
        event.sender = {user, protocol::ServerName::trusted(server_name(i % 500)), false};
        made.events.push_back(std::move(event));
    }
    return made;
}

double measure_home(const char* name, std::shared_ptr<const Compiled> policies)
{
    const auto home = home_with_members();
    const protocol::SystemClock clock;
    Enforcer enforcer{std::make_shared<Policies>(std::move(policies)), clock};
    std::uint64_t permitted = 0, made = 0;
    const auto each = nanoseconds_each([&] {
        for (const auto& event : home.events) {
            federation::EventQuestion question{event, home.content, home.channel, home.home};
            question.state = &home.state;
            question.tier = trust::Tier::known;
            permitted += federation::ask_policies(enforcer, question) ? 1U : 0U;
        }
        made += home.events.size();
        return home.events.size();
    });
    std::printf("%-40s %10.0f messages/s  %7.0f ns each %27.1f %% permitted\n", name, 1e9 / each,
                each, 100.0 * static_cast<double>(permitted) / static_cast<double>(made));
    return each;
}

double measure_hash()
{
    std::string octets(hashed_octets, 'x');
    const auto each = nanoseconds_each([&] {
        constexpr std::size_t times = 1'000;
        for (std::size_t i = 0; i < times; ++i)
            octets.front() = static_cast<char>(protocol::sha256({octets})[0]);
        return times;
    });
    std::printf("%-40s %10.0f hashes/s    %7.0f ns each\n", "SHA-256 of 4 KiB, to compare",
                1e9 / each, each);
    return each;
}

bool is_within(const char* what, double figure, double limit)
{
    const bool is_met = figure <= limit;
    std::printf("%s: %s, %.0f ns of at most %.0f\n", is_met ? "within" : "OVER", what, figure,
                limit);
    return is_met;
}

// Each message counts for its author, and none is over it.
std::shared_ptr<const Compiled> with_a_limit()
{
    auto policy = parse_policy(R"({"version":1,"rules":[{"id":"r","actions":["message.create"],)"
                               R"("effects":[{"limit":{"count":1000000000,"seconds":60}}]}]})");
    auto sources = shipped_sources();
    sources.push_back({"own", 1, std::move(*policy)});
    return Compiled::make(std::move(sources)).value();
}

}  // namespace
}  // namespace entente::bench

int main()
{
    using namespace entente::bench;
    entente::protocol::start_crypto();
    const auto names = traffic();
    std::vector<entente::trust::policy::Request> requests;
    for (const auto& one : names) requests.push_back(request_of(one));
    const auto making = nanoseconds_each([&] {
        for (std::size_t at = 0; at < names.size(); ++at) requests[at] = request_of(names[at]);
        return names.size();
    });
    std::printf("%-40s %10.0f requests/s  %7.0f ns each\n", "making a request, besides",
                1e9 / making, making);
    const auto shipped =
        entente::trust::policy::Compiled::make(entente::trust::policy::shipped_sources()).value();
    measure("shipped policies alone", *shipped, requests);
    const auto many = measure("and 1,000 rules of many kinds", *compiled(mixed), requests);
    const auto found =
        measure("and 1,000 about this action, by server", *compiled(by_server), requests);
    const auto unfound =
        measure("and 1,000 about this action, by nothing", *compiled(by_nothing), requests);
    const auto home = measure_home("at the home: shipped policies alone", shipped);
    const auto home_many = measure_home("and 1,000 rules of many kinds", compiled(mixed));
    measure_home("and a limit that each message counts for", with_a_limit());
    const auto hash = measure_hash();
    const bool is_fast = is_within("a decision among 1,000 rules of many kinds", many, hash);
    const bool is_indexed =
        is_within("1,000 rules, found by their server", found, unfound / least_gain_by_index);
    const bool is_cheap =
        is_within("1,000 rules at the home", home_many, home * most_by_rules_at_home);
    return is_fast && is_indexed && is_cheap ? 0 : 1;
}
