// The machine's clock and libsodium's generator.
#include "protocol/clock.hpp"

#include <chrono>

#include <sodium.h>

namespace entente::protocol {

Millis SystemClock::now_ms() const
{
    const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::milliseconds>(since_epoch).count();
}

std::string SystemRandom::octets(std::size_t size)
{
    std::string result(size, '\0');
    randombytes_buf(result.data(), result.size());
    return result;
}

}  // namespace entente::protocol
