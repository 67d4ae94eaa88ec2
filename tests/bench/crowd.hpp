// The people of a run, their channels, and their WebSockets; all made through the client
// API, before anything is measured.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "tests/bench/load_socket.hpp"
#include "tests/e2e/support/client.hpp"

namespace entente::bench {

// A channel and who is in it, by their numbers in the crowd; the first is its owner.
struct ChannelPlan {
    std::vector<std::size_t> members;
    std::string kind = "group";
};

class Crowd {
 public:
    // Members of `here` come first, then those of `there`.
    Crowd(e2e::World& world, std::string here, std::string there);

    // Has at least `count` people on each side.
    void grow(std::size_t count);
    [[nodiscard]] std::size_t a_side() const { return here_.size(); }
    // The number of a person.
    [[nodiscard]] static std::size_t on_a(std::size_t index) { return 2 * index; }
    [[nodiscard]] static std::size_t on_b(std::size_t index) { return 2 * index + 1; }

    // Made, and joined by all; each member's server holds it.
    std::vector<std::string> make_channels(const std::vector<ChannelPlan>& plans);
    // A WebSocket of the person, following the channels from now on.
    std::unique_ptr<LoadSocket> open(std::size_t person, const std::vector<std::string>& follow);

 private:
    struct Person {
        std::string source;
        e2e::Client client;
    };
    [[nodiscard]] Person& person(std::size_t number);
    void add(std::vector<std::unique_ptr<Person>>& side, const e2e::Node& node);

    e2e::World& world_;
    std::string names_[2];
    TlsClient tls_[2];
    std::vector<std::unique_ptr<Person>> here_, there_;
};

}  // namespace entente::bench
