// Every refusal that reading a request's signature knows, from both sides of its limit.
#include <gtest/gtest.h>

#include "tests/protocol/message_signature_support.hpp"

namespace entente::protocol {
namespace {

Code after(const auto& change)
{
    SignedRequest request;
    change(request);
    return request.code();
}

Code with_input(std::string_view from, std::string_view to)
{
    SignedRequest request;
    return request.change_input(from, to).code();
}

// [SIG-1] [SIG-13]
TEST(RequestComponents, ThatAreMissingMakeTheSignatureIncomplete)
{
    for (const auto* name :
         {"\"@method\" ", "\"@path\" ", "\"@query\" ", "\"entente-destination\" ",
          "\"content-type\" ", " \"content-digest\""}) {
        EXPECT_EQ(with_input(name, ""), Code::signature_incomplete) << name;
    }
    for (const auto* field : {"signature", "signature-input", "entente-destination", "content-type",
                              "content-digest"}) {
        EXPECT_EQ(after([field](SignedRequest& r) { r.remove(field); }), Code::signature_incomplete)
            << field;
    }
}

// [SIG-1] [SIG-14]
TEST(RequestComponents, StandOnceAndWithoutParameters)
{
    EXPECT_EQ(with_input("(\"@method\"", "(\"@method\" \"@method\""), Code::malformed);
    EXPECT_EQ(with_input("(\"@method\"", "(\"@method\" \"@method\";req"), Code::malformed);
    EXPECT_EQ(with_input("(\"@method\"", "(\"@method\";req \"@path\";tr"),
              Code::signature_incomplete);
    EXPECT_EQ(with_input("(\"@method\"", "(token \"@method\""), Code::malformed);
}

// [SIG-14]
TEST(RequestComponents, ThatAreUnknownOrAbsentOrRepeatedFieldsAreMalformed)
{
    for (const auto* name :
         {"@status", "@query-param", "@new", "X-Upper", "", "a b", "x-absent", "@authority"}) {
        EXPECT_EQ(with_input("(\"@method\"", "(\"" + std::string{name} + "\" \"@method\""),
                  Code::malformed)
            << name;
    }
    const auto with_field_times = [](int times) {
        return after([times](SignedRequest& r) {
            for (int i = 0; i < times; ++i) r.fields.emplace_back("x-extra", "1");
            r.change_input("(\"@method\"", "(\"x-extra\" \"@method\"");
        });
    };
    EXPECT_EQ(with_field_times(0), Code::malformed);
    EXPECT_EQ(with_field_times(1), accepted);
    EXPECT_EQ(with_field_times(2), Code::malformed);
}

// [SIG-15]
TEST(RequestComponents, AreAtMost64)
{
    const auto with_extra = [](int count) {
        return after([count](SignedRequest& r) {
            std::string names = "(";
            for (int i = 0; i < count; ++i) {
                const std::string name = "x-" + std::to_string(i);
                r.fields.emplace_back(name, "1");
                names += "\"" + name + "\" ";
            }
            r.change_input("(", names);
        });
    };
    EXPECT_EQ(with_extra(58), accepted);
    EXPECT_EQ(with_extra(59), Code::malformed);
}

// [SIG-1] [SIG-14]
TEST(RequestComponents, OfContentStandOnlyWhereThereIsContent)
{
    EXPECT_EQ(after([](SignedRequest& r) { r.body.clear(); }), Code::malformed);
    SignedRequest get{"/x"};
    EXPECT_EQ(get.code(), accepted);
    get.body = "{}";
    EXPECT_EQ(get.code(), Code::signature_incomplete);
}

// [SIG-1] [SIG-14]
TEST(ContentType, IsExactlyApplicationJson)
{
    for (const auto* type : {"application/json; charset=utf-8", "Application/JSON", "text/plain",
                             "", "application/json "}) {
        EXPECT_EQ(after([type](SignedRequest& r) { r.field("content-type") = type; }),
                  Code::malformed)
            << type;
    }
}

// [SIG-14]
TEST(RequestValues, CannotWriteFurtherLinesOfTheBase)
{
    const auto with_value = [](const std::string& value) {
        return after([&value](SignedRequest& r) {
            r.fields.emplace_back("x-extra", value);
            r.change_input("(\"@method\"", "(\"x-extra\" \"@method\"");
        });
    };
    EXPECT_EQ(with_value("a\tb"), accepted);
    EXPECT_EQ(with_value("a\nb"), Code::malformed);
    EXPECT_EQ(with_value("a\rb"), Code::malformed);
    EXPECT_EQ(with_value(std::string{"a\0b", 3}), Code::malformed);
    EXPECT_EQ(after([](SignedRequest& r) { r.target = "/x\ny"; }), Code::malformed);
    EXPECT_EQ(after([](SignedRequest& r) { r.target = "/x y"; }), Code::malformed);
    EXPECT_EQ(after([](SignedRequest& r) { r.target = "/x#y"; }), Code::malformed);
    EXPECT_EQ(after([](SignedRequest& r) { r.target = "https://b.example/x"; }), Code::malformed);
    EXPECT_EQ(after([](SignedRequest& r) { r.target = ""; }), Code::malformed);
    EXPECT_EQ(after([](SignedRequest& r) { r.method = "PO\nST"; }), Code::malformed);
    EXPECT_EQ(after([](SignedRequest& r) { r.method = ""; }), Code::malformed);
}

// [SIG-1] [SIG-13] [SIG-14]
TEST(RequestTags, AreThereExactlyOnce)
{
    EXPECT_EQ(with_input("tag=\"entente-v1\"", "tag=\"entente-v2\""), Code::signature_incomplete);
    EXPECT_EQ(with_input("tag=\"entente-v1\"", "tag=entente-v1"), Code::signature_incomplete);
    EXPECT_EQ(with_input(";tag=\"entente-v1\"", ""), Code::signature_incomplete);
    EXPECT_EQ(with_input("tag=\"entente-v1\"", "tag=\"entente-v1-response\""),
              Code::signature_incomplete);
    EXPECT_EQ(after([](SignedRequest& r) {
                  // As good as the first: which of the two counts must not be ours to choose.
                  for (const char* field : {"signature-input", "signature"}) {
                      const auto again = r.field(field).substr(std::string{"entente"}.size());
                      r.field(field) += ", second" + again;
                  }
              }),
              Code::malformed);
    EXPECT_EQ(after([](SignedRequest& r) { r.field("signature-input") += ", odd=1"; }),
              Code::malformed);
}

// [SIG-2] [SIG-13]
TEST(RequestParameters, ThatAreMissingMakeTheSignatureIncomplete)
{
    SignedRequest request;
    for (const std::string& parameter :
         {std::string{";created=1763683200"}, std::string{";expires=1763683500"},
          ";nonce=\"" + nonce_text + "\"", ";keyid=\"a.example#" + request.key.id().str() + "\""}) {
        EXPECT_EQ(with_input(parameter, ""), Code::signature_incomplete) << parameter;
    }
    EXPECT_EQ(with_input(";alg=\"ed25519\"", ""), accepted);
}

// [SIG-2] [SIG-14]
TEST(RequestParameters, OfAnotherTypeOrFormAreMalformed)
{
    EXPECT_EQ(with_input("created=1763683200", "created=\"1763683200\""), Code::malformed);
    EXPECT_EQ(with_input("created=1763683200", "created=1763683200.5"), Code::malformed);
    EXPECT_EQ(with_input("created=1763683200", "created=@1763683200"), Code::malformed);
    EXPECT_EQ(with_input("expires=1763683500", "expires"), Code::malformed);
    EXPECT_EQ(with_input("nonce=\"" + nonce_text + "\"", "nonce=" + nonce_text), Code::malformed);
    EXPECT_EQ(with_input("a.example#", "a.test#"), Code::malformed);
    EXPECT_EQ(with_input("a.example#", "A.example#"), Code::malformed);
    EXPECT_EQ(with_input("alg=\"ed25519\"", "alg=\"rsa-v1_5-sha256\""), Code::malformed);
    EXPECT_EQ(with_input("alg=\"ed25519\"", "alg=ed25519"), Code::malformed);
}

// [SIG-4] [SIG-14]
TEST(Nonces, Have16To64OctetsInBase64url)
{
    const auto with_nonce = [](const std::string& nonce) { return with_input(nonce_text, nonce); };
    const auto of_size = [](std::size_t size) { return to_base64url(std::string(size, 'x')); };
    EXPECT_EQ(with_nonce(of_size(15)), Code::malformed);
    EXPECT_EQ(with_nonce(of_size(16)), accepted);
    EXPECT_EQ(with_nonce(of_size(64)), accepted);
    EXPECT_EQ(with_nonce(of_size(65)), Code::malformed);
    EXPECT_EQ(with_nonce(""), Code::malformed);
    EXPECT_EQ(with_nonce(nonce_text + "=="), Code::malformed);
    EXPECT_EQ(with_nonce(std::string(21, 'A') + "B"), Code::malformed);  // trailing bits
    EXPECT_EQ(with_nonce(std::string(21, '+') + "A"), Code::malformed);
}

// [SIG-9]
TEST(SignatureFields, StandOnOneLineInCanonicalForm)
{
    EXPECT_EQ(with_input("(\"@method\" ", "( \"@method\" "), Code::malformed);
    EXPECT_EQ(with_input("(\"@method\" ", "(\"@method\"  "), Code::malformed);
    EXPECT_EQ(with_input(";created", "; created"), Code::malformed);
    EXPECT_EQ(with_input("created=1763683200", "created=01763683200"), Code::malformed);
    EXPECT_EQ(with_input(";created=1763683200", ";created=1;created=1763683200"), Code::malformed);
    EXPECT_EQ(with_input("entente=(", "entente=1, entente=("), Code::malformed);
    for (const auto* name : {"signature-input", "signature", "content-digest"}) {
        EXPECT_EQ(after([name](SignedRequest& r) { r.field(name) += " "; }), Code::malformed)
            << name;
        EXPECT_EQ(after([name](SignedRequest& r) { r.field(name) += ","; }), Code::malformed)
            << name;
        EXPECT_EQ(after([name](SignedRequest& r) { r.field(name) += ",x=:AAAA:"; }),
                  Code::malformed)
            << name;
    }
    for (const auto* name : {"signature-input", "signature", "content-digest", "content-type",
                             "entente-destination"}) {
        EXPECT_EQ(after([name](SignedRequest& r) { r.fields.emplace_back(name, r.field(name)); }),
                  Code::malformed)
            << name;
    }
    EXPECT_EQ(after([](SignedRequest& r) { r.field("content-digest") += ", x=:AAAA:"; }), accepted);
    EXPECT_EQ(after([](SignedRequest& r) { r.field("content-digest") += ", x=1"; }),
              Code::malformed);
}

// [SIG-13] [SIG-14]
TEST(SignatureOctets, Are64UnderTheLabelOfTheInput)
{
    const auto with_octets = [](std::size_t size) {
        return after([size](SignedRequest& r) {
            r.field("signature") = "entente=:" + to_base64(std::string(size, 's')) + ":";
        });
    };
    EXPECT_EQ(with_octets(63), Code::malformed);
    EXPECT_EQ(with_octets(64), accepted);
    EXPECT_EQ(with_octets(65), Code::malformed);
    EXPECT_EQ(after([](SignedRequest& r) { r.field("signature") = "entente=\"x\""; }),
              Code::malformed);
    EXPECT_EQ(after([](SignedRequest& r) {
                  r.field("signature") = replaced(r.field("signature"), "entente=", "other=");
              }),
              Code::signature_incomplete);
}

// [SIG-5] [NAME-2]
TEST(Destination, IsTheReceiversOwnName)
{
    const auto code_of = [](const Fields& fields) {
        const auto checked = check_destination(fields, destination_name());
        return checked ? accepted : checked.error().code;
    };
    EXPECT_EQ(code_of({{"entente-destination", "b.example"}}), accepted);
    for (const auto* name :
         {"c.example", "B.example", "\"b.example\"", "b.example ", "b.example.", ""}) {
        EXPECT_EQ(code_of({{"entente-destination", name}}), Code::wrong_destination) << name;
    }
    EXPECT_EQ(code_of({}), Code::signature_incomplete);
    EXPECT_EQ(code_of({{"entente-destination", "b.example"}, {"entente-destination", "b.example"}}),
              Code::malformed);
}

// [SIG-3] [SIG-12]
TEST(Window, IsInclusiveInWholeSeconds)
{
    const auto is_inside = [](Seconds created, Seconds expires) {
        RequestSignature signature;
        signature.created = created;
        signature.expires = expires;
        const auto checked = check_window(signature, noon);
        if (!checked) {
            EXPECT_EQ(checked.error().code, Code::clock_skew);
        }
        return checked.has_value();
    };
    EXPECT_TRUE(is_inside(noon - 300, noon));
    EXPECT_FALSE(is_inside(noon - 301, noon - 1));
    EXPECT_FALSE(is_inside(noon - 301, noon));
    EXPECT_TRUE(is_inside(noon + 60, noon + 360));
    EXPECT_FALSE(is_inside(noon + 61, noon + 100));
    EXPECT_FALSE(is_inside(noon, noon + 301));
    EXPECT_TRUE(is_inside(noon, noon + 300));
    EXPECT_TRUE(is_inside(noon, noon + 1));
    EXPECT_FALSE(is_inside(noon, noon));
    EXPECT_FALSE(is_inside(noon, noon - 1));
    EXPECT_TRUE(is_inside(noon - 10, noon));
    EXPECT_FALSE(is_inside(noon - 10, noon - 1));
    EXPECT_FALSE(is_inside(-999'999'999'999'999, 999'999'999'999'999));
    EXPECT_FALSE(is_inside(999'999'999'999'999, -999'999'999'999'999));
}

// [SIG-6] [SIG-16]
TEST(Digest, MatchesTheOctetsReceived)
{
    const auto code_of = [](const Fields& fields, std::string_view body) {
        const auto checked = check_digest(fields, body);
        return checked ? accepted : checked.error().code;
    };
    const std::string good = content_digest("body");
    const std::string sha512_of_abc =
        "sha-512=:" +
        to_base64(from_hex("ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
                           "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f")) +
        ":";
    EXPECT_EQ(good, "sha-256=:" + to_base64(as_view(sha256("body"))) + ":");
    EXPECT_EQ(code_of({{"content-digest", good}}, "body"), accepted);
    EXPECT_EQ(code_of({{"content-digest", good}}, "bodY"), Code::digest_mismatch);
    EXPECT_EQ(code_of({}, "body"), Code::digest_mismatch);
    EXPECT_EQ(code_of({}, ""), accepted);
    EXPECT_EQ(code_of({{"content-digest", content_digest("")}}, ""), accepted);
    EXPECT_EQ(code_of({{"content-digest", good}}, ""), Code::digest_mismatch);
    EXPECT_EQ(code_of({{"content-digest", content_digest("abc") + ", " + sha512_of_abc}}, "abc"),
              accepted);
    EXPECT_EQ(code_of({{"content-digest", good + ", " + sha512_of_abc}}, "body"),
              Code::digest_mismatch);
    EXPECT_EQ(code_of({{"content-digest", sha512_of_abc}}, "abc"), Code::digest_mismatch);
    EXPECT_EQ(code_of({{"content-digest", good + ", md9=:AAAA:"}}, "body"), accepted);
    EXPECT_EQ(code_of({{"content-digest", good + " "}}, "body"), Code::malformed);
    EXPECT_EQ(code_of({{"content-digest", "sha-256=x"}}, "body"), Code::malformed);
    EXPECT_EQ(code_of({{"content-digest", good}, {"content-digest", good}}, "body"),
              Code::malformed);
    EXPECT_EQ(code_of({{"content-digest", good}, {"content-encoding", "gzip"}}, "body"),
              Code::unsupported);
    EXPECT_EQ(code_of({{"content-encoding", "identity"}}, ""), Code::unsupported);
}

}  // namespace
}  // namespace entente::protocol
