// Argon2id password hashes (libsodium, 19 MiB, t=2) and the pool they are computed on:
// about 30 ms each, at most two at once, never on an I/O thread. Knows nothing of users.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "protocol/result.hpp"

namespace entente::api {

namespace asio = boost::asio;

// In octets. The upper bound keeps a request cheap; the lower one is NIST SP 800-63B's.
inline constexpr std::size_t min_password_octets = 8;
inline constexpr std::size_t max_password_octets = 256;

// `malformed`, with a hint, outside of the bounds.
[[nodiscard]] Result<void> check_password(std::string_view password);

// Blocking, 30 ms and 19 MiB: for tools and the pool. `unavailable` without memory.
[[nodiscard]] Result<std::string> hash_password(std::string_view password);
[[nodiscard]] bool password_matches(std::string_view stored, std::string_view password);

class PasswordPool {
 public:
    explicit PasswordPool(asio::any_io_executor io);
    ~PasswordPool();  // waits for what is being computed
    PasswordPool(const PasswordPool&) = delete;
    PasswordPool& operator=(const PasswordPool&) = delete;

    // Both give `unavailable` with retry_after while more than 64 are waiting.
    asio::awaitable<Result<std::string>> hash(std::string password);
    // `stored` empty: nobody has that name. Costs the same and is false, so that the
    // answer's time doesn't tell which names exist.
    asio::awaitable<Result<bool>> matches(std::string stored, std::string password);

 private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace entente::api
