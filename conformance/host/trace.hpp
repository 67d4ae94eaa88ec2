#pragma once

// What came to one of the runner's servers and what it was answered, for people to read. Bounded
// however much comes: the first ones and the last are kept. Cases judge by Origin::received.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <vector>

#include "conformance/sockets/deadline.hpp"

namespace entente::conformance {

struct Traced {
    std::uint64_t number = 0;
    Deadline came;
    // "GET /.well-known/entente at sig-06-1f0a.peers.test"
    std::string what;
    // Octets; each is kept up to `max_octets`.
    std::string asked;
    // Empty until it is answered.
    std::string answered;
};

// Called from many threads at once.
class Trace {
 public:
    static constexpr std::size_t first_kept = 8;
    static constexpr std::size_t last_kept = 24;
    static constexpr std::size_t max_octets = 65'536;

    // Its number, for end().
    [[nodiscard]] std::uint64_t begin(std::string what, std::string asked);
    void end(std::uint64_t number, std::string answered);

    // In the order in which they came.
    [[nodiscard]] std::vector<Traced> kept() const;
    [[nodiscard]] std::uint64_t left_out() const;

 private:
    mutable std::mutex mutex_;
    std::vector<Traced> first_;
    std::deque<Traced> last_;
    std::uint64_t count_ = 0;
};

}  // namespace entente::conformance
