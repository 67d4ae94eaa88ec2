#include "protocol/transaction.hpp"

#include <gtest/gtest.h>

#include "tests/protocol/log_support.hpp"
#include "tests/protocol/strict.hpp"

namespace entente::protocol {
namespace {

constexpr std::string_view hash = "Q_K0Ic7TSx-NaRk5B7K_8uadVjRsIDrNqCRBNNDfHYs";
const std::string channel = golden::channel.str();

std::string proof(int root, std::size_t path = 0)
{
    std::string text = R"({"root":)" + std::to_string(root) + R"(,"index":0,"path":[)";
    for (std::size_t i = 0; i < path; ++i) text += (i ? ",\"" : "\"") + std::string(hash) + '"';
    return text + "]}";
}

std::string submission(const std::string& events, const std::string& its_proof = proof(0))
{
    return R"({"channel":")" + channel + R"(","events":)" + events + R"(,"seal":{"events":[")" +
           std::string(hash) + R"("],"proof":)" + its_proof + "}}";
}

const std::string pair = R"({"event":"e","content":"c"})";

std::string slice(const std::string& entries, const std::string& more = "", int root = 0)
{
    return R"({"channel":")" + channel + R"(","epoch":1,"after":{"seq":0,"hash":""},"entries":)" +
           entries + R"(,"checkpoint":{"epoch":1,"seq":1,"hash":")" + std::string(hash) +
           R"(","proof":)" + proof(root) + R"(},"latest":1)" + more + "}";
}

std::string body(const std::string& parts, int roots = 1)
{
    std::string text = R"({"roots":[)";
    for (int i = 0; i < roots; ++i) text += (i ? ",\"r" : "\"r") + std::to_string(i) + '"';
    return text + "]," + parts + "}";
}

Code transaction_code(const std::string& text, TransactionLimits limits = {})
{
    const auto read = parse_transaction(text, limits, strict);
    return read ? Code::internal : read.error().code;
}

// [VER-1]
TEST(Transaction, EveryPartMayBeAbsent)
{
    const auto empty = parse_transaction("{}", {}, strict);
    ASSERT_TRUE(empty);
    EXPECT_EQ(empty->items(), 0U);
    EXPECT_TRUE(parse_transaction(R"({"later":[1,2]})", {}, strict));
}

// [EVT-3]
TEST(Transaction, WhatIsNoTransactionIsMalformed)
{
    EXPECT_EQ(transaction_code(""), Code::malformed);
    EXPECT_EQ(transaction_code("[]"), Code::malformed);
    EXPECT_EQ(transaction_code(R"({"direct":{}})"), Code::malformed);
    EXPECT_EQ(transaction_code(R"({"signals":5})"), Code::malformed);
    EXPECT_EQ(transaction_code(R"({"logs":null})"), Code::malformed);
    EXPECT_EQ(transaction_code(R"({"submissions":"x"})"), Code::malformed);
    EXPECT_EQ(transaction_code(R"({"roots":{}})"), Code::malformed);
    EXPECT_EQ(transaction_code(R"({"roots":[5]})"), Code::malformed);
    EXPECT_EQ(transaction_code(R"({"direct":[],"direct":[]})"), Code::malformed);
    EXPECT_EQ(transaction_code(R"({"signals":[{"type":"typing","a":1.5}]})"), Code::malformed);
}

// [INBOX-1] [INBOX-10]
TEST(Transaction, AnUnreadableItemStandsInItsPlace)
{
    const auto read = parse_transaction(
        body(R"("submissions":[5,)" + submission("[" + pair + "]") +
             R"(,{"channel":"nobody","events":[{},{}]}],"direct":[)" + pair +
             R"(,{"event":5},[]],)" +
             R"("signals":[{"type":"typing","channel":"x","user":"u","n":1},{"type":5}])"),
        {}, strict);
    ASSERT_TRUE(read) << read.error().detail;
    ASSERT_EQ(read->submissions.size(), 3U);
    EXPECT_FALSE(read->submissions[0].value);
    EXPECT_EQ(read->submissions[0].problem.code, Code::malformed);
    ASSERT_TRUE(read->submissions[1].value);
    EXPECT_EQ(read->submissions[1].value->events[0].content, "c");
    EXPECT_EQ(read->submissions[1].channel_text, channel);
    EXPECT_FALSE(read->submissions[2].value);
    EXPECT_EQ(read->submissions[2].channel_text, "nobody");
    EXPECT_EQ(read->submissions[2].items, 2U);
    ASSERT_EQ(read->direct.size(), 3U);
    EXPECT_TRUE(read->direct[0].value);
    EXPECT_FALSE(read->direct[1].value);
    EXPECT_FALSE(read->direct[2].value);
    ASSERT_EQ(read->signals.size(), 2U);
    ASSERT_TRUE(read->signals[0].value);
    EXPECT_EQ(read->signals[0].value->json, R"({"type":"typing","channel":"x","user":"u","n":1})");
    EXPECT_FALSE(read->signals[1].value);
    EXPECT_EQ(read->items(), 1U + 1U + 2U + 3U + 2U);
}

