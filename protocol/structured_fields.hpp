// RFC 9651 structured fields, as far as signatures and digests need them: the
// dictionary with items, inner lists and parameters. Parses strictly; writes the
// canonical form.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "protocol/result.hpp"

namespace entente::protocol::sf {

struct Token {
    std::string text;
    friend bool operator==(const Token&, const Token&) = default;
};
struct Bytes {
    std::string octets;
    friend bool operator==(const Bytes&, const Bytes&) = default;
};
struct Decimal {
    std::int64_t thousandths = 0;
    friend bool operator==(const Decimal&, const Decimal&) = default;
};
struct Date {
    std::int64_t seconds = 0;
    friend bool operator==(const Date&, const Date&) = default;
};
struct DisplayString {
    std::string text;
    friend bool operator==(const DisplayString&, const DisplayString&) = default;
};

using BareItem =
    std::variant<std::int64_t, Decimal, std::string, Token, Bytes, bool, Date, DisplayString>;
using Parameters = std::vector<std::pair<std::string, BareItem>>;

struct Item {
    BareItem value;
    Parameters parameters;
    friend bool operator==(const Item&, const Item&) = default;
};
struct InnerList {
    std::vector<Item> items;
    Parameters parameters;
    friend bool operator==(const InnerList&, const InnerList&) = default;
};
using Member = std::variant<Item, InnerList>;
using List = std::vector<Member>;
using Dictionary = std::vector<std::pair<std::string, Member>>;

[[nodiscard]] Result<Item> parse_item(std::string_view text);
[[nodiscard]] Result<List> parse_list(std::string_view text);
[[nodiscard]] Result<Dictionary> parse_dictionary(std::string_view text);

[[nodiscard]] std::string serialize(const Item& item);
[[nodiscard]] std::string serialize(const InnerList& list);
[[nodiscard]] std::string serialize(const List& list);
[[nodiscard]] std::string serialize(const Dictionary& dictionary);

}  // namespace entente::protocol::sf
