#pragma once

// Requests as octets, for the cases whose defect lies where a message begins and ends: taken apart,
// framed otherwise, with another request hidden inside. What a target answers to such a thing is
// read whole, up to the end of the connection.

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "conformance/judge/trial.hpp"

namespace entente::conformance {

struct HttpHalves {
    // With its blank line.
    std::string head;
    std::string body;
};
[[nodiscard]] HttpHalves halves_of(const std::string& octets);

// `lines`, each with its CRLF, behind the last field of `head`.
[[nodiscard]] std::string with_lines(std::string head, const std::string& lines);
[[nodiscard]] std::string without_field(std::string head, const std::string& name);
// The first `from` becomes `to`. Throws CouldNotRun where there is none.
[[nodiscard]] std::string with_replaced(std::string text, const std::string& from,
                                        const std::string& to);

// "Content-Length: N\r\n"
[[nodiscard]] std::string length_line(const std::string& value);
[[nodiscard]] std::string hex_size(std::size_t size);
// One chunk and the last: SIZE CRLF octets CRLF 0 CRLF CRLF.
[[nodiscard]] std::string chunked(std::string_view octets);

// What framing makes of a body: other lines in place of Content-Length, other octets.
using HttpLines = std::function<std::string(const std::string& body)>;
using HttpCoding = std::function<std::string(const std::string& body)>;
[[nodiscard]] std::string reframed(const std::string& octets, const HttpLines& lines,
                                   const HttpCoding& coding);
// As a defect, behind which the target may close.
[[nodiscard]] Defect framed(HttpLines lines, HttpCoding coding);
// The first `from` of the head becomes `to`.
[[nodiscard]] Defect head_replaced(const std::string& from, const std::string& to);

// A signed request that hands in a message of the trial's user: it is right, and not sent yet.
struct SignedMessage {
    std::string text;
    std::string octets;
    std::string signature;
};
[[nodiscard]] SignedMessage signed_message(Trial& trial, const Defect& defect = {});

// All that comes back over a connection of its own: answers in their order, until it ends. For so
// many as are `expected` a target has 10 s each; then until nothing has come for half a second.
struct Conversation {
    std::vector<Answer> answers;
    bool ended = false;
};
[[nodiscard]] Conversation converse(Trial& trial, const std::string& octets,
                                    const std::string& what, std::size_t expected = 1);

[[nodiscard]] Response response_of(Answer answer);

// The whole of a case that hides a request inside of, or behind, another one: what `frame` makes
// of the two is sent, and whatever is answered, the hidden one has no effect.
using HttpFrame = std::function<std::string(const std::string& outer, const std::string& hidden)>;
[[nodiscard]] std::function<void(Trial&)> smuggles_nothing(HttpFrame frame);

// Reads 1xx and what else is the head of an answer; empty where none comes in time.
[[nodiscard]] std::string read_interim(Stream& stream, std::string& rest, Millis time);

}  // namespace entente::conformance
