// A peer that hands in transactions as large as they may be, several at once, as fast as
// they are answered; what it is refused for now it hands in again.
#pragma once

#include <atomic>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tests/e2e/support/client.hpp"
#include "tests/e2e/support/forger.hpp"

namespace entente::overload {

class PeerFlood {
 public:
    // `count` bodies are made at once, each with 1,000 messages that fill four megabytes.
    PeerFlood(const e2e::Forger& forger, const e2e::Node& to, const std::string& channel,
              std::size_t count);
    ~PeerFlood();
    PeerFlood(const PeerFlood&) = delete;
    PeerFlood& operator=(const PeerFlood&) = delete;

    void start(std::size_t connections);
    // Waits until all are in or the time is over; Broken for what should not have been said.
    void finish(e2e::Milliseconds time);
    void stop();

    [[nodiscard]] std::size_t accepted() const { return accepted_; }  // transactions
    [[nodiscard]] std::size_t put_off() const { return put_off_; }    // answers 429 and 503
    // "" where the log has each accepted transaction's messages once and in order.
    [[nodiscard]] std::string complaint(e2e::Client& reader, const std::string& channel) const;

 private:
    struct Parcel {
        std::string body;
        std::vector<std::string> texts;
        bool accepted = false;
    };
    void run();
    bool hand_in(Parcel& parcel);

    const e2e::Forger& forger_;
    const e2e::Node& to_;
    std::vector<Parcel> parcels_;
    std::atomic<std::size_t> next_ = 0, accepted_ = 0, put_off_ = 0, running_ = 0;
    std::atomic<bool> stopping_ = false;
    std::vector<std::thread> threads_;
    std::mutex mutex_;
    std::string complaint_;
};

}  // namespace entente::overload
