#pragma once

// Many connections of one stranger to the target, driven by one thread: what he does badly, all of
// them do. And how others fare meanwhile.

#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "conformance/judge/machine_watch.hpp"
#include "conformance/judge/trial.hpp"

namespace entente::conformance {

// Lets this process have `count` descriptors more than it needs by itself. Throws NotApplicable
// where the system doesn't.
void need_descriptors(std::size_t count);

// Throws NotApplicable where the runner can't come from two addresses: what a target counts by the
// address would then tell nothing of anybody else [SIG-8].
void need_two_sources(const Trial& trial);

class Crowd {
 public:
    // From an address of its own. `what` is for the report.
    Crowd(Trial& trial, std::string what);
    ~Crowd();
    Crowd(const Crowd&) = delete;
    Crowd& operator=(const Crowd&) = delete;

    // Fewer where the target lets no more in.
    void open(std::size_t count);
    // TCP alone.
    void open_without_tls(std::size_t count);
    [[nodiscard]] std::size_t size() const { return streams_.size(); }

    // Before `drip`. To each; connections that the target has ended are left alone.
    void write(const std::function<std::string(std::size_t place)>& octets);
    // Makes the room for what arrives small.
    void take_little();

    // From now on, in a thread of its own: each gets an octet of `octets` every `step`.
    void drip(std::string octets, Millis step = Millis(1'000));
    // Ends the dripping as well.
    [[nodiscard]] std::size_t ended();
    // Waits until the target has ended all, dripping on; false where it hasn't by `deadline`.
    [[nodiscard]] bool wait_until_ended(Deadline deadline);

 private:
    struct Member {
        std::unique_ptr<Stream> stream;
        bool ended = false;
    };

    void drip_on(const std::stop_token& stop, const std::string& octets, Millis step);
    void stop_dripping();
    // With the lock held.
    void look(Member& member);
    void note_begin(std::size_t wanted);

    Trial& trial_;
    const std::string what_;
    const Door door_;
    std::mutex mutex_;
    std::vector<Member> streams_;
    std::jthread dripper_;
};

// A server that does nothing wrong, with a member in the trial's channel, and an address of its
// own.
class Bystander {
 public:
    explicit Bystander(Trial& trial, const std::string& label = "other");

    // "others-served": so many, `pause` apart, each answered within a second (up to 2.5 s where it
    // took long before there was a crowd), as far as this machine doesn't explain it.
    void expect_served(std::size_t count = 30, Millis pause = Millis(100));

    [[nodiscard]] Origin& origin() { return origin_; }
    // The text of its latest message.
    [[nodiscard]] const std::string& latest() const { return latest_; }

 private:
    struct Asked {
        Response response;
        Deadline began;
        Millis took;
    };
    [[nodiscard]] Asked ask();

    void hand_in();

    Trial& trial_;
    Origin& origin_;
    const Door door_;
    const MachineWatch watch_;
    Millis allowed_{0};
    std::string latest_;
};

// What the hook `metrics` says of the target's memory; judges nothing where there is none.
class MemoryWatch {
 public:
    static constexpr std::int64_t allowed_growth = 64 * 1024 * 1024;

    explicit MemoryWatch(Trial& trial);
    // "memory-bounded": it has at most 64 MiB more than at first.
    void expect_bounded();

 private:
    [[nodiscard]] std::int64_t measured();

    Trial& trial_;
    std::int64_t before_ = 0;
};

}  // namespace entente::conformance
