#include "tests/bench/inbox_load.hpp"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <string>
#include <thread>

#include <unistd.h>

#include "protocol/message_signature.hpp"
#include "tests/bench/measure.hpp"
#include "tests/bench/scan.hpp"
#include "tests/e2e/support/client.hpp"
#include "tests/e2e/support/forger.hpp"

namespace entente::bench {

namespace {

constexpr const char* target = "/federation/v1/inbox";
constexpr const char* no_bounds =
    "\n[trust.budgets.trusted]\nevents = 1000000000\nbytes = 1000000000000\n"
    "\n[limits]\nrequests_per_source = 100000000\n";
constexpr protocol::Seconds lifetime = 300;
constexpr std::size_t min_transactions = 40;
constexpr std::size_t max_transactions = 10'000;
constexpr e2e::Milliseconds answer_time{30'000};

// A server with a channel of which the peer's user is a member.
class Scene {
 public:
    Scene() : world_({"a.test"}, {"f.test"}, no_bounds, e2e::Tuning::stock)
    {
        world_.start_all();
        peer_ = std::make_unique<e2e::Forger>(world_, "f.test");
        e2e::Client alice(server(), "alice");
        alice.register_user();
        channel_ = alice.create_channel("bench");
        alice.invite(channel_, peer_->user());
        const auto joined = peer_->deliver(
            server(), peer_->submission(channel_, {peer_->event(channel_, "member.join")}));
        if (joined.submissions.at(0).events.at(0).status != protocol::ItemStatus::accepted)
            throw e2e::Broken("the bench's peer can't join");
    }
    [[nodiscard]] e2e::Node& server() { return world_["a.test"]; }

    // A whole signed request with so many messages.
    [[nodiscard]] std::string request(std::size_t messages)
    {
        const std::string text = "\"text\":\"" + std::string(300, 't') + "\"";
        std::vector<protocol::EventAndContent> events;
        for (std::size_t i = 0; i < messages; ++i)
            events.push_back(peer_->event(channel_, "message.create", text));
        const auto body = peer_->submission(channel_, events);
        protocol::SystemRandom random;
        const auto now = protocol::SystemClock{}.now_ms() / 1000;
        const auto fields = protocol::sign_request(
            peer_->key(), peer_->name(), protocol::ServerName::trusted("a.test"), "POST", target,
            body, {now, now + lifetime}, protocol::to_base64url(random.octets(16)));
        return e2e::write_request("POST", target, "a.test", {fields.begin(), fields.end()}, body);
    }

 private:
    e2e::World world_;
    std::unique_ptr<e2e::Forger> peer_;
    std::string channel_;
};

std::size_t accepted_in(const std::string& body)
{
    std::size_t count = 0;
    for (Scan scan(body); scan.pass(R"("status":"accepted")");) ++count;
    return count;
}

// The senders of one batch size; the first complaint ends them all.
class Senders {
 public:
    Senders(e2e::Node& server, const std::vector<std::string>& requests, std::size_t batch)
        : server_(server), requests_(requests), batch_(batch)
    {
    }
    void send_all()
    {
        std::vector<std::thread> threads;
        for (std::size_t i = 0; i < inbox_connections; ++i)
            threads.emplace_back([this] { send_some(); });
        for (auto& thread : threads) thread.join();
        if (!complaint_.empty()) throw e2e::Broken(complaint_);
    }

 private:
    void send_some()
    {
        try {
            auto socket = server_.connect();
            std::string buffer;
            for (;;) {
                const auto index = next_.fetch_add(1);
                if (index >= requests_.size()) return;
                socket.write(requests_[index]);
                const auto answer = e2e::read_message(socket, buffer, answer_time);
                if (!answer || answer->status() != 200 || accepted_in(answer->body) != batch_)
                    throw e2e::Broken("a transaction wasn't accepted: " +
                                      (answer
                                           ? answer->start_line + " " + answer->body.substr(0, 300)
                                           : "closed"));
            }
        } catch (const e2e::Broken& broken) {
            const std::lock_guard lock(mutex_);
            complaint_ = broken.what();
            next_ = requests_.size();
        }
    }

    e2e::Node& server_;
    const std::vector<std::string>& requests_;
    std::size_t batch_;
    std::atomic<std::size_t> next_ = 0;
    std::mutex mutex_;
    std::string complaint_;
};

InboxFigures measure_batch(Scene& scene, std::size_t batch, std::size_t events_each)
{
    const auto count = std::clamp(events_each / batch, min_transactions, max_transactions);
    std::vector<std::string> requests;
    requests.reserve(count);
    for (std::size_t i = 0; i < count; ++i) requests.push_back(scene.request(batch));

    const auto pid = scene.server().pid();
    Senders senders(scene.server(), requests, batch);
    const auto wall = wall_now(), server = process_cpu_now(pid), own = process_cpu_now(::getpid());
    senders.send_all();
    const auto spent = static_cast<double>(wall_now() - wall);
    const auto events = static_cast<double>(count * batch);
    InboxFigures figures;
    figures.batch = batch;
    figures.events_per_second = events / spent * 1e9;
    figures.cpu_us_per_event = static_cast<double>(process_cpu_now(pid) - server) / 1e3 / events;
    figures.sender_share = static_cast<double>(process_cpu_now(::getpid()) - own) / spent;
    return figures;
}

}  // namespace

std::vector<InboxFigures> measure_inbox(const std::vector<std::size_t>& batches,
                                        std::size_t events_each)
{
    Scene scene;
    std::vector<InboxFigures> all;
    for (const auto batch : batches) all.push_back(measure_batch(scene, batch, events_each));
    return all;
}

}  // namespace entente::bench
