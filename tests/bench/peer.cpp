#include "tests/bench/peer.hpp"

#include <atomic>
#include <mutex>
#include <thread>

#include "protocol/message_signature.hpp"
#include "tests/bench/scan.hpp"

namespace entente::bench {

namespace {

constexpr const char* target = "/federation/v1/inbox";
constexpr const char* no_bounds =
    "\n[trust.budgets.trusted]\nevents = 1000000000\nbytes = 1000000000000\n"
    "\n[limits]\nrequests_per_source = 100000000\n";
constexpr protocol::Seconds lifetime = 300;
constexpr std::size_t text_size = 300;
constexpr e2e::Milliseconds answer_time{30'000};

std::size_t accepted_in(const std::string& body)
{
    std::size_t count = 0;
    for (Scan scan(body); scan.pass(R"("status":"accepted")");) ++count;
    return count;
}

// One sender for each connection; the first complaint ends them all.
class Senders {
 public:
    Senders(const e2e::Node& server, const std::vector<std::string>& requests, std::size_t batch)
        : server_(server), requests_(requests), batch_(batch)
    {
    }
    void send_all()
    {
        std::vector<std::thread> threads;
        for (std::size_t i = 0; i < peer_connections; ++i)
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

    const e2e::Node& server_;
    const std::vector<std::string>& requests_;
    std::size_t batch_;
    std::atomic<std::size_t> next_ = 0;
    std::mutex mutex_;
    std::string complaint_;
};

}  // namespace

Peer::Peer() : world_({"a.test"}, {"f.test"}, no_bounds, e2e::Tuning::stock)
{
    world_.start_all();
    forger_ = std::make_unique<e2e::Forger>(world_, "f.test");
    alice_ = std::make_unique<e2e::Client>(server(), "alice");
    alice_->register_user();
    channel_ = alice_->create_channel("bench");
    alice_->invite(channel_, forger_->user());
    const auto joined = forger_->deliver(
        server(), forger_->submission(channel_, {forger_->event(channel_, "member.join")}));
    if (joined.submissions.at(0).events.at(0).status != protocol::ItemStatus::accepted)
        throw e2e::Broken("the bench's peer can't join");
}

std::string Peer::request(std::size_t messages) const
{
    const std::string text = "\"text\":\"" + std::string(text_size, 't') + "\"";
    std::vector<protocol::EventAndContent> events;
    events.reserve(messages);
    for (std::size_t i = 0; i < messages; ++i)
        events.push_back(forger_->event(channel_, "message.create", text));
    const auto body = forger_->submission(channel_, events);
    protocol::SystemRandom random;
    const auto now = protocol::SystemClock{}.now_ms() / 1000;
    const auto fields = protocol::sign_request(
        forger_->key(), forger_->name(), protocol::ServerName::trusted("a.test"), "POST", target,
        body, {now, now + lifetime}, protocol::to_base64url(random.octets(16)));
    return e2e::write_request("POST", target, "a.test", {fields.begin(), fields.end()}, body);
}

std::vector<std::string> Peer::requests(std::size_t count, std::size_t messages) const
{
    std::vector<std::string> all;
    all.reserve(count);
    for (std::size_t i = 0; i < count; ++i) all.push_back(request(messages));
    return all;
}

void Peer::send(const std::vector<std::string>& requests, std::size_t messages)
{
    Senders(server(), requests, messages).send_all();
}

}  // namespace entente::bench
