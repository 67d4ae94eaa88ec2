#include "tests/overload/post_flood.hpp"

#include <map>

#include "tests/bench/measure.hpp"
#include "tests/bench/scan.hpp"

namespace entente::overload {

namespace {

constexpr std::size_t prefix_size = 24;  // of a txn: its socket
constexpr std::size_t number_digits = 12;
constexpr bench::Nanoseconds answer_time = 60'000'000'000;

std::string txn_of(const std::string& prefix, std::size_t number)
{
    std::string digits(number_digits, '0');
    bench::write_hex(number, digits.data(), digits.size());
    return prefix + digits;
}

}  // namespace

PostFlood::PostFlood(const e2e::World& world, const std::vector<e2e::Client*>& people,
                     std::string channel, PostFloodPlan plan)
    : channel_(std::move(channel)), plan_(plan), text_(plan.text_octets, 'f')
{
    for (auto* person : people) {
        const auto& node = person->node();
        const bench::TlsClient tls(node.name(), node.port(), world.ca_file());
        for (std::size_t i = 0; i < plan.sockets_each; ++i) {
            auto& sender = *senders_.emplace_back(std::make_unique<Sender>());
            sender.prefix = e2e::new_uuid().substr(0, prefix_size);
            sender.socket = std::make_unique<bench::LoadSocket>(
                tls, "127.0.9." + std::to_string(1 + senders_.size() / 500), person->open_ticket());
        }
    }
}

PostFlood::~PostFlood()
{
    stopping_ = true;
    if (thread_.joinable()) thread_.join();
}

void PostFlood::start()
{
    thread_ = std::thread([this] {
        try {
            run();
        } catch (...) {
            broken_ = std::current_exception();
        }
    });
}

void PostFlood::stop()
{
    stopping_ = true;
    thread_.join();
    if (broken_) std::rethrow_exception(broken_);
}

void PostFlood::run()
{
    bench::Nanoseconds deadline = 0;
    for (;;) {
        const bool stopping = stopping_;
        if (stopping && deadline == 0) deadline = bench::wall_now() + answer_time;
        bool idle = true;
        bool waiting = false;
        for (auto& sender : senders_) {
            idle = !serve(*sender, !stopping) && idle;
            waiting = waiting || !sender->unanswered.empty();
        }
        if (stopping && (!plan_.reads || !waiting)) return;
        if (stopping && bench::wall_now() > deadline)
            throw e2e::Broken("posts without an answer after a minute");
        if (idle) std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
}

// Whether anything could be done.
bool PostFlood::serve(Sender& sender, bool fresh)
{
    bool acted = false;
    if (sender.socket->wants_to_write()) sender.socket->flush();
    if (plan_.reads)
        sender.socket->read([&](std::string_view frame) {
            acted = true;
            take_results(sender, frame);
        });
    if (!fresh || sender.socket->wants_to_write() ||
        sender.unanswered.size() >= plan_.most_unanswered)
        return acted;
    send(sender);
    return true;
}

void PostFlood::send(Sender& sender)
{
    bench::FrameText frame;
    for (std::size_t i = 0; i < plan_.posts_a_frame; ++i) {
        frame.append(i == 0 ? R"({"posts":[)" : ",");
        frame.append(R"({"txn":")" + txn_of(sender.prefix, sender.next) + R"(","channel":")");
        frame.append(channel_ + R"(","content":{"text":")" + text_ + "\"}}");
        sender.unanswered.push_back(sender.next++);
        ++sent_;
    }
    frame.append("]}");
    sender.socket->send(frame.finish());
}

// In the order of the posts.
void PostFlood::take_results(Sender& sender, std::string_view frame)
{
    if (frame.starts_with(R"({"resync")")) throw e2e::Broken("a flooder that reads was cut off");
    bench::Scan scan(frame);
    while (scan.pass(R"({"txn":")")) {
        const auto txn = scan.take_word();
        if (sender.unanswered.empty() || txn != txn_of(sender.prefix, sender.unanswered.front()))
            throw e2e::Broken("a result that nobody waits for: " + std::string(txn));
        const bool taken = scan.rest().starts_with(R"(,"event":")");
        if (taken) {
            sender.acknowledged.push_back(sender.unanswered.front());
            ++acknowledged_;
        } else {
            ++refused_;
        }
        sender.unanswered.pop_front();
    }
}

std::string PostFlood::complaint(e2e::Client& reader) const
{
    std::map<std::string, std::vector<std::string>> seen;  // by socket, in the log's order
    for (const auto& entry : reader.log(channel_))
        if (entry.txn.size() > prefix_size)
            seen[entry.txn.substr(0, prefix_size)].push_back(entry.txn);
    for (const auto& sender : senders_) {
        const auto& stored = seen[sender->prefix];
        // Numbers of a fixed width: their order is the texts'.
        for (std::size_t i = 1; i < stored.size(); ++i) {
            if (stored[i] == stored[i - 1]) return "twice: " + stored[i];
            if (stored[i] < stored[i - 1]) return "out of order: " + stored[i];
        }
        std::size_t at = 0;
        for (const auto number : sender->acknowledged) {
            const auto txn = txn_of(sender->prefix, number);
            while (at < stored.size() && stored[at] < txn) ++at;
            if (at == stored.size() || stored[at] != txn) return "lost: " + txn;
        }
    }
    return {};
}

}  // namespace entente::overload
