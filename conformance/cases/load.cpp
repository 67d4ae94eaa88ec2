// Load: what one stranger does costs nobody else anything. Connections that are slow or idle are
// held from an address of their own, and another server is served meanwhile.
#include <iterator>

#include "conformance/cases/groups.hpp"
#include "conformance/cases/http_octets.hpp"
#include "conformance/cases/load_crowd.hpp"
#include "conformance/cases/load_parts.hpp"

namespace entente::conformance {

namespace {

constexpr std::size_t slow_ones = 200;
constexpr std::size_t idle_ones = 1'000;
constexpr std::size_t cut_off_ones = 20;
constexpr Millis cut_off_within{90'000};
// So much content that an answer fills what buffers lie in between.
constexpr std::size_t long_messages = 30;
constexpr std::size_t long_text = 60'000;

// The whole of a case in which a crowd does something for as long as others are served.
std::function<void(Trial&)> others_are_served(
    const std::string& what, const std::function<void(Trial& trial, Crowd& crowd)>& act)
{
    return [=](Trial& trial) {
        need_two_sources(trial);
        trial.control();
        Bystander bystander(trial);
        MemoryWatch memory(trial);
        Crowd crowd(trial, what);
        act(trial, crowd);
        bystander.expect_served();
        memory.expect_bounded();
        trial.expect_once(bystander.latest());
    };
}

std::string begun_head(const Trial& trial)
{
    return "POST /federation/v1/inbox HTTP/1.1\r\nHost: " + trial.door().authority() +
           "\r\nX-Slow: ";
}

// A signed request of which the body is announced and doesn't come.
std::string begun_body(Trial& trial)
{
    const auto halves = halves_of(signed_message(trial).octets);
    return with_lines(without_field(halves.head, "Content-Length"), length_line("100000")) + "{";
}

// The first octets of a ClientHello that is never finished.
std::string begun_handshake()
{
    return std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11);
}

void begin_heads(Trial& trial, Crowd& crowd, std::size_t count)
{
    crowd.open(count);
    const auto head = begun_head(trial);
    crowd.write([&](std::size_t) { return head; });
    crowd.drip("a");
}

void begin_bodies(Trial& trial, Crowd& crowd, std::size_t count)
{
    const auto body = begun_body(trial);
    crowd.open(count);
    crowd.write([&](std::size_t) { return body; });
    crowd.drip(" ");
}

void begin_handshakes(Crowd& crowd, std::size_t count)
{
    crowd.open_without_tls(count);
    crowd.write([](std::size_t) { return begun_handshake(); });
}

// Everybody asks for a long stretch of the log, and reads nothing of it. Answers may be charged to
// who has asked: so that isn't the server which the others are.
void ask_and_not_read(Trial& trial, Crowd& crowd)
{
    auto& asker = trial.another();
    trial.join(asker, asker.user(), trial.channel());
    std::vector<Event> events;
    for (std::size_t n = 0; n < long_messages; ++n)
        events.push_back(trial.message_of(trial.user(), trial.channel(),
                                          trial.new_text() + std::string(long_text, '.')));
    const auto filled =
        trial.transact(trial.origin(), trial.submitting(events), {}, "long messages");
    if (filled.status() != 200) throw CouldNotRun("long messages are answered " + filled.text());
    const auto path = "/federation/v1/channels/" + trial.channel() + "/log?after=0&limit=1000";
    const auto read = trial.query(asker, path, {}, "the question, with its answer read");
    if (read.status() != 200) throw CouldNotRun("a long log is answered " + read.text());
    crowd.open(slow_ones);
    crowd.take_little();
    crowd.write([&](std::size_t) {
        std::string base;
        std::string signature;
        return trial.octets_of(asker, "GET", path, nullptr, {}, base, signature);
    });
}

void cuts_off(Trial& trial)
{
    trial.control();
    Crowd heads(trial, "heads that come at an octet a second");
    Crowd bodies(trial, "bodies that come at an octet a second");
    Crowd handshakes(trial, "handshakes that aren't finished");
    begin_heads(trial, heads, cut_off_ones);
    begin_bodies(trial, bodies, cut_off_ones);
    begin_handshakes(handshakes, cut_off_ones);
    const auto deadline = in(cut_off_within);
    trial.expect(handshakes.wait_until_ended(deadline), "cut-off",
                 "a handshake that isn't finished is waited for after 90 s");
    trial.expect(heads.wait_until_ended(deadline), "cut-off",
                 "a head that comes at an octet a second is waited for after 90 s");
    trial.expect(bodies.wait_until_ended(deadline), "cut-off",
                 "a body that comes at an octet a second is waited for after 90 s");
    trial.expect_still_serves();
}

}  // namespace

std::vector<Case> load_connection_cases()
{
    return {
        {.id = "load-01",
         .clause = "HTTP-13",
         .profile = Profile::hardened,
         .proves = "While 200 heads come at an octet a second, others are answered within a second",
         .run = others_are_served(
             "heads that come at an octet a second",
             [](Trial& trial, Crowd& crowd) { begin_heads(trial, crowd, slow_ones); }),
         .mutants = {{"few-connections", "others-served"}},
         .descends_from = "CVE-2007-6750",
         .alone = true},
        {.id = "load-02",
         .clause = "HTTP-13",
         .profile = Profile::hardened,
         .proves =
             "While 200 bodies come at an octet a second, others are answered within a second",
         .run = others_are_served(
             "bodies that come at an octet a second",
             [](Trial& trial, Crowd& crowd) { begin_bodies(trial, crowd, slow_ones); }),
         .mutants = {{"few-connections", "others-served"}},
         .alone = true},
        {.id = "load-03",
         .clause = "HTTP-13",
         .profile = Profile::hardened,
         .proves = "While 200 don't read what they asked for, others are answered within a second",
         .run = others_are_served("questions whose answers nobody reads", ask_and_not_read),
         .mutants = {{"few-connections", "others-served"}},
         .alone = true},
        {.id = "load-04",
         .clause = "HTTP-13",
         .profile = Profile::hardened,
         .proves = "While 1,000 connections are idle, others are answered within a second",
         .run = others_are_served("idle connections",
                                  [](Trial&, Crowd& crowd) { crowd.open(idle_ones); }),
         .mutants = {{"few-connections", "others-served"}},
         .alone = true},
        {.id = "load-05",
         .clause = "HTTP-13",
         .profile = Profile::hardened,
         .proves = "While 200 handshakes stand still, others are answered within a second",
         .run = others_are_served("handshakes that aren't finished",
                                  [](Trial&, Crowd& crowd) { begin_handshakes(crowd, slow_ones); }),
         .mutants = {{"few-connections", "others-served"}},
         .alone = true},
    };
}

std::vector<Case> load_cases()
{
    auto all = load_connection_cases();
    auto requests = load_request_cases();
    all.insert(all.end(), std::make_move_iterator(requests.begin()),
               std::make_move_iterator(requests.end()));
    all.push_back(
        {.id = "load-10",
         .clause = "HTTP-12",
         .level = Level::should,
         .profile = Profile::durable,
         .proves = "Heads, bodies and handshakes that don't get on are cut off within 90 s",
         .run = cuts_off,
         .mutants = {{"no-deadlines", "cut-off"}},
         .descends_from = "CVE-2007-6750",
         .waits = true});
    return all;
}

}  // namespace entente::conformance
