#include "protocol/structured_fields.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/protocol/wire_support.hpp"

namespace entente::protocol::sf {
namespace {

using nlohmann::json;

std::string base32(const std::string& octets)
{
    constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    std::string text;
    std::uint32_t bits = 0;
    unsigned count = 0;
    for (const char c : octets) {
        bits = (bits << 8U) | static_cast<unsigned char>(c);
        count += 8;
        while (count >= 5) {
            count -= 5;
            text.push_back(alphabet[(bits >> count) & 31U]);
        }
    }
    if (count > 0) text.push_back(alphabet[(bits << (5 - count)) & 31U]);
    while (text.size() % 8 != 0) text.push_back('=');
    return text;
}

// The shapes in which the public vectors write down what a field means.
struct Describe {
    json operator()(std::int64_t value) const { return value; }
    json operator()(const Decimal& value) const
    {
        return static_cast<double>(value.thousandths) / 1000.0;
    }
    json operator()(const std::string& value) const { return value; }
    json operator()(const Token& value) const
    {
        return {{"__type", "token"}, {"value", value.text}};
    }
    json operator()(const Bytes& value) const
    {
        return {{"__type", "binary"}, {"value", base32(value.octets)}};
    }
    json operator()(bool value) const { return value; }
    json operator()(const Date& value) const
    {
        return {{"__type", "date"}, {"value", value.seconds}};
    }
    json operator()(const DisplayString& value) const
    {
        return {{"__type", "displaystring"}, {"value", value.text}};
    }
};

json describe(const Parameters& parameters)
{
    json list = json::array();
    for (const auto& [key, value] : parameters)
        list.push_back(json::array({key, std::visit(Describe{}, value)}));
    return list;
}

json describe(const Item& item)
{
    return json::array({std::visit(Describe{}, item.value), describe(item.parameters)});
}

json describe(const InnerList& list)
{
    json items = json::array();
    for (const Item& item : list.items) items.push_back(describe(item));
    return json::array({items, describe(list.parameters)});
}

json describe(const Member& member)
{
    return std::visit([](const auto& held) { return describe(held); }, member);
}

json describe(const List& list)
{
    json members = json::array();
    for (const Member& member : list) members.push_back(describe(member));
    return members;
}

json describe(const Dictionary& dictionary)
{
    json members = json::array();
    for (const auto& [key, member] : dictionary)
        members.push_back(json::array({key, describe(member)}));
    return members;
}

std::string joined(const json& lines)
{
    std::string text;
    for (const auto& line : lines) {
        if (!text.empty()) text += ", ";
        text += line.get<std::string>();
    }
    return text;
}

Item plain(BareItem value)
{
    return Item{std::move(value), {}};
}

template <class T>
void check_vector(const json& vector, const Result<T>& parsed)
{
    if (vector.value("must_fail", false)) {
        EXPECT_FALSE(parsed) << vector.dump(-1, ' ', true, json::error_handler_t::replace);
        return;
    }
    if (vector.value("can_fail", false) && !parsed) return;
    ASSERT_TRUE(parsed) << vector.dump();
    EXPECT_EQ(describe(*parsed), vector.at("expected")) << vector.dump();
    const auto& canonical =
        vector.contains("canonical") ? vector.at("canonical") : vector.at("raw");
    EXPECT_EQ(serialize(*parsed), joined(canonical)) << vector.dump();
}

TEST(StructuredFields, MatchThePublicVectors)
{
    const auto folder = vectors_folder();
    if (!folder) GTEST_SKIP() << "ENTENTE_VECTORS is not set";
    int seen = 0;
    for (const auto& file : std::filesystem::directory_iterator{*folder / "structured-fields"}) {
        if (file.path().extension() != ".json") continue;
        for (const auto& vector : json::parse(read_file(file.path()))) {
            const std::string text = joined(vector.at("raw"));
            const auto& type = vector.at("header_type");
            if (type == "item") check_vector(vector, parse_item(text));
            if (type == "list") check_vector(vector, parse_list(text));
            if (type == "dictionary") check_vector(vector, parse_dictionary(text));
            ++seen;
        }
    }
    EXPECT_GT(seen, 1000);
}

TEST(StructuredFields, ReadTheExamplesOfTheRfc)
{
    const auto dictionary =
        parse_dictionary(R"(a=?0, b, c;foo=bar, rating=1.5, feelings=(joy sadness);x)");
    ASSERT_TRUE(dictionary);
    EXPECT_EQ((*dictionary)[0].second, Member{plain(false)});
    EXPECT_EQ((*dictionary)[1].second, Member{plain(true)});
    EXPECT_EQ((*dictionary)[3].second, Member{plain(Decimal{1500})});
    EXPECT_EQ(std::get<InnerList>((*dictionary)[4].second).items.size(), 2U);
    EXPECT_EQ(serialize(*dictionary), "a=?0, b, c;foo=bar, rating=1.5, feelings=(joy sadness);x");
    EXPECT_EQ(*parse_item("@1659578233"), plain(Date{1659578233}));
    EXPECT_EQ(*parse_item(R"(%"f%c3%bc")"), plain(DisplayString{"f\xc3\xbc"}));
    EXPECT_EQ(*parse_item(":aGk=:"), plain(Bytes{"hi"}));
}

TEST(StructuredFields, KeepTheirBounds)
{
    EXPECT_TRUE(parse_item("999999999999999"));
    EXPECT_TRUE(parse_item("-999999999999999"));
    EXPECT_FALSE(parse_item("1000000000000000"));
    EXPECT_TRUE(parse_item("999999999999.999"));
    EXPECT_FALSE(parse_item("1000000000000.1"));
    EXPECT_FALSE(parse_item("1.1234"));
    EXPECT_FALSE(parse_item("1."));
    EXPECT_FALSE(parse_item("--1"));
    EXPECT_FALSE(parse_item("@1.5"));
    EXPECT_FALSE(parse_item("?2"));
    EXPECT_FALSE(parse_item(R"(%"%C3%BC")"));
    EXPECT_FALSE(parse_item(R"(%"%c3")"));
    EXPECT_FALSE(parse_item(R"(%"%c)"));
    EXPECT_FALSE(parse_item("\"a\tb\""));
    EXPECT_FALSE(parse_item(":aGk:"));
    EXPECT_FALSE(parse_item(":aGl=:"));  // trailing bits
    EXPECT_FALSE(parse_item(""));
    EXPECT_TRUE(parse_list(""));
    EXPECT_FALSE(parse_list("a,"));
    EXPECT_FALSE(parse_list("((a))"));
    EXPECT_FALSE(parse_list("(a"));
    EXPECT_FALSE(parse_dictionary("A=1"));
    EXPECT_FALSE(parse_item(std::string_view{"a\0", 2}));
}

TEST(StructuredFields, KeepTheLastOfARepeatedKey)
{
    const auto dictionary = parse_dictionary("a=1, b=2, a=3");
    EXPECT_EQ(serialize(*dictionary), "a=3, b=2");
    std::string many;
    for (int round = 0; round < 2; ++round) {
        for (int i = 0; i < 40; ++i)
            many += (many.empty() ? "k" : ", k") + std::to_string(i) + "=" + std::to_string(round);
    }
    const auto parsed = parse_dictionary(many);
    ASSERT_EQ(parsed->size(), 40U);
    EXPECT_EQ((*parsed)[39].first, "k39");
    for (const auto& [key, member] : *parsed)
        EXPECT_EQ(member, Member{plain(std::int64_t{1})}) << key;
}

rc::Gen<std::string> key_text()
{
    return rc::gen::map(
        rc::gen::container<std::string>(rc::gen::element('a', 'z', '0', '_', '-', '.', '*')),
        [](const std::string& rest) { return "k" + rest; });
}

rc::Gen<BareItem> bare_item()
{
    const auto text = rc::gen::container<std::string>(rc::gen::inRange<char>(0x20, 0x7f));
    const auto number = rc::gen::inRange<std::int64_t>(-999'999'999'999'999, 1'000'000'000'000'000);
    return rc::gen::oneOf(
        rc::gen::map(number, [](std::int64_t value) { return BareItem{value}; }),
        rc::gen::map(number, [](std::int64_t value) { return BareItem{Decimal{value}}; }),
        rc::gen::map(number, [](std::int64_t value) { return BareItem{Date{value}}; }),
        rc::gen::map(text, [](std::string value) { return BareItem{std::move(value)}; }),
        rc::gen::map(key_text(),
                     [](std::string value) { return BareItem{Token{std::move(value)}}; }),
        rc::gen::map(rc::gen::arbitrary<std::string>(),
                     [](std::string value) { return BareItem{Bytes{std::move(value)}}; }),
        rc::gen::map(rc::gen::arbitrary<bool>(), [](bool value) { return BareItem{value}; }),
        rc::gen::map(text, [](const std::string& value) {
            return BareItem{DisplayString{value + "\xc3\xa4"}};
        }));
}

Item any_item()
{
    Item item{*bare_item(), {}};
    for (const auto& key : *rc::gen::unique<std::vector<std::string>>(key_text())) {
        item.parameters.emplace_back(key, *bare_item());
        if (item.parameters.size() == 3) break;
    }
    return item;
}

RC_GTEST_PROP(StructuredFieldsProperty, DictionariesAreReadBackAsTheyWereWritten, ())
{
    Dictionary dictionary;
    for (const auto& key : *rc::gen::unique<std::vector<std::string>>(key_text())) {
        if (dictionary.size() == 6) break;
        if (*rc::gen::arbitrary<bool>()) {
            dictionary.emplace_back(key, any_item());
            continue;
        }
        InnerList list;
        while (list.items.size() < 3 && *rc::gen::arbitrary<bool>())
            list.items.push_back(any_item());
        list.parameters = any_item().parameters;
        dictionary.emplace_back(key, std::move(list));
    }
    const std::string text = serialize(dictionary);
    const auto parsed = parse_dictionary(text);
    RC_ASSERT(parsed.has_value());
    RC_ASSERT(*parsed == dictionary);
    RC_ASSERT(serialize(*parsed) == text);
}

RC_GTEST_PROP(StructuredFieldsProperty, WhatIsReadHasOneCanonicalText, ())
{
    const auto pieces = *rc::gen::container<std::vector<std::string>>(rc::gen::element<std::string>(
        "a", "b", "=", "(", ")", ";", ",", " ", "1", "-", ".", "\"x\"", ":aGk=:", "?1", "@", "*"));
    std::string text;
    for (const auto& piece : pieces) text += piece;
    if (const auto parsed = parse_dictionary(text)) {
        const auto again = parse_dictionary(serialize(*parsed));
        RC_ASSERT(again.has_value());
        RC_ASSERT(*again == *parsed);
    }
}

}  // namespace
}  // namespace entente::protocol::sf
