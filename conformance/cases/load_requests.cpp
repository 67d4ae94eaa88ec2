// Load: budgets. What one server sends, what is sent in its name, and what strangers send is
// charged to whom it belongs, and to nobody else [SIG-8, INBOX-8].
#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <list>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

#include "conformance/cases/load_crowd.hpp"
#include "conformance/cases/load_parts.hpp"
#include "conformance/wire/octets.hpp"

namespace entente::conformance {

namespace {

constexpr std::size_t flood_batches = 3;
constexpr std::size_t flood_items = 500;
constexpr std::size_t forged_requests = 2'000;
constexpr std::size_t unknown_servers = 2'000;
constexpr std::size_t stranger_sources = 8;
constexpr std::size_t silent_strangers = 64;
constexpr Millis storm_time{12'000};
constexpr Millis silent_time{30'000};

// What came of the messages of one server that sends more than its share.
struct Flood {
    std::vector<std::string> accepted;
    std::vector<std::string> put_off;
    bool refused = false;
};

bool is_whole_seconds(const std::string& text)
{
    return !text.empty() && text.size() < 10 && text != "0" &&
           text.find_first_not_of("0123456789") == std::string::npos;
}

// [INBOX-8]: from the first that isn't taken on, none is, and each says when to come again.
void judge_batch(Trial& trial, const Response& response, const std::vector<std::string>& texts,
                 Flood& flood)
{
    if (response.status() == 429) {
        flood.refused = true;
        flood.put_off.insert(flood.put_off.end(), texts.begin(), texts.end());
        trial.expect(response.code() == "rate-limited", "told-when",
                     "beyond its budget it is answered " + response.text());
        const auto wait = field_of(response.answer.fields, "retry-after").value_or("");
        trial.expect(is_whole_seconds(wait), "told-when",
                     "the 429 says no time in Retry-After, but \"" + wait + "\"");
        return;
    }
    trial.expect_ok(response);
    const nlohmann::json::json_pointer place("/submissions/0/events");
    const auto results =
        response.json.contains(place) ? response.json[place] : nlohmann::json::array();
    trial.expect(results.size() == texts.size(), "told-when",
                 "of " + std::to_string(texts.size()) + " events " +
                     std::to_string(results.size()) + " have a result");
    bool putting_off = false;
    for (std::size_t n = 0; n < texts.size(); ++n) {
        const auto status = results[n].value("status", "");
        if (status == "deferred") {
            trial.expect(n > 0, "progress", "the very first event of a transaction is deferred");
            putting_off = true;
            const auto wait = results[n].value("retry_after", nlohmann::json());
            trial.expect(wait.is_number_integer() && wait.get<std::int64_t>() > 0, "told-when",
                         "a deferred event doesn't say when to come again: " + results[n].dump());
            flood.put_off.push_back(texts[n]);
            continue;
        }
        trial.expect(status == "accepted" && !putting_off, "order-holds",
                     "event " + std::to_string(n) + " of a batch is " + results[n].dump() +
                         (putting_off ? ", behind one that was deferred" : ""));
        flood.accepted.push_back(texts[n]);
    }
    flood.refused = flood.refused || putting_off;
}

Flood flood_of(Trial& trial)
{
    Flood flood;
    for (std::size_t batch = 0; batch < flood_batches; ++batch) {
        std::vector<std::string> texts;
        std::vector<Event> events;
        for (std::size_t n = 0; n < flood_items; ++n) {
            texts.push_back(trial.new_text());
            events.push_back(trial.message_of(trial.user(), trial.channel(), texts.back()));
        }
        const auto response =
            trial.transact(trial.origin(), trial.submitting(events), {}, "500 events at once");
        judge_batch(trial, response, texts, flood);
    }
    return flood;
}

// All that was accepted can be read once, and nothing else.
void expect_as_told(Trial& trial, const Flood& flood)
{
    std::map<std::string, int> times;
    for (const auto& message : trial.accounts().messages(Who::first, trial.channel()))
        ++times[message.text];
    for (const auto& text : flood.accepted)
        trial.expect(
            times[text] == 1, "once",
            "an event that was accepted can be read " + std::to_string(times[text]) + " times");
    for (const auto& text : flood.put_off)
        trial.expect(times[text] == 0, "no-effect", "an event that was put off can be read");
}

void budget_is_its_own(Trial& trial)
{
    trial.control();
    Bystander bystander(trial);
    const auto flood = flood_of(trial);
    if (!flood.refused)
        throw NotApplicable("1,500 events within seconds are no more than it takes of a server");
    bystander.expect_served(10, Millis(0));
    expect_as_told(trial, flood);
}

void budget_is_bounded(Trial& trial)
{
    trial.control();
    trial.expect(flood_of(trial).refused, "bounded",
                 "1,500 events of a server that it has never met before are taken at once");
}

// Requests, each over one of several connections as soon as that is free; none may be served.
class Storm {
 public:
    // As many connections as there are doors.
    Storm(std::vector<Door> doors, std::vector<std::string> requests)
        : doors_(std::move(doors)), requests_(std::move(requests))
    {
        for (const auto& door : doors_)
            threads_.emplace_back([this, &door](const std::stop_token& stop) { run(stop, door); });
    }

    // Behind wait(). "refused": none was answered 200.
    void finish(Trial& trial)
    {
        Exchange exchange;
        exchange.at = trial.elapsed();
        exchange.what = "the last of " + std::to_string(requests_.size());
        exchange.sent = requests_.back();
        exchange.received = last_answer_;
        trial.note(std::move(exchange));
        trial.expect(served_ == 0, "refused",
                     std::to_string(served_) + " of them are answered 200");
    }

    void wait()
    {
        for (auto& thread : threads_)
            if (thread.joinable()) thread.join();
    }

 private:
    void run(const std::stop_token& stop, const Door& door)
    {
        Connection connection(door);
        while (!stop.stop_requested()) {
            const auto mine = next_++;
            if (mine >= requests_.size()) return;
            const auto result = connection.ask_octets(requests_[mine], storm_time);
            if (result.error.empty() && result.answer.status == 200) ++served_;
            if (mine + 1 < requests_.size()) continue;
            last_answer_ = with_remark(result.answer.raw, result.error);
        }
    }

    const std::vector<Door> doors_;
    const std::vector<std::string> requests_;
    std::atomic<std::size_t> next_{0};
    std::atomic<std::size_t> served_{0};
    std::string last_answer_;
    std::vector<std::jthread> threads_;
};

std::string with_random(std::string octets, const std::string& behind, std::size_t count,
                        std::size_t skip = 0)
{
    const auto at = octets.find(behind) + behind.size() + skip;
    const auto random = base64url(random_octets(count));
    return octets.replace(at, random.size(), random);
}

// In the name of `origin`: under its own key, which hasn't signed this, or under one that nobody
// has.
std::vector<std::string> forged(Trial& trial, Origin& origin, const std::string& text)
{
    const auto event = trial.message_of(origin.user(), trial.channel(), text);
    const auto body = trial.submitting(origin, trial.channel(), {event});
    std::string base;
    std::string signature;
    const auto octets =
        trial.octets_of(origin, "POST", "/federation/v1/inbox", body, {}, base, signature);
    std::vector<std::string> requests;
    for (std::size_t n = 0; n < forged_requests; ++n) {
        auto request = with_random(octets, "nonce=\"", 24);
        if (n % 2 == 1) request = with_random(request, "keyid=\"", 32, origin.name().size() + 1);
        requests.push_back(std::move(request));
    }
    return requests;
}

void forgery_costs_nothing(Trial& trial)
{
    need_two_sources(trial);
    trial.control();
    Bystander bystander(trial);
    const auto text = trial.new_text();
    const auto attacker = trial.door().from_own_address();
    Storm storm({attacker, attacker}, forged(trial, bystander.origin(), text));
    bystander.expect_served(15);
    storm.wait();
    bystander.expect_served(15, Millis(0));
    storm.finish(trial);
    trial.expect_absent(text);
}

// Servers that take a question for their document, and say nothing until they are let go.
class SilentSite final : public Site {
 public:
    [[nodiscard]] Reply serve(const Request&) override
    {
        std::unique_lock lock(mutex_);
        changed_.wait_for(lock, silent_time, [this] { return released_; });
        return reply_nothing();
    }
    void release()
    {
        const std::lock_guard lock(mutex_);
        released_ = true;
        changed_.notify_all();
    }

 private:
    std::mutex mutex_;
    std::condition_variable changed_;
    bool released_ = false;
};

class SilentNames {
 public:
    SilentNames(Host& host, const std::string& domain) : host_(host)
    {
        for (std::size_t n = 0; n < silent_strangers; ++n) {
            names_.push_back("silent-" + hex(fresh_octets(6)) + "." + domain);
            host_.add(names_.back(), site_);
        }
    }
    ~SilentNames()
    {
        site_->release();
        for (const auto& name : names_) host_.remove(name);
    }
    SilentNames(const SilentNames&) = delete;
    SilentNames& operator=(const SilentNames&) = delete;
    [[nodiscard]] const std::vector<std::string>& all() const { return names_; }

 private:
    Host& host_;
    std::shared_ptr<SilentSite> site_ = std::make_shared<SilentSite>();
    std::vector<std::string> names_;
};

// Signed by a key of its own, that only its document would show.
std::string request_of_stranger(Trial& trial, const std::string& name)
{
    Origin stranger(name, [&trial] { return trial.now(); });
    std::string base;
    std::string signature;
    return trial.octets_of(stranger, "POST", "/federation/v1/inbox", nlohmann::json::object(), {},
                           base, signature);
}

void strangers_stop_nobody(Trial& trial)
{
    need_two_sources(trial);
    trial.control();
    Bystander bystander(trial);
    MemoryWatch memory(trial);
    const auto& domain = trial.world().file().domain;
    const SilentNames silent(trial.world().host(), domain);
    // From several addresses: one has few first contacts [KEY-8].
    std::list<Crowd> crowds;
    std::vector<Door> doors;
    std::vector<std::string> requests;
    for (std::size_t n = 0; n < unknown_servers; ++n)
        requests.push_back(
            request_of_stranger(trial, "nobody-" + hex(fresh_octets(6)) + "." + domain));
    for (std::size_t source = 0; source < stranger_sources; ++source) {
        doors.push_back(trial.door().from_own_address());
        auto& crowd = crowds.emplace_back(trial, "servers whose document takes for ever");
        crowd.open(silent_strangers / stranger_sources);
        crowd.write([&](std::size_t place) {
            return request_of_stranger(trial, silent.all()[source * crowd.size() + place]);
        });
    }
    Storm storm(std::move(doors), std::move(requests));
    bystander.expect_served();
    storm.wait();
    storm.finish(trial);
    memory.expect_bounded();
    trial.expect_still_serves();
}

}  // namespace

std::vector<Case> load_request_cases()
{
    return {
        {.id = "load-06",
         .clause = "INBOX-8",
         .profile = Profile::hardened,
         .proves = "Events beyond a server's budget are deferred with retry_after, in order, and "
                   "never the first of a transaction; another server's are taken meanwhile",
         .run = budget_is_its_own,
         .mutants = {{"deferred-without-time", "told-when"},
                     {"budget-shared", "others-served"},
                     {"deferred-out-of-order", "order-holds"}},
         .alone = true},
        {.id = "load-07",
         .clause = "INBOX-20",
         .level = Level::should,
         .profile = Profile::hardened,
         .proves = "Of 1,500 events that a new server hands in at once some are deferred",
         .run = budget_is_bounded,
         .mutants = {{"no-item-budget", "bounded"}},
         .alone = true},
        {.id = "load-08",
         .clause = "SIG-8",
         .profile = Profile::hardened,
         .proves = "While 2,000 requests are sent in a server's name that it hasn't signed, none "
                   "is served, and its own are answered within a second",
         .run = forgery_costs_nothing,
         .mutants = {{"forgery-charged-to-origin", "others-served"}},
         .alone = true},
        {.id = "load-09",
         .clause = "KEY-8",
         .profile = Profile::hardened,
         .proves = "While 2,000 servers that don't exist send requests, none is served, and a "
                   "known one is answered within a second",
         .run = strangers_stop_nobody,
         .mutants = {{"unproven-charged-together", "others-served"}},
         .alone = true},
    };
}

}  // namespace entente::conformance
