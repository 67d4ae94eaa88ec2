// What a device publishes: every key that is taken is JSON that can stand within other JSON.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "api/key_upload.hpp"
#include "protocol/json_rules.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    using namespace entente;
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    const auto upload = api::parse_key_upload(text);
    if (!upload) return 0;
    const auto check = [](const std::string& key) {
        if (!protocol::check_json("[[[[" + key + "]]]]")) std::abort();
    };
    if (upload->keys) check(*upload->keys);
    for (const auto& key : upload->one_time) check(key.key);
    for (const auto& key : upload->fallback) check(key.key);
    return 0;
}
