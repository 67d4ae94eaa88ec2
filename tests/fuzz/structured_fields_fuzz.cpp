// Whatever parses has a canonical text that means the same and is its own canonical text.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "protocol/structured_fields.hpp"

namespace {

template <class T>
void check(const entente::Result<T>& parsed, entente::Result<T> (*parse)(std::string_view))
{
    if (!parsed) return;
    const auto text = entente::protocol::sf::serialize(*parsed);
    const auto again = parse(text);
    if (!again || !(*again == *parsed) || entente::protocol::sf::serialize(*again) != text)
        std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    namespace sf = entente::protocol::sf;
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    check(sf::parse_item(text), sf::parse_item);
    check(sf::parse_list(text), sf::parse_list);
    check(sf::parse_dictionary(text), sf::parse_dictionary);
    return 0;
}
