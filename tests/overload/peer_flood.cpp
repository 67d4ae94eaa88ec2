#include "tests/overload/peer_flood.hpp"

#include <map>

#include "tests/bench/scan.hpp"

namespace entente::overload {

namespace {

constexpr std::size_t messages = 1'000;
constexpr std::size_t text_octets = 3'400;  // with what is around it about 4 KiB in the body

std::size_t accepted_in(const std::string& body)
{
    std::size_t count = 0;
    for (bench::Scan scan(body); scan.pass(R"("status":")");) {
        const auto status = scan.take_word();
        // A repeat after an answer that didn't come through is a duplicate.
        if (status == "accepted" || status == "duplicate") ++count;
    }
    return count;
}

}  // namespace

PeerFlood::PeerFlood(const e2e::Forger& forger, const e2e::Node& to, const std::string& channel,
                     std::size_t count)
    : forger_(forger), to_(to)
{
    for (std::size_t i = 0; i < count; ++i) {
        auto& parcel = parcels_.emplace_back();
        std::vector<protocol::EventAndContent> events;
        for (std::size_t k = 0; k < messages; ++k) {
            auto text = std::to_string(i) + "." + std::to_string(k) + ".";
            parcel.texts.push_back(text);
            text.resize(text_octets, 'p');
            events.push_back(forger.event(channel, "message.create", "\"text\":\"" + text + "\""));
        }
        parcel.body = forger.submission(channel, events);
    }
}

PeerFlood::~PeerFlood()
{
    stop();
}

void PeerFlood::start(std::size_t connections)
{
    running_ = connections;
    for (std::size_t i = 0; i < connections; ++i) threads_.emplace_back([this] { run(); });
}

void PeerFlood::run()
{
    try {
        for (;;) {
            const auto index = next_.fetch_add(1);
            if (index >= parcels_.size()) break;
            while (!stopping_ && !hand_in(parcels_[index]))
                std::this_thread::sleep_for(std::chrono::milliseconds(200));
        }
    } catch (const e2e::Broken& broken) {
        const std::lock_guard lock(mutex_);
        complaint_ = broken.what();
    }
    --running_;
}

bool PeerFlood::hand_in(Parcel& parcel)
{
    const auto answer = forger_.send(to_, forger_.craft(to_, parcel.body));
    if (answer.status() == 429 || answer.status() == 503) {
        if (answer.retry_after() < 1) throw e2e::Broken("put off without Retry-After");
        ++put_off_;
        return false;
    }
    if (answer.status() != 200 || accepted_in(answer.message.body) != messages)
        throw e2e::Broken("a transaction wasn't taken: " + answer.message.start_line + " " +
                          answer.message.body.substr(0, 300));
    parcel.accepted = true;
    ++accepted_;
    return true;
}

void PeerFlood::finish(e2e::Milliseconds time)
{
    e2e::wait_until("the peer has handed in everything", [this] { return running_ == 0; }, time);
    stop();
    if (!complaint_.empty()) throw e2e::Broken(complaint_);
}

void PeerFlood::stop()
{
    stopping_ = true;
    for (auto& thread : threads_) thread.join();
    threads_.clear();
}

std::string PeerFlood::complaint(e2e::Client& reader, const std::string& channel) const
{
    std::map<std::string, std::size_t> places;
    for (const auto& entry : reader.log(channel)) {
        const auto text = entry.text.substr(0, entry.text.find_last_of('.') + 1);
        if (entry.sender != forger_.user() || text.empty()) continue;
        if (!places.emplace(text, static_cast<std::size_t>(entry.seq)).second)
            return "twice: " + text;
    }
    for (const auto& parcel : parcels_) {
        if (!parcel.accepted) continue;
        std::size_t before = 0;
        for (const auto& text : parcel.texts) {
            const auto found = places.find(text);
            if (found == places.end()) return "lost: " + text;
            if (found->second <= before) return "out of order: " + text;
            before = found->second;
        }
    }
    return {};
}

}  // namespace entente::overload
