// The people of a run, their channels, and their WebSockets; all made through the client
// API, before anything is measured.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "tests/bench/load_socket.hpp"
#include "tests/bench/servers.hpp"
#include "tests/e2e/support/client.hpp"

namespace entente::bench {

// A channel and who is in it, by their numbers in the crowd; the first is its owner.
struct ChannelPlan {
    std::vector<std::size_t> members;
    std::string kind = "group";
};

class Crowd {
 public:
    explicit Crowd(Servers& servers);

    // Has at least `count` people on each side.
    void grow(std::size_t count);
    // The number of a person.
    [[nodiscard]] static std::size_t on_a(std::size_t index) { return 2 * index; }
    [[nodiscard]] static std::size_t on_b(std::size_t index) { return 2 * index + 1; }

    // Made, and joined by all; each member's server holds it.
    std::vector<std::string> make_channels(const std::vector<ChannelPlan>& plans);
    // A WebSocket of the person, following the channels from now on; from the person's own
    // address unless `source` is given.
    std::unique_ptr<LoadSocket> open(std::size_t person, const std::vector<std::string>& follow,
                                     const std::string& source = {});

 private:
    struct Person {
        std::string source;
        e2e::Client client;
        Nanoseconds fresh = 0;  // when its tokens were given
    };
    // With a token that holds for a while.
    [[nodiscard]] Person& person(std::size_t number);

    Servers& servers_;
    std::array<TlsClient, 2> tls_;
    std::array<std::vector<std::unique_ptr<Person>>, 2> people_;
};

}  // namespace entente::bench
