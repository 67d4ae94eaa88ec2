// A connected device's mailbox as its socket's writer reads it: from the store alone, page by
// page behind what this socket has been sent. So nothing is missing and nothing comes twice
// on one socket; what wasn't acknowledged comes again on the next. For the I/O executor.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <boost/asio/awaitable.hpp>

#include "api/sessions.hpp"
#include "federation/people.hpp"

namespace entente::api {

class Mail {
 public:
    explicit Mail(federation::People& people) : people_(people) {}

    // There may be something behind what was read.
    void came() { is_due_ = true; }
    [[nodiscard]] bool is_due() const { return is_due_; }
    // The next frame, or nothing; the store's error, after which it is due no more.
    asio::awaitable<Result<std::optional<std::string>>> next_frame(const Caller& caller);

 private:
    federation::People& people_;
    std::int64_t sent_ = 0;
    bool is_due_ = true;
};

}  // namespace entente::api
