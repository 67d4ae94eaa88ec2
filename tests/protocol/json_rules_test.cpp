#include "protocol/json_rules.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <nlohmann/json.hpp>

namespace entente::protocol {
namespace {

bool passes(std::string_view text)
{
    return check_json(text).has_value();
}

std::string hint_of(std::string_view text)
{
    const auto checked = check_json(text);
    return checked ? "passes" : checked.error().hint;
}

std::string nested(int depth, const char* open, const char* inner, const char* close)
{
    std::string text;
    for (int i = 0; i < depth; ++i) text += open;
    text += inner;
    for (int i = 0; i < depth; ++i) text += close;
    return text;
}

// [EVT-3]
TEST(JsonRules, TakeOrdinaryJson)
{
    for (const auto* text :
         {"{}", "[]", "null", "true", "false", "0", "-1", "\"\"", " { } ", "\t[\r\n]\n",
          R"({"a":[1,{"b":"c"},null],"d":{"a":true}})", R"(["\"\\\/\b\f\n\r\t\u0041"])",
          "[\"\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80\"]", "[[],[],{}]", "[1 , 2]"}) {
        EXPECT_TRUE(passes(text)) << text << " " << hint_of(text);
    }
}

// [EVT-3]
TEST(JsonRules, RefuseWhatIsNotJson)
{
    for (const auto* text :
         {"",         " ",         "{",           "[",       "}",        "]",       "{]",
          "[}",       "[1,]",      "{\"a\":1,}",  "{\"a\"}", "{\"a\":}", "{a:1}",   "{1:1}",
          "[1 2]",    "tru",       "nul",         "truex",   "'a'",      "\"",      "\"\\\"",
          "\"\\x\"",  "\"\\u12\"", "\"\\u12g4\"", "[,1]",    "{,}",      "// c\n1", "NaN",
          "+1",       "--1",       "-",           "01",      "-01",      "00",      "\"\n\"",
          "\"\x01\"", "[\"a\":1]", "{\"a\",1}"}) {
        const auto checked = check_json(text);
        ASSERT_FALSE(checked) << text;
        EXPECT_EQ(checked.error().code, Code::malformed);
    }
    EXPECT_FALSE(passes(std::string_view{"1\0", 2}));
    EXPECT_FALSE(passes(std::string_view{"\"\0\"", 3}));
}

TEST(JsonRules, AFaultIsFoundAtItsOctet)
{
    const auto offset = [](std::string_view text) { return find_json_fault(text)->offset; };
    EXPECT_FALSE(find_json_fault(R"({"a":[1,true]})"));
    EXPECT_EQ(offset(""), 0U);
    EXPECT_EQ(offset(R"({"a":[1,x]})"), 8U);
    EXPECT_EQ(offset(R"({"a")"), 4U);
    EXPECT_EQ(offset(R"({"a":1} 2)"), 8U);
    EXPECT_EQ(offset("\"\xff\""), 1U);
    const auto twice = find_json_fault(R"({"b":{"a":1,"a":2}})");
    ASSERT_TRUE(twice);
    EXPECT_EQ(twice->offset, 18U);
    EXPECT_EQ(twice->pointer, "/b/a");
    EXPECT_EQ(twice->reason, "the name stands twice");
}

// [EVT-3]
TEST(JsonRules, RefuseWhatStandsBehindTheValue)
{
    for (const auto* text : {"{} {}", "1 1", "[]x", "{}}", "null,"})
        EXPECT_FALSE(passes(text)) << text;
}

// [EVT-3]
TEST(JsonRules, BoundIntegersAndRefuseAllOtherNumbers)
{
    EXPECT_TRUE(passes("9007199254740991"));
    EXPECT_TRUE(passes("-9007199254740991"));
    EXPECT_FALSE(passes("9007199254740992"));
    EXPECT_FALSE(passes("-9007199254740992"));
    EXPECT_FALSE(passes("99999999999999999999999999999999999999999"));
    for (const auto* text : {"-0", "1.0", "0.5", "1e3", "1E3", "0e0", "[1.]", "-0.0"})
        EXPECT_FALSE(passes(text)) << text;
}

// [EVT-3]
TEST(JsonRules, Allow32ContainersAndNoMore)
{
    EXPECT_TRUE(passes(nested(32, "[", "", "]")));
    EXPECT_FALSE(passes(nested(33, "[", "", "]")));
    EXPECT_TRUE(passes(nested(32, "{\"a\":", "1", "}")));
    EXPECT_FALSE(passes(nested(33, "{\"a\":", "1", "}")));
    EXPECT_FALSE(passes(std::string(1'000'000, '[')));
}

