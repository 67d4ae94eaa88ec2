#include "tests/overload/stranger_flood.hpp"

#include <algorithm>
#include <thread>

namespace entente::overload {

namespace {

// More than fetches may be under way at once: some wait for one, the others go on.
constexpr std::size_t threads_at_once = 96;
constexpr std::size_t requests_a_source = 100;
constexpr std::size_t sources_a_net = 250;
constexpr e2e::Milliseconds longest_answer{30'000};

std::string source_of(std::size_t number)
{
    return "127.30." + std::to_string(number / sources_a_net) + "." +
           std::to_string(1 + number % sources_a_net);
}

}  // namespace

StrangerFlood::StrangerFlood(const e2e::Forger& forger, const e2e::Node& to, std::size_t requests,
                             std::vector<std::string> mute)
    : forger_(forger), to_(to), requests_(requests), mute_(std::move(mute))
{
}

std::string StrangerFlood::name(std::size_t number) const
{
    if (number < mute_.size()) return mute_[number];
    return "s" + std::to_string(number) + strangers_domain;
}

void StrangerFlood::run()
{
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < threads_at_once; ++i) threads.emplace_back([this] { send_some(); });
    for (auto& thread : threads) thread.join();
    if (!complaint_.empty()) throw e2e::Broken(complaint_);
}

void StrangerFlood::send_some()
{
    std::map<std::string, std::size_t> answers;
    std::string complaint;
    try {
        for (;;) {
            const auto number = next_.fetch_add(1);
            const auto first = number * requests_a_source;
            if (first >= requests_) break;
            send_from(source_of(number), first, std::min(first + requests_a_source, requests_),
                      answers);
        }
    } catch (const e2e::Broken& broken) {
        complaint = broken.what();
    }
    const std::lock_guard lock(mutex_);
    for (const auto& [answer, count] : answers) answers_[answer] += count;
    if (!complaint.empty()) complaint_ = complaint;
}

void StrangerFlood::send_from(const std::string& source, std::size_t first, std::size_t end,
                              std::map<std::string, std::size_t>& answers) const
{
    auto socket = to_.connect(source);
    std::string buffer;
    for (auto number = first; number < end; ++number) {
        auto craft = forger_.craft(to_, R"({"signals":[]})");
        craft.keyid = name(number) + "#" + forger_.key().id().str();
        craft.nonce = strangers_nonce + craft.nonce;
        socket.write(e2e::Forger::octets(to_, craft));
        auto message = e2e::read_message(socket, buffer, longest_answer);
        if (!message) throw e2e::Broken("a stranger's connection was closed");
        const e2e::Answered answered{std::move(*message), {}};
        ++answers[std::to_string(answered.status()) + " " + answered.problem()];
    }
}

}  // namespace entente::overload
