// A server document: what was taken keeps to the limits, and written again is taken again.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "protocol/server_document.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    using namespace entente::protocol;
    start_crypto();
    const auto name = ServerName::trusted("a.example");
    const auto read = parse_well_known({reinterpret_cast<const char*>(data), size}, name, {});
    if (!read) return 0;
    if (const auto* delegation = std::get_if<Delegation>(&*read)) {
        if (!parse_https_origin(delegation->origin)) std::abort();
        return 0;
    }
    const auto& document = std::get<ServerDocument>(*read);
    if (document.server != name || document.keys.empty() || !document.recovery) std::abort();
    if (document.keys.size() > max_document_keys) std::abort();
    if (document.old_keys.size() > max_document_old_keys) std::abort();
    const auto written = write_server_document(document);
    // Spelling out what was left to its default may take it over the size.
    if (written.size() <= max_document_octets && !parse_well_known(written, name, {})) std::abort();
    return 0;
}
