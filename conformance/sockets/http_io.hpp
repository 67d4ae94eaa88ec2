#pragma once

// HTTP/1.1 over a Stream, read strictly and within bounds: as a client of the target, and as the
// server that the target asks.

#include <cstddef>
#include <string>

#include "conformance/sockets/socket.hpp"
#include "conformance/wire/message.hpp"

namespace entente::conformance {

struct ReadLimits {
    // Octets of a head, and of a body.
    std::size_t head = 65'536;
    std::size_t body = 17'825'792;
};

// What is left over between two messages of one connection stands in `rest`.
struct AnswerResult {
    Answer answer;
    // Empty where a whole answer has come; else what was wrong.
    std::string error;
    // The connection ended in order, without an octet of an answer.
    bool closed = false;
    // It ended by a reset: what had been on its way may be lost.
    bool reset = false;
};

// Content-Length, chunks, or up to the end of the connection.
[[nodiscard]] AnswerResult read_answer(Stream& stream, std::string& rest, Deadline deadline,
                                       const ReadLimits& limits = {});

// `octets` of an answer for a report; where it isn't whole, why not, on a line of its own.
[[nodiscard]] std::string with_remark(const std::string& octets, const std::string& error);

struct RequestResult {
    Request request;
    std::string error;
    bool closed = false;
};

[[nodiscard]] RequestResult read_request(Stream& stream, std::string& rest, Deadline deadline,
                                         const ReadLimits& limits = {});

}  // namespace entente::conformance
