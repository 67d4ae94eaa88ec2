// Requests on one connection: heads, bodies and what lies behind them. Cutting the octets
// elsewhere must change nothing.
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "net/request_body.hpp"
#include "net/request_head.hpp"
#include "net/router.hpp"

namespace {

using namespace entente::net;

constexpr std::size_t max_body = 4'096;

// What was understood, in order; ends at the first refusal.
std::vector<std::string> understood(std::string_view wire, std::size_t step)
{
    std::vector<std::string> seen;
    std::string buffer;
    const auto feed = [&] {
        const auto part = wire.substr(0, step);
        buffer.append(part);
        wire.remove_prefix(part.size());
        return !part.empty();
    };
    while (true) {
        HeadScanner scanner{HeadLimits()};
        auto size = scanner.scan(buffer);
        while (size && !*size) {
            if (!feed()) return seen;
            size = scanner.scan(buffer);
        }
        if (!size) return seen;
        const auto head =
            parse_request_head(std::string_view(buffer).substr(0, **size), HeadLimits());
        buffer.erase(0, **size);
        if (!head) return seen;
        if (head->chunked && head->content_length) std::abort();
        seen.push_back(head->method + " " + head->target);
        auto body = RequestBody::begin(*head, max_body);
        if (!body) return seen;
        while (!body->is_complete()) {
            const auto taken = body->take(buffer);
            if (!taken) return seen;
            buffer.erase(0, *taken);
            if (!body->is_complete() && !feed()) return seen;
        }
        seen.push_back(body->release());
        if (seen.back().size() > max_body) std::abort();
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    if (size == 0) return 0;
    const std::size_t step = data[0] % 16 + 1U;
    const std::string_view wire(reinterpret_cast<const char*>(data) + 1, size - 1);
    if (understood(wire, step) != understood(wire, wire.size() + 1)) std::abort();
    Request request;
    request.query = wire;
    static_cast<void>(request.parameter("after"));
    return 0;
}
