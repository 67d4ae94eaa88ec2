// HTTP messages as the rooms above see them: no Beast type leaves net/*.cpp.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/ip/address.hpp>

#include "protocol/message_signature.hpp"
#include "protocol/result.hpp"

namespace entente::net {

using protocol::Fields;

struct Request {
    std::string method;
    std::string target;  // as sent, undecoded
    std::string path;    // before the '?', undecoded
    std::string query;   // behind the '?', undecoded
    Fields fields;       // in order, names in lower case
    std::string body;
    boost::asio::ip::address source;    // the client's, behind a trusted proxy too
    std::string id;                     // for the log: the same through all lines of a request
    std::vector<std::string> captures;  // what the route's {name} segments matched, undecoded

    // The first value of a field, or nothing. `name` in lower case.
    [[nodiscard]] std::optional<std::string_view> field(std::string_view name) const;
    // A query parameter, percent-decoded; nothing where it is absent or malformed.
    [[nodiscard]] std::optional<std::string> parameter(std::string_view name) const;
};

struct Response {
    int status = 200;
    std::string content_type = "application/json";
    Fields fields;  // besides Content-Type, Content-Length, Date
    std::string body;
    bool close = false;  // end the connection behind this answer
    // Let go once the answer is written: what a large body's memory is counted by.
    std::shared_ptr<void> held{};
};

// 200 with this JSON text.
[[nodiscard]] Response json_answer(std::string body);

// Retry-After of a 429 or 503 whose error says nothing.
inline constexpr std::int64_t usual_retry_after_s = 10;
// The problem document for an error, with Retry-After where it has one; a 429 or 503 always has.
[[nodiscard]] Response problem_response(const Error& error, protocol::Millis now);

}  // namespace entente::net