// [INBOX-1]
TEST(Transaction, APairThatCannotBeReadKeepsItsPlaceInTheSubmission)
{
    const auto read = parse_transaction(
        body(R"("submissions":[)" + submission("[5," + pair + R"(,{"event":"e"}])") + "]"), {},
        strict);
    ASSERT_TRUE(read);
    const auto& events = read->submissions[0].value->events;
    ASSERT_EQ(events.size(), 3U);
    EXPECT_EQ(events[0].event, "");
    EXPECT_EQ(events[1].event, "e");
    EXPECT_EQ(events[2].event, "");
}

// [INBOX-6]
TEST(Transaction, ItemsAreCountedFromBothSidesOfTheLimit)
{
    const auto text = body(R"("submissions":[)" + submission("[" + pair + "," + pair + "]") +
                           R"(],"logs":[)" + slice(R"([{"at":1,"event":"e","content":"c"}])") +
                           R"(],"direct":[)" + pair + R"(],"signals":[{"type":"typing"}])");
    EXPECT_EQ(transaction_code(text, {text.size(), 5}), Code::internal);
    EXPECT_EQ(transaction_code(text, {text.size(), 4}), Code::too_large);
    EXPECT_EQ(transaction_code(text, {text.size() - 1, 5}), Code::too_large);
}

// [LOG-14] [INBOX-10]
TEST(Transaction, WhatHoldsNothingOrCannotBeReadWeighsOne)
{
    const auto heartbeat = parse_transaction(body(R"("logs":[)" + slice("[]") + "]"), {}, strict);
    ASSERT_TRUE(heartbeat);
    ASSERT_TRUE(heartbeat->logs[0].value);
    EXPECT_EQ(heartbeat->items(), 1U);
    const auto empty =
        parse_transaction(body(R"("submissions":[)" + submission("[]") + "]"), {}, strict);
    ASSERT_TRUE(empty);
    ASSERT_TRUE(empty->submissions[0].value);
    EXPECT_EQ(empty->items(), 1U);
    EXPECT_EQ(transaction_code(R"({"logs":[{"entries":[]},{"entries":[]}]})", {1000, 2}),
              Code::internal);
    EXPECT_EQ(transaction_code(R"({"logs":[{"entries":[]},{"entries":[]}]})", {1000, 1}),
              Code::too_large);
    EXPECT_EQ(transaction_code(R"({"logs":[5,5]})", {1000, 2}), Code::internal);
    EXPECT_EQ(transaction_code(R"({"logs":[5,5]})", {1000, 1}), Code::too_large);
}

// [LOG-14]
TEST(Transaction, HeartbeatsAreCountedFromBothSidesOfTheLimit)
{
    const auto beats = [](std::size_t count) {
        std::string text;
        for (std::size_t i = 0; i < count; ++i) text += (i ? "," : "") + slice("[]");
        return body(R"("logs":[)" + text + "]");
    };
    EXPECT_EQ(transaction_code(beats(1000)), Code::internal);
    EXPECT_EQ(transaction_code(beats(1001)), Code::too_large);
}

std::string listed(std::size_t count, const std::string& what)
{
    std::string text = "[";
    for (std::size_t i = 0; i < count; ++i) text += (i ? "," : "") + what;
    return text + "]";
}

Code slice_code(const std::string& keys)
{
    const auto read = parse_transaction(
        body(R"("logs":[)" + slice("[]", R"(,"keys":)" + keys) + "]"), {}, strict);
    if (!read) return read.error().code;
    return read->logs[0].value ? Code::internal : read->logs[0].problem.code;
}

// [LOG-6] Each is compared with each root that the slice needs a key for.
TEST(Transaction, KeysThatASliceShowsAreCountedFromBothSidesOfTheBound)
{
    const std::string key = R"({"server":"c.example","statements":[]})";
    EXPECT_EQ(slice_code(listed(64, key)), Code::internal);
    EXPECT_EQ(slice_code(listed(65, key)), Code::too_large);
}

