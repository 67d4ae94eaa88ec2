// [SIG-10]
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "tests/protocol/message_signature_support.hpp"

namespace entente::protocol {
namespace {

struct SignedAnswer {
    int status = 200;
    std::string body = R"({"logs":[]})";
    std::string request_signature = "entente=:c2ln:";
    SigningKey key = key_from(2);
    Fields fields = sign_answer(key, destination_name(), status, body, request_signature, noon);

    std::string& field(std::string_view name)
    {
        for (auto& [field, value] : fields) {
            if (field == name) return value;
        }
        throw std::logic_error{"no field " + std::string{name}};
    }
    SignedAnswer& change_input(std::string_view from, std::string_view to)
    {
        field("signature-input") = replaced(field("signature-input"), from, to);
        return *this;
    }
    [[nodiscard]] Result<AnswerSignature> read() const
    {
        return read_answer_signature(status, fields, body, request_signature, strict_names);
    }
    [[nodiscard]] Code code() const
    {
        const auto answer = read();
        return answer ? accepted : answer.error().code;
    }
    [[nodiscard]] bool verifies() const
    {
        const auto answer = read();
        return answer && key.public_key().verifies(answer->signature, answer->base);
    }
};

Code after_change(const auto& change)
{
    SignedAnswer answer;
    change(answer);
    return answer.code();
}

// [SIG-10]
TEST(SignedAnswers, LookAsTheSpecificationSays)
{
    SignedAnswer answer;
    EXPECT_EQ(answer.field("signature-input"),
              "entente=(\"@status\" \"content-digest\" "
              "\"signature\";req);created=1763683200;keyid=\"b.example#" +
                  answer.key.id().str() + "\";tag=\"entente-v1-response\"");
    const auto read = answer.read();
    ASSERT_TRUE(read) << read.error().detail;
    EXPECT_EQ(read->key, (KeyRef{destination_name(), answer.key.id()}));
    EXPECT_EQ(read->created, noon);
    EXPECT_EQ(read->base,
              "\"@status\": 200\n\"content-digest\": " + content_digest(answer.body) +
                  "\n\"signature\";req: entente=:c2ln:\n\"@signature-params\": " +
                  answer.field("signature-input").substr(std::string{"entente="}.size()));
    EXPECT_TRUE(answer.verifies());
}

// [SIG-10]
TEST(SignedAnswers, BelongToOneRequestStatusAndContent)
{
    SignedAnswer other_request;
    other_request.request_signature = "entente=:c2lo:";
    EXPECT_FALSE(other_request.verifies());
    SignedAnswer other_status;
    other_status.status = 503;
    EXPECT_FALSE(other_status.verifies());
    EXPECT_EQ(after_change([](SignedAnswer& a) { a.body += " "; }), Code::digest_mismatch);
    SignedAnswer other_digest;
    other_digest.body = "other";
    other_digest.field("content-digest") = content_digest("other");
    EXPECT_EQ(other_digest.code(), accepted);
    EXPECT_FALSE(other_digest.verifies());
}

// [SIG-10]
TEST(SignedAnswers, WithoutContentHaveADigestAllTheSame)
{
    SignedAnswer answer;
    answer.body.clear();
    answer.fields =
        sign_answer(answer.key, destination_name(), 200, "", answer.request_signature, noon);
    EXPECT_TRUE(answer.verifies());
    std::erase_if(answer.fields, [](const auto& f) { return f.first == "content-digest"; });
    EXPECT_EQ(answer.code(), Code::signature_incomplete);
}

// [SIG-10]
TEST(SignedAnswers, ThatLackAPartAreIncomplete)
{
    for (const auto* part : {"\"@status\" ", "\"content-digest\" ", " \"signature\";req",
                             ";created=1763683200", ";tag=\"entente-v1-response\""}) {
        EXPECT_EQ(after_change([part](SignedAnswer& a) { a.change_input(part, ""); }),
                  Code::signature_incomplete)
            << part;
    }
    EXPECT_EQ(
        after_change([](SignedAnswer& a) { a.change_input("\"signature\";req", "\"signature\""); }),
        Code::signature_incomplete);
    EXPECT_EQ(
        after_change([](SignedAnswer& a) { a.change_input("entente-v1-response", "entente-v1"); }),
        Code::signature_incomplete);
    EXPECT_EQ(after_change([](SignedAnswer& a) { a.fields.clear(); }), Code::signature_incomplete);
}

TEST(SignedAnswers, OfAnotherFormAreMalformed)
{
    for (const auto* more : {"\"@method\";req", "\"@method\"", "\"@status\"",
                             "\"content-digest\";req", "\"x-absent\""}) {
        EXPECT_EQ(after_change([more](SignedAnswer& a) {
                      a.change_input("(", "(" + std::string{more} + " ");
                  }),
                  Code::malformed)
            << more;
    }
    EXPECT_EQ(after_change(
                  [](SignedAnswer& a) { a.change_input("created=1763683200", "created=\"x\""); }),
              Code::malformed);
    EXPECT_EQ(after_change([](SignedAnswer& a) { a.change_input("b.example#", "b.test#"); }),
              Code::malformed);
    EXPECT_EQ(after_change([](SignedAnswer& a) { a.change_input(";tag", ";alg=\"x\";tag"); }),
              Code::malformed);
    EXPECT_EQ(after_change([](SignedAnswer& a) { a.field("signature") += " "; }), Code::malformed);
    EXPECT_EQ(after_change([](SignedAnswer& a) { a.request_signature = "a\nb"; }), Code::malformed);
    EXPECT_EQ(
        after_change([](SignedAnswer& a) { a.fields.emplace_back("content-encoding", "gzip"); }),
        Code::unsupported);
}

TEST(SignedAnswers, ToARequestThatHoldsALineBreakAreNotSigned)
{
    const SigningKey key = key_from(2);
    const auto fields = sign_answer(key, destination_name(), 200, "", "a\nb", noon);
    for (const auto& [name, value] : fields) EXPECT_NE(name, "signature");
}

RC_GTEST_PROP(SignedAnswersProperty, OfAnyContentAreReadBack,
              (unsigned char seed, const std::string& body))
{
    SignedRequest request;
    SignedAnswer answer;
    answer.key = key_from(seed);
    answer.body = body;
    answer.status = *rc::gen::inRange(100, 600);
    answer.request_signature = request.field("signature");
    answer.fields = sign_answer(answer.key, destination_name(), answer.status, body,
                                answer.request_signature, noon);
    RC_ASSERT(answer.verifies());
    answer.request_signature += "x";
    RC_ASSERT(!answer.verifies());
}

}  // namespace
}  // namespace entente::protocol
