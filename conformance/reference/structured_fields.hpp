#pragma once

// Dictionaries of structured fields (RFC 9651) in their canonical form alone [SIG-9]: what a
// serialiser wouldn't have written is no dictionary here.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "conformance/reference/flags.hpp"

namespace entente::conformance::reference {

struct BareItem {
    enum class Kind { integer, decimal, text, token, octets, boolean };
    Kind kind = Kind::integer;
    // Unescaped or decoded; of a number as it stands.
    std::string value;
    std::int64_t number = 0;
};

using Parameters = std::vector<std::pair<std::string, BareItem>>;

struct Item {
    BareItem bare;
    Parameters parameters;
};

struct DictionaryMember {
    std::string name;
    bool is_list = false;
    std::vector<Item> list;
    BareItem item;
    Parameters parameters;
    // Behind `name=`, as it stands.
    std::string written;
};

// Throws Refused("malformed").
[[nodiscard]] std::vector<DictionaryMember> read_dictionary(std::string_view text,
                                                            const Flags& flags);

[[nodiscard]] const BareItem* find_parameter(const Parameters& parameters, std::string_view name);

}  // namespace entente::conformance::reference