// [LOG-6] As many as a server keeps of another.
TEST(Transaction, StatementsOfAShownKeyAreCountedFromBothSidesOfTheBound)
{
    const auto key = [](std::size_t statements) {
        return R"([{"server":"c.example","statements":)" + listed(statements, R"("s")") + "}]";
    };
    EXPECT_EQ(slice_code(key(576)), Code::internal);
    EXPECT_EQ(slice_code(key(577)), Code::too_large);
}

// [EVT-12]
TEST(Transaction, RootsAreAllUsedAndNotTooMany)
{
    const auto item = [](int root) { return submission("[" + pair + "]", proof(root)); };
    const auto two = R"("submissions":[)" + item(0) + "," + item(1) + "]";
    EXPECT_EQ(transaction_code(body(two, 2)), Code::internal);
    EXPECT_EQ(transaction_code(body(two, 1)), Code::malformed);  // an index beyond roots
    EXPECT_EQ(transaction_code(body(two, 3)), Code::malformed);  // an unused root
    EXPECT_EQ(transaction_code(body(R"("submissions":[)" + item(-1) + "]", 1)), Code::malformed);
    EXPECT_EQ(transaction_code(R"({"roots":["r"]})"), Code::malformed);

    // An item without a readable proof could have used either root, but not that many.
    const auto unreadable = R"("submissions":[{"channel":"x"}])";
    EXPECT_EQ(transaction_code(body(unreadable, 2)), Code::internal);
    EXPECT_EQ(transaction_code(body(unreadable, 3)), Code::malformed);
}

// [EVT-12]
TEST(Transaction, ABadItemsProofStillCountsAsUse)
{
    const auto bad = replaced(submission("[" + pair + "]", proof(1)), channel, "nobody");
    const auto read = parse_transaction(
        body(R"("submissions":[)" + submission("[" + pair + "]") + "," + bad + "]", 2), {}, strict);
    ASSERT_TRUE(read);
    EXPECT_TRUE(read->submissions[0].value);
    EXPECT_FALSE(read->submissions[1].value);
}

TEST(Transaction, APathOverThirtyTwoBreaksTheWhole)
{
    const auto with_path = [](std::size_t length) {
        return body(R"("submissions":[)" + submission("[" + pair + "]", proof(0, length)) + "]");
    };
    EXPECT_EQ(transaction_code(with_path(32)), Code::internal);
    EXPECT_EQ(transaction_code(with_path(33)), Code::malformed);
}

// Whether the only slice of a transaction could be read.
bool reads(const std::string& text)
{
    const auto read = parse_transaction(body(R"("logs":[)" + text + "]"), {}, strict);
    return read && read->logs.size() == 1 && read->logs[0].value;
}

// [LOG-12]
TEST(Slice, AnEntrySaysAtMostOneThingOfItsContent)
{
    EXPECT_TRUE(reads(slice(R"([{"at":1,"event":"e","content":"c"}])")));
    EXPECT_TRUE(reads(slice(R"([{"at":1,"event":"e","deleted_by":7}])")));
    EXPECT_TRUE(reads(slice(R"([{"at":1,"event":"e","expired":true}])")));
    EXPECT_TRUE(reads(slice(R"([{"at":1,"event":"e"}])")));
    EXPECT_FALSE(reads(slice(R"([{"at":1,"event":"e","content":"c","deleted_by":7}])")));
    EXPECT_FALSE(reads(slice(R"([{"at":1,"event":"e","deleted_by":7,"expired":true}])")));
    EXPECT_FALSE(reads(slice(R"([{"at":1,"event":"e","deleted_by":0}])")));
    EXPECT_FALSE(reads(slice(R"([{"at":-1,"event":"e","content":"c"}])")));
    EXPECT_FALSE(reads(slice(R"([{"at":1,"content":"c"}])")));
    EXPECT_FALSE(reads(slice(R"([5])")));
}

