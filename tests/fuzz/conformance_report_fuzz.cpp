// Reports: whatever one holds, its forms are made of it, and an altered one isn't taken.
#include <cstdint>
#include <stdexcept>
#include <string_view>

#include "conformance/report/report.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    using namespace entente::conformance;
    const std::string_view octets{reinterpret_cast<const char*>(data), size};
    try {
        static_cast<void>(parse_report(octets, "report.json"));
    } catch (const std::runtime_error&) {
    }
    const auto any = nlohmann::json::parse(octets, nullptr, false);
    if (any.is_discarded()) return 0;
    static_cast<void>(junit_of(any));
    static_cast<void>(tap_of(any));
    static_cast<void>(html_of(any));
    static_cast<void>(summary_of(any));
    return 0;
}