// [EVT-3]
TEST(JsonRules, FindNamesThatStandTwiceAfterUnescaping)
{
    EXPECT_FALSE(passes(R"({"a":1,"b":2,"a":3})"));
    EXPECT_FALSE(passes(R"({"a":1,"\u0061":2})"));
    EXPECT_FALSE(passes(R"({"\u00e4":1,"ä":2})"));
    EXPECT_FALSE(passes(R"({"\ud83d\ude00":1,"😀":2})"));
    EXPECT_FALSE(passes(R"({"\/":1,"/":2})"));
    EXPECT_FALSE(passes(R"({"":1,"":2})"));
    EXPECT_FALSE(passes(R"([{"x":{"a":{},"a":[]}}])"));
    EXPECT_TRUE(passes(R"({"a":{"a":{"a":1}},"b":{"a":1}})"));
    EXPECT_TRUE(passes(R"([{"a":1},{"a":1}])"));
    EXPECT_TRUE(passes(R"({"a":1,"A":2,"a ":3,"\u0000":4,"\u0001":5})"));
}

// [EVT-3]
TEST(JsonRules, AskForUtf8)
{
    for (const auto* octets :
         {"\xc0\xaf", "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xed\xbf\xbf",
          "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\x80", "\xff", "\xc3",
          "\xe2\x82", "\xf0\x9f\x98"}) {
        EXPECT_FALSE(passes("\"" + std::string{octets} + "\"")) << octets;
        EXPECT_FALSE(passes("{\"" + std::string{octets} + "\":1}")) << octets;
    }
    for (const auto* octets : {"\xc2\x80", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80",
                               "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"}) {
        EXPECT_TRUE(passes("\"" + std::string{octets} + "\"")) << octets;
    }
    EXPECT_FALSE(passes("\xef\xbb\xbf{}"));
}

// [EVT-3]
TEST(JsonRules, RefuseLoneSurrogatesAndTakePairs)
{
    EXPECT_TRUE(passes(R"("\ud83d\ude00")"));
    EXPECT_TRUE(passes(R"("\uD800\uDFFF")"));
    for (const auto* text : {R"("\ud83d")", R"("\ude00")", R"("\ud83d\ud83d")", R"("\ud83dx")",
                             R"("\ud83d\n")", R"("\ud83d\u0041")", R"("\ude00\ud83d")"}) {
        EXPECT_FALSE(passes(text)) << text;
    }
}

TEST(JsonRules, SayWhereTheBreachIs)
{
    EXPECT_EQ(hint_of(R"({"a":[1,{"b/~c":1.5}]})"),
              "/a/1/b~1~0c: a number with a fraction or an exponent");
    EXPECT_EQ(hint_of(R"({"x":{"b":1,"a":2,"b":3}})"), "/x/b: the name stands twice");
    EXPECT_EQ(hint_of("1.5"), "(top): a number with a fraction or an exponent");
    const std::string deep = "{\"" + std::string(300, 'k') + "\":1.5}";
    EXPECT_LT(hint_of(deep).size(), 300U);
}

// 400,000 names that begin alike: with a comparison of each pair this would take hours.
TEST(JsonRules, StayFastForManyNames)
{
    std::string text = "{";
    for (int i = 0; i < 400'000; ++i) {
        text += "\"name-";
        text += std::to_string(i);
        text += "\":0,";
    }
    text += "\"last\":0}";
    EXPECT_TRUE(passes(text));
    text.insert(text.size() - 1, ",\"name-7\":0");
    EXPECT_FALSE(passes(text));
}

TEST(JsonStrings, AreWrittenAsRfc8785Does)
{
    EXPECT_EQ(json_string("a\"b\\c/\b\f\n\r\t\x01\x1f\x7f\xc3\xa4"),
              "\"a\\\"b\\\\c/\\b\\f\\n\\r\\t\\u0001\\u001f\x7f\xc3\xa4\"");
    EXPECT_EQ(json_string(""), "\"\"");
}

RC_GTEST_PROP(JsonStrings, AreReadBackByAnotherLibrary, ())
{
    const auto text = *rc::gen::container<std::string>(rc::gen::inRange<char>(0, 127));
    const std::string literal = json_string(text);
    RC_ASSERT(passes(literal));
    RC_ASSERT(nlohmann::json::parse(literal).get<std::string>() == text);
}

// Whatever passes is JSON to another library, too.
RC_GTEST_PROP(JsonRules, TakeNothingThatAnotherLibraryRefuses, ())
{
    const auto pieces = *rc::gen::container<std::vector<std::string>>(
        rc::gen::element<std::string>("{", "}", "[", "]", ",", ":", "\"a\"", "\"b\"", "1", "-", "0",
                                      "true", " ", "\"\\u0061\"", ".5"));
    std::string text;
    for (const auto& piece : pieces) text += piece;
    if (passes(text)) RC_ASSERT(nlohmann::json::accept(text));
}

}  // namespace
}  // namespace entente::protocol
