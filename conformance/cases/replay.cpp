// Replay: a nonce is used once, whatever happens to the target in between [SIG-4, SIG-8].
#include <atomic>
#include <thread>

#include "conformance/cases/changes.hpp"
#include "conformance/cases/groups.hpp"
#include "conformance/cases/replay_tools.hpp"
#include "conformance/wire/octets.hpp"

namespace entente::conformance {

namespace {

constexpr Millis restart_time{30'000};
// Requests of the flood, and how many connections bring them.
constexpr int flood_requests = 2'000;
constexpr int flood_connections = 4;
constexpr int replay_crowd = 100;

void identical_again(Trial& trial)
{
    trial.control();
    const auto sent = send_once(trial);
    trial.expect_refused(send_again(trial, sent), refusals::replayed);
    trial.expect_once(sent.text);
    trial.expect_still_serves();
}

// `change` is what of the second request differs from the first, but for its nonce.
std::function<void(Trial&)> nonce_again(BeforeSigning change)
{
    return [change = std::move(change)](Trial& trial) {
        trial.control();
        const auto nonce = fresh_nonce();
        const auto first = send_once(trial, with_nonce(nonce));
        trial.refuses({.before_signing =
                           [=](Request& request, SignatureInput& input) {
                               input.set("nonce", conformance::quoted(nonce));
                               if (change) change(request, input);
                           }},
                      refusals::replayed);
        trial.expect_once(first.text);
    };
}

// Between a request and its replay the hook `name` is run.
std::function<void(Trial&)> replayed_after(const std::string& name)
{
    return [=](Trial& trial) {
        trial.control();
        const auto nonce = fresh_nonce();
        const auto sent = send_once(trial, with_nonce(nonce));
        static_cast<void>(trial.hook(name));
        trial.wait_until_served(restart_time);
        trial.expect_refused(send_again(trial, sent), refusals::replayed);
        const auto text = trial.new_text();
        const auto anew = trial.transact(
            trial.origin(),
            trial.submitting({trial.message_of(trial.user(), trial.channel(), text)}),
            with_nonce(nonce), "the nonce, with a new body");
        trial.expect_refused(anew, refusals::replayed);
        trial.expect_once(sent.text);
        trial.expect_absent(text);
        trial.expect_still_serves();
    };
}

// All are on their way before the first is answered: each thread has its connection already.
void crowd_of_one(Trial& trial)
{
    trial.control();
    const auto sent = sign_one(trial);
    std::atomic<int> ready{0};
    std::atomic<int> served{0};
    std::atomic<int> refused{0};
    std::atomic<int> silent{0};
    {
        std::vector<std::jthread> threads;
        for (int number = 0; number < replay_crowd; ++number)
            threads.emplace_back([&] {
                Connection connection(trial.door());
                const bool open = connection.stream() != nullptr;
                ++ready;
                while (ready < replay_crowd) std::this_thread::sleep_for(Millis(1));
                const auto result = connection.ask_octets(sent.octets);
                if (!open || !result.error.empty())
                    ++silent;
                else if (result.answer.status == 200)
                    ++served;
                else if (result.answer.status == 409 && problem_code(result.answer) == "replayed")
                    ++refused;
            });
    }
    if (silent == replay_crowd) throw CouldNotRun("none of the connections was answered");
    trial.expect(served == 1, "served-once",
                 "of " + std::to_string(replay_crowd) + " identical requests at once " +
                     std::to_string(served) + " were served");
    trial.expect(refused + silent == replay_crowd - 1, "refused",
                 std::to_string(replay_crowd - 1 - refused - silent) +
                     " of the others were answered otherwise than 409 replayed");
    trial.expect_once(sent.text);
    trial.expect_still_serves();
}

// Another server's nonces, far more than a small memory would hold.
void flooded(Trial& trial)
{
    trial.control();
    const auto sent = send_once(trial);
    auto& flooder = trial.another();
    trial.join(flooder, flooder.user(), trial.channel());
    std::vector<std::string> requests;
    requests.reserve(flood_requests);
    for (int number = 0; number < flood_requests; ++number)
        requests.push_back(sign_body(trial, flooder, nlohmann::json::object()).octets);
    std::atomic<std::size_t> next{0};
    std::atomic<int> answered{0};
    {
        std::vector<std::jthread> threads;
        for (int number = 0; number < flood_connections; ++number)
            threads.emplace_back([&] {
                Connection connection(trial.door());
                for (auto mine = next++; mine < requests.size(); mine = next++)
                    if (connection.ask_octets(requests[mine]).error.empty()) ++answered;
            });
    }
    if (answered < flood_requests / 2)
        throw CouldNotRun("of the flood only " + std::to_string(answered) + " were answered");
    trial.expect_refused(send_again(trial, sent), refusals::replayed);
    trial.expect_once(sent.text);
    trial.expect_still_serves();
}

// What was refused for another reason, sent right under the same nonce, is served.
std::function<void(Trial&)> not_spent(Defect defect, std::vector<Refusal> allowed)
{
    return [defect = std::move(defect), allowed = std::move(allowed)](Trial& trial) {
        trial.control();
        const auto nonce = fresh_nonce();
        auto bad = defect;
        bad.before_signing = with_nonce(nonce).before_signing;
        const auto refused_text = trial.new_text();
        const auto response = trial.transact(
            trial.origin(),
            trial.submitting({trial.message_of(trial.user(), trial.channel(), refused_text)}), bad,
            "refused for another reason");
        trial.expect_refused(response, allowed);
        const auto sent = send_once(trial, with_nonce(nonce));
        trial.expect_once(sent.text);
        trial.expect_absent(refused_text);
    };
}

std::vector<Case> repeated_cases()
{
    return {
        {.id = "rep-01",
         .clause = "SIG-4",
         .proves = "The same request sent again is refused as replayed, and has one effect",
         .run = identical_again,
         .mutants = {{"no-nonces", "refused"}},
         .descends_from = "RFC 9421 section 7.2.2"},
        {.id = "rep-02",
         .clause = "SIG-4",
         .proves = "A nonce used again for another body is refused as replayed",
         .run = nonce_again({}),
         .mutants = {{"no-nonces", "refused"}, {"nonce-with-digest", "refused"}}},
        {.id = "rep-03",
         .clause = "SIG-4",
         .proves = "A nonce used again under other times is refused as replayed",
         .run = nonce_again([](Request&, SignatureInput& input) {
             const auto created = std::stoll(input.get("created"));
             input.set("created", std::to_string(created - 30));
             input.set("expires", std::to_string(created + 200));
         }),
         .mutants = {{"no-nonces", "refused"}, {"nonce-with-created", "refused"}}},
        {.id = "rep-04",
         .clause = "SIG-4",
         .proves = "The same nonce under another server's key is another nonce",
         .run =
             [](Trial& trial) {
                 const auto nonce = fresh_nonce();
                 auto& other = trial.another();
                 trial.join(other, other.user(), trial.channel());
                 const auto response = trial.transact(other, nlohmann::json::object(),
                                                      with_nonce(nonce), "the other server's");
                 if (response.status() != 200)
                     throw CouldNotRun("the other server's request isn't served: " +
                                       response.text());
                 trial.accepts(with_nonce(nonce));
             },
         .mutants = {{"nonces-of-all-servers", "accepted"}},
         .negative = false},
        {.id = "rep-05",
         .clause = "SIG-4",
         .proves = "Of 100 identical requests at once exactly one is served",
         .run = crowd_of_one,
         .mutants = {{"nonce-race", "served-once"}},
         .descends_from = "CWE-367"},
        {.id = "rep-06",
         .clause = "SIG-4",
         .level = Level::should,
         .proves = "A query sent again is refused as replayed",
         .run = query_again,
         .mutants = {{"no-nonces", "refused"}, {"no-nonces-of-queries", "refused"}}},
        {.id = "rep-08",
         .clause = "SIG-3",
         .proves =
             "At the end of its time a request goes from replayed to clock-skew, with nothing "
             "between",
         .run = until_it_expires,
         .mutants = {{"nonces-forgotten-early", "refused"}}},
    };
}

std::vector<Case> unspent_cases()
{
    return {
        {.id = "rep-09",
         .clause = "SIG-8",
         .proves = "A nonce sent under a bad signature isn't spent",
         .run = not_spent(
             {.signature = [](const std::string&, const SigningKey&) { return random_octets(64); }},
             refusals::invalid),
         .mutants = {{"nonce-before-signature", "accepted"}},
         .negative = false},
        {.id = "rep-10",
         .clause = "SIG-8",
         .proves = "A nonce sent with a body that its digest doesn't fit isn't spent",
         .run = not_spent({.after_signing = [](Request& request) { request.body.back() = ' '; }},
                          refusals::mismatch),
         .mutants = {{"nonce-before-digest", "accepted"}},
         .negative = false},
        {.id = "rep-11",
         .clause = "SIG-4",
         .proves = "Nonces of 16 and of 64 octets are taken",
         .run =
             [](Trial& trial) {
                 trial.accepts(with_nonce(base64url(random_octets(16))));
                 trial.accepts(with_nonce(base64url(random_octets(64))));
             },
         .mutants = {{"nonce-of-24-only", "accepted"}},
         .negative = false},
        {.id = "rep-12",
         .clause = "SIG-14",
         .proves = "A nonce of 15 octets is malformed",
         .run =
             [](Trial& trial) {
                 trial.refuses(with_nonce(base64url(random_octets(15))), refusals::malformed);
             },
         .mutants = {{"nonce-any-length", "refused"}}},
        {.id = "rep-13",
         .clause = "SIG-14",
         .proves = "A nonce of 65 octets is malformed",
         .run =
             [](Trial& trial) {
                 trial.refuses(with_nonce(base64url(random_octets(65))), refusals::malformed);
             },
         .mutants = {{"nonce-any-length", "refused"}}},
        {.id = "rep-14",
         .clause = "SIG-14",
         .proves = "A nonce of another alphabet than base64url is malformed",
         .run =
             [](Trial& trial) {
                 trial.refuses(with_nonce("+/" + base64url(random_octets(24))),
                               refusals::malformed);
             },
         .mutants = {{"nonce-any-text", "refused"}}},
        {.id = "rep-15",
         .clause = "SIG-14",
         .proves = "A nonce with padding is malformed",
         .run =
             [](Trial& trial) {
                 trial.refuses(with_nonce(base64url(random_octets(16)) + "=="),
                               refusals::malformed);
             },
         .mutants = {{"nonce-any-text", "refused"}}},
    };
}

std::vector<Case> long_memory_cases()
{
    return {
        {.id = "rep-16",
         .clause = "SIG-4",
         .profile = Profile::durable,
         .proves = "A nonce is still spent after a restart",
         .run = replayed_after("restart"),
         .mutants = {{"nonces-in-memory", "refused"}},
         .hooks = {"restart"},
         .alone = true},
        {.id = "rep-17",
         .clause = "SIG-4",
         .profile = Profile::durable,
         .proves = "A nonce is still spent after a kill -9",
         .run = replayed_after("kill9"),
         .mutants = {{"nonces-in-memory", "refused"}},
         .hooks = {"kill9"},
         .alone = true},
        {.id = "rep-18",
         .clause = "SIG-4",
         .profile = Profile::hardened,
         .proves = "2,000 nonces of another server don't push one out",
         .run = flooded,
         .mutants = {{"nonces-bounded", "refused"}},
         .descends_from = "CWE-770",
         .alone = true},
        {.id = "rep-19",
         .clause = "SIG-4",
         .profile = Profile::durable,
         .proves = "A clock that ran ahead and is set back doesn't let a replay in",
         .run = clock_set_back,
         .mutants = {{"swept-without-mark", "refused"}},
         .hooks = {"clock"},
         .alone = true},
    };
}

}  // namespace

std::vector<Case> replay_cases()
{
    auto cases = repeated_cases();
    for (const auto& more : {unspent_cases(), long_memory_cases()})
        cases.insert(cases.end(), more.begin(), more.end());
    return cases;
}

}  // namespace entente::conformance
