// The canonical form of RFC 9651 section 4.1. Parsing is in structured_fields.cpp.
#include <cstdlib>

#include "protocol/octets.hpp"
#include "protocol/structured_fields.hpp"

namespace entente::protocol::sf {
namespace {

void append(std::string& out, std::int64_t value)
{
    out += std::to_string(value);
}

void append(std::string& out, const Decimal& value)
{
    const std::int64_t size = std::abs(value.thousandths);
    if (value.thousandths < 0) out += '-';
    out += std::to_string(size / 1000);
    std::string fraction = std::to_string(1000 + size % 1000).substr(1);
    while (fraction.size() > 1 && fraction.back() == '0') fraction.pop_back();
    out += '.';
    out += fraction;
}

void append(std::string& out, const std::string& value)
{
    out += '"';
    for (const char c : value) {
        if (c == '"' || c == '\\') out += '\\';
        out += c;
    }
    out += '"';
}

void append(std::string& out, const Token& value)
{
    out += value.text;
}

void append(std::string& out, const Bytes& value)
{
    out += ':';
    out += to_base64(value.octets);
    out += ':';
}

void append(std::string& out, bool value)
{
    out += value ? "?1" : "?0";
}

void append(std::string& out, const Date& value)
{
    out += '@';
    out += std::to_string(value.seconds);
}

void append(std::string& out, const DisplayString& value)
{
    constexpr std::string_view digits = "0123456789abcdef";
    out += "%\"";
    for (const char c : value.text) {
        const auto octet = static_cast<unsigned char>(c);
        if (octet >= 0x20 && octet <= 0x7e && c != '%' && c != '"') {
            out += c;
            continue;
        }
        out += '%';
        out += digits[octet >> 4U];
        out += digits[octet & 15U];
    }
    out += '"';
}

void append(std::string& out, const BareItem& value)
{
    std::visit([&out](const auto& held) { append(out, held); }, value);
}

void append(std::string& out, const Parameters& parameters)
{
    for (const auto& [key, value] : parameters) {
        out += ';';
        out += key;
        if (const bool* const flag = std::get_if<bool>(&value); flag != nullptr && *flag) continue;
        out += '=';
        append(out, value);
    }
}

void append(std::string& out, const Item& item)
{
    append(out, item.value);
    append(out, item.parameters);
}

void append(std::string& out, const InnerList& list)
{
    out += '(';
    for (std::size_t i = 0; i < list.items.size(); ++i) {
        if (i > 0) out += ' ';
        append(out, list.items[i]);
    }
    out += ')';
    append(out, list.parameters);
}

void append(std::string& out, const Member& member)
{
    std::visit([&out](const auto& held) { append(out, held); }, member);
}

}  // namespace

std::string serialize(const Item& item)
{
    std::string out;
    append(out, item);
    return out;
}

std::string serialize(const InnerList& list)
{
    std::string out;
    append(out, list);
    return out;
}

std::string serialize(const List& list)
{
    std::string out;
    for (const Member& member : list) {
        if (!out.empty()) out += ", ";
        append(out, member);
    }
    return out;
}

std::string serialize(const Dictionary& dictionary)
{
    std::string out;
    for (const auto& [key, member] : dictionary) {
        if (!out.empty()) out += ", ";
        out += key;
        const Item* const item = std::get_if<Item>(&member);
        const bool* const flag = item == nullptr ? nullptr : std::get_if<bool>(&item->value);
        if (flag != nullptr && *flag) {
            append(out, item->parameters);
            continue;
        }
        out += '=';
        append(out, member);
    }
    return out;
}

}  // namespace entente::protocol::sf