TEST(Slice, MembersOfAWrongFormMakeItUnreadable)
{
    const auto good = slice("[]");
    ASSERT_TRUE(reads(good));
    EXPECT_FALSE(reads(replaced(good, R"("epoch":1)", R"("epoch":0)")));
    EXPECT_FALSE(reads(replaced(good, R"("seq":0,"hash":"")", R"("seq":1,"hash":"")")));
    EXPECT_FALSE(reads(replaced(good, R"("hash":"")", R"("hash":")" + std::string(hash) + '"')));
    EXPECT_FALSE(reads(replaced(good, R"("latest":1)", R"("latest":-1)")));
    EXPECT_FALSE(reads(replaced(good, R"("latest":1)", R"("later":1)")));
    EXPECT_FALSE(reads(replaced(good, R"("entries":[])", R"("entries":{})")));
    EXPECT_FALSE(reads(slice("[]", R"(,"seals":5)")));
    EXPECT_FALSE(reads(slice("[]", R"(,"acks":[])")));
    EXPECT_FALSE(reads(slice("[]", R"(,"acks":{"nowhere":1})")));
    EXPECT_FALSE(reads(slice("[]", R"(,"acks":{"c.example":-1})")));
    EXPECT_FALSE(reads(slice("[]", R"(,"keys":[{"server":"c.example","key":{}}])")));
    EXPECT_TRUE(reads(slice("[]", R"(,"acks":{"c.example":1},"later":{})")));
    EXPECT_TRUE(reads(slice("[]", R"(,"keys":[{"server":"c.example","statements":["s"]}])")));
}

TEST(Result, EveryItemStatusHasATextThatLeadsBack)
{
    for (int i = 0; i <= static_cast<int>(ItemStatus::need_snapshot); ++i) {
        const auto status = static_cast<ItemStatus>(i);
        EXPECT_EQ(item_status_from(to_text(status)), status);
    }
    EXPECT_EQ(item_status_from("accept"), std::nullopt);
}

// [INBOX-1]
TEST(Result, AnItemThatCouldNotBeReadIsNull)
{
    TransactionResult result;
    result.direct.push_back(
        {{}, ItemStatus::rejected, 0, 0, Error{Code::malformed, "d", "h", 0}, {}, {}, {}});
    const auto text = write_result(result, 1);
    EXPECT_NE(text.find(R"({"event":null,"status":"rejected","problem":{)"), std::string::npos)
        << text;
    const auto read = parse_result(text, strict);
    ASSERT_TRUE(read);
    EXPECT_FALSE(read->direct[0].event);
    EXPECT_EQ(read->direct[0].problem->code, Code::malformed);
}

TEST(Result, WhatCannotBeReadIsMalformed)
{
    const auto refused = [](std::string_view text) {
        const auto read = parse_result(text, strict);
        return !read && read.error().code == Code::malformed;
    };
    EXPECT_TRUE(refused(""));
    EXPECT_TRUE(refused("[]"));
    EXPECT_TRUE(refused(R"({"direct":{}})"));
    EXPECT_TRUE(refused(R"({"direct":[{"status":"accepted"}]})"));
    EXPECT_TRUE(refused(R"({"direct":[{"event":null,"status":"perhaps"}]})"));
    EXPECT_TRUE(refused(R"({"direct":[{"event":null,"status":"rejected","problem":5}]})"));
    EXPECT_TRUE(
        refused(R"({"logs":[{"channel":"x","status":"ok","epoch":1,"have":1,"hash":""}]})"));
    EXPECT_TRUE(refused(R"({"roots":["r"]})"));
    EXPECT_FALSE(
        refused(R"({"logs":[{"channel":"x","status":"ok","epoch":1,"have":0,"hash":""}]})"));
    EXPECT_FALSE(refused(R"({})"));
}

// [QRY-5]
TEST(LogAnswer, ItsRootsAreHeldToTheSameRules)
{
    const auto answer = [](const std::string& roots, int root, const std::string& entries = "[]") {
        return parse_log_answer(
                   R"({"roots":)" + roots + R"(,"slice":)" + slice(entries, "", root) + "}", strict)
            .has_value();
    };
    EXPECT_TRUE(answer(R"(["r"])", 0));
    EXPECT_FALSE(answer(R"(["r"])", 1));
    EXPECT_FALSE(answer(R"(["r","s"])", 0));
    EXPECT_FALSE(answer(R"([])", 0));
    EXPECT_FALSE(answer(R"(["r","s"])", 0, R"([{"at":1,"event":"e","content":"c"}])"));
    EXPECT_FALSE(parse_log_answer(R"({"roots":[]})", strict));
    EXPECT_FALSE(parse_snapshot_answer(R"({"roots":[],"snapshot":5})", strict));
}

}  // namespace
}  // namespace entente::protocol
