// Accepted names are the text that came, and take themselves apart without loss.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "protocol/names.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    using namespace entente::protocol;
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    for (const NameRules rules : {NameRules{false}, NameRules{true}}) {
        if (const auto server = parse_server_name(text, rules)) {
            if (server->str() != text || text.size() > 253) std::abort();
        }
        if (const auto user = parse_user_id(text, rules)) {
            const std::string again =
                std::string{localpart_of(*user)} + "@" + server_of(*user).str();
            if (again != text || !parse_server_name(server_of(*user).str(), rules)) std::abort();
        }
        if (const auto channel = parse_channel_id(text, rules)) {
            if (!parse_server_name(creator_of(*channel).str(), rules)) std::abort();
        }
        if (const auto alias = parse_alias(text, rules)) {
            const std::string again =
                "#" + std::string{localpart_of(*alias)} + "@" + server_of(*alias).str();
            if (again != text || !is_localpart(localpart_of(*alias))) std::abort();
        }
        if (const auto key = parse_key_ref(text, rules); key && key->str() != text) std::abort();
    }
    if (const auto uuid = parse_uuid(text); uuid && uuid->str() != text) std::abort();
    return 0;
}
