#pragma once

// What a peer of the runner says to a request, and how: at once, slowly, never, cut off.

#include <atomic>
#include <cstddef>
#include <memory>
#include <string>

#include "conformance/sockets/deadline.hpp"
#include "conformance/wire/message.hpp"

namespace entente::conformance {

struct Reply {
    // What is written, as octets: an answer, or what only looks like one.
    std::string octets;
    // Waited before the first octet.
    Millis pause{0};
    // Where it isn't 0: so many octets at a time, with `step_pause` behind each.
    std::size_t step = 0;
    Millis step_pause{0};
    // Once `octets` are written: over and over again up to this many octets more.
    std::size_t endless = 0;
    // Where it isn't null: how many octets have been written.
    std::shared_ptr<std::atomic<std::size_t>> written{};

    enum class End { keep, close, reset, hang };
    // What becomes of the connection; `hang`: it stays open and says nothing more.
    End end = End::keep;
};

// With its Content-Length, where it says none.
[[nodiscard]] Reply reply_with(Answer answer);

// A JSON body, not signed.
[[nodiscard]] Reply reply_json(int status, const std::string& text);

// Closed without an octet.
[[nodiscard]] Reply reply_nothing();

// For people: its octets, and in brackets what becomes of the connection where that isn't usual.
[[nodiscard]] std::string shown(const Reply& reply);

}  // namespace entente::conformance
