// The order of section 3's checks, what they let through at their edges, and whose budget an
// unproven request uses up.
#include <functional>
#include <vector>

#include "tests/e2e/support/forger_test.hpp"

namespace entente::e2e {
namespace {

using Change = std::function<void(Craft&)>;

struct Fault {
    int status;
    const char* problem;
    Change signed_over;  // before signing
    Change on_the_way;   // behind it
};

std::string other_key_id()
{
    protocol::SystemRandom random;
    return protocol::SigningKey::generate(random).id().str();
}

// In the order in which they have to be found. `spent` is a nonce of the right key's.
std::vector<Fault> faults(const std::string& spent)
{
    const auto set_server = [](const std::string& server) {
        return [server](Craft& c) { c.keyid = server + c.keyid.substr(c.keyid.find('#')); };
    };
    return {
        {413, "too-large", [](Craft& c) { c.set_body(std::string(4'194'305, ' ')); }, {}},
        {400, "malformed", [](Craft& c) { c.nonce = "AAAA"; }, {}},
        {400, "wrong-destination", [](Craft& c) { c.set("entente-destination", "b.test"); }, {}},
        {401,
         "clock-skew",
         [](Craft& c) {
             c.created -= 310;
             c.expires -= 310;
         },
         {}},
        {403, "forbidden", set_server("a.test"), {}},
        {401,
         "unknown-key",
         [](Craft& c) { c.keyid = c.keyid.substr(0, c.keyid.find('#') + 1) + other_key_id(); },
         {}},
        {400, "digest-mismatch", {}, [](Craft& c) { c.body += " "; }},
        {401,
         "signature-invalid",
         [](Craft& c) {
             protocol::SystemRandom random;
             c.key = protocol::SigningKey::generate(random);
         },
         {}},
        {409, "replayed", [spent](Craft& c) { c.nonce = spent; }, {}},
        {400, "malformed", [](Craft& c) { c.set_body("{\"submissions\":"); }, {}},
    };
}

class Checks : public ForgerTest {
 protected:
    void SetUp() override
    {
        ForgerTest::SetUp();
        join();
    }
};

// Everything is wrong with the request; each repair shows the next check.
TEST_F(Checks, ComeInTheOrderOfTheSpecification)
{
    auto first = forger_->craft(home(), "{}");
    ASSERT_EQ(forger_->send(home(), first).status(), 200);
    const auto wrong = faults(first.nonce);
    for (std::size_t repaired = 0; repaired < wrong.size(); ++repaired) {
        SCOPED_TRACE(repaired);
        auto craft = forger_->craft(home(), message("forged"));
        // Backwards: where two concern the same part, the earlier check's fault stands.
        for (auto i = wrong.size(); i-- > repaired;)
            if (wrong[i].signed_over) wrong[i].signed_over(craft);
        craft.afterwards = [&](Craft& sent) {
            for (auto i = repaired; i < wrong.size(); ++i)
                if (wrong[i].on_the_way) wrong[i].on_the_way(sent);
        };
        const auto answer = forger_->send(home(), craft);
        EXPECT_EQ(answer.status(), wrong[repaired].status) << answer.message.body;
        EXPECT_EQ(answer.problem(), wrong[repaired].problem) << answer.message.body;
    }
    EXPECT_TRUE(texts().empty());
    EXPECT_EQ(forger_->send(home(), forger_->craft(home(), message("right"))).status(), 200);
    EXPECT_EQ(texts(), std::vector<std::string>{"right"});
}

// [SIG-1] [SIG-2] [SIG-16]
TEST_F(Checks, LetThroughWhatIsOnlyUnusual)
{
    struct Unusual {
        const char* name;
        Change signed_over;
        Change on_the_way;
    };
    const auto also = [](Craft& c, const std::string& field, const std::string& more) {
        for (auto& [name, value] : c.fields)
            if (name == field) value += more;
    };
    const std::vector<Unusual> unusual{
        {"no alg", [](Craft& c) { c.alg.clear(); }, {}},
        {"almost too old",
         [](Craft& c) {
             c.created -= 270;
             c.expires = c.created + 300;
         },
         {}},
        {"60 s ahead",
         [](Craft& c) {
             c.created += 60;
             c.expires = c.created + 300;
         },
         {}},
        {"a nonce of 64 octets",
         [](Craft& c) { c.nonce = protocol::to_base64url(std::string(64, 'n')); },
         {}},
        {"one field more covered",
         [](Craft& c) {
             c.set("x-more", "said");
             c.components.emplace_back("x-more");
         },
         {}},
        {"an unknown digest beside ours",
         [&](Craft& c) { also(c, "content-digest", ", unixsum=:AAAA:"); },
         {}},
        {"a signature with another tag beside ours",
         {},
         [&](Craft& c) {
             also(c, "signature-input", R"(, other=("@method");tag="theirs")");
             also(c, "signature", ", other=:AAAA:");
         }},
    };
    std::vector<std::string> expected;
    for (const auto& one : unusual) {
        SCOPED_TRACE(one.name);
        auto craft = forger_->craft(home(), message(one.name));
        if (one.signed_over) one.signed_over(craft);
        craft.afterwards = one.on_the_way;
        const auto answer = forger_->send(home(), craft);
        EXPECT_EQ(answer.status(), 200) << answer.message.body;
        EXPECT_TRUE(forger_->is_signed_by(home(), answer));
        expected.emplace_back(one.name);
    }
    EXPECT_EQ(texts(), expected);
}

// [SIG-8] A forger spends his address's budget, never that of the server he names.
TEST_F(Checks, ChargeAForgeryToItsAddress)
{
    ::setenv("ENTENTE_TRUST_PEERS", "f.test=quarantined", 1);
    ::setenv("ENTENTE_LIMITS_REQUESTS_PER_SOURCE", "100", 1);
    home().kill9();
    home().start();
    ::unsetenv("ENTENTE_TRUST_PEERS");
    ::unsetenv("ENTENTE_LIMITS_REQUESTS_PER_SOURCE");
    protocol::SystemRandom random;
    const auto stranger = protocol::SigningKey::generate(random);
    const auto forge = [&] {
        auto craft = forger_->craft(home(), message("forged"));
        craft.key = stranger;
        return forger_->send(home(), craft);
    };
    // More than the 60 a minute of a quarantined server.
    for (int i = 0; i < 80; ++i) ASSERT_EQ(forge().problem(), "signature-invalid");
    EXPECT_EQ(forger_->send(home(), forger_->craft(home(), message("right"))).status(), 200);

    auto answer = forge();
    for (int i = 0; i < 300 && answer.status() == 401; ++i) answer = forge();
    EXPECT_EQ(answer.status(), 429);
    EXPECT_EQ(answer.problem(), "rate-limited");
    EXPECT_GE(answer.retry_after(), 1);
    EXPECT_LE(answer.retry_after(), 60);
    EXPECT_EQ(texts(), std::vector<std::string>{"right"});
}

}  // namespace
}  // namespace entente::e2e
