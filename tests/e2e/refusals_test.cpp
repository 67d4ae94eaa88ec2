// Every refusal of section 3, each a change of a request that is otherwise accepted: its
// problem code, and that it had no effect.
#include "tests/e2e/support/forger.hpp"
#include "tests/e2e/support/world_test.hpp"

namespace entente::e2e {
namespace {

using protocol::ItemStatus;

struct Refusal {
    const char* name;
    int status;
    const char* problem;
    std::function<void(Craft&)> change;
};

// What another server's hands would leave on the wire.
std::function<void(Craft&)> later(std::function<void(Craft&)> change)
{
    return [change = std::move(change)](Craft& craft) { craft.afterwards = change; };
}

void replace(Craft& craft, const std::string& field, const std::string& from, const std::string& to)
{
    for (auto& [name, value] : craft.fields) {
        const auto at = value.find(from);
        if (name == field && at != std::string::npos) value.replace(at, from.size(), to);
    }
}

void leave_out(Craft& craft, const std::string& component)
{
    std::erase(craft.components, component);
}

std::string field(const Craft& craft, const std::string& wanted)
{
    for (const auto& [name, value] : craft.fields)
        if (name == wanted) return value;
    return {};
}

std::vector<Refusal> syntax_refusals()
{
    return {
        {"no signature", 401, "signature-incomplete", later([](Craft& c) {
             c.drop("signature");
             c.drop("signature-input");
         })},
        {"method not covered", 401, "signature-incomplete",
         [](Craft& c) { leave_out(c, "@method"); }},
        {"path not covered", 401, "signature-incomplete", [](Craft& c) { leave_out(c, "@path"); }},
        {"query not covered", 401, "signature-incomplete",
         [](Craft& c) { leave_out(c, "@query"); }},
        {"destination not covered", 401, "signature-incomplete",
         [](Craft& c) { leave_out(c, "entente-destination"); }},
        {"content type not covered", 401, "signature-incomplete",
         [](Craft& c) { leave_out(c, "content-type"); }},
        {"digest not covered", 401, "signature-incomplete",
         [](Craft& c) { leave_out(c, "content-digest"); }},
        {"no created", 401, "signature-incomplete", [](Craft& c) { c.created = 0; }},
        {"no expires", 401, "signature-incomplete", [](Craft& c) { c.expires = 0; }},
        {"no nonce", 401, "signature-incomplete", [](Craft& c) { c.nonce.clear(); }},
        {"no key id", 401, "signature-incomplete", [](Craft& c) { c.keyid.clear(); }},
        {"no tag", 401, "signature-incomplete", [](Craft& c) { c.tag.clear(); }},
        {"another tag", 401, "signature-incomplete", [](Craft& c) { c.tag = "entente-v2"; }},
        {"another algorithm", 400, "malformed", [](Craft& c) { c.alg = "rsa-v1_5-sha256"; }},
        {"a nonce of 15 octets", 400, "malformed",
         [](Craft& c) { c.nonce = protocol::to_base64url(std::string(15, 'n')); }},
        {"a nonce of 65 octets", 400, "malformed",
         [](Craft& c) { c.nonce = protocol::to_base64url(std::string(65, 'n')); }},
        {"a nonce with foreign characters", 400, "malformed",
         [](Craft& c) { c.nonce = "++++++++++++++++++++++++"; }},
        {"a key id without server", 400, "malformed",
         [](Craft& c) { c.keyid = c.keyid.substr(c.keyid.find('#')); }},
        {"a component twice", 400, "malformed", [](Craft& c) { c.components.push_back("@path"); }},
        {"a space too many", 400, "malformed",
         later([](Craft& c) { replace(c, "signature-input", ";tag", "; tag"); })},
        {"a component with a parameter", 401, "signature-incomplete",
         later([](Craft& c) { replace(c, "signature-input", "\"@path\"", "\"@path\";req"); })},
        {"two destinations", 400, "malformed",
         later([](Craft& c) { c.fields.emplace_back("entente-destination", "a.test"); })},
        {"two digests", 400, "malformed", later([](Craft& c) {
             c.fields.emplace_back("content-digest", field(c, "content-digest"));
         })},
        {"two signature inputs", 400, "malformed", later([](Craft& c) {
             c.fields.emplace_back("signature-input", field(c, "signature-input"));
         })},
        {"two signatures of ours", 400, "malformed", later([](Craft& c) {
             const auto input = field(c, "signature-input"), signature = field(c, "signature");
             c.set("signature-input", input + ", again" + input.substr(input.find('=')));
             c.set("signature", signature + ", again" + signature.substr(signature.find('=')));
         })},
    };
}

std::vector<Refusal> claim_refusals()
{
    return {
        {"another destination", 400, "wrong-destination",
         [](Craft& c) { c.set("entente-destination", "b.test"); }},
        {"a destination in capitals", 400, "wrong-destination",
         [](Craft& c) { c.set("entente-destination", "A.test"); }},
        {"created too long ago", 401, "clock-skew",
         [](Craft& c) {
             c.created -= 310;
             c.expires = c.created + 300;
         }},
        {"created ahead", 401, "clock-skew",
         [](Craft& c) {
             c.created += 90;
             c.expires = c.created + 100;
         }},
        {"expires past", 401, "clock-skew",
         [](Craft& c) {
             c.created -= 100;
             c.expires = c.created + 50;
         }},
        {"expires too late", 401, "clock-skew", [](Craft& c) { c.expires = c.created + 301; }},
        {"expires with created", 401, "clock-skew", [](Craft& c) { c.expires = c.created; }},
        {"in the receiver's own name", 403, "forbidden",
         [](Craft& c) { c.keyid = "a.test" + c.keyid.substr(c.keyid.find('#')); }},
        {"by an unknown key", 401, "unknown-key",
         [](Craft& c) {
             protocol::SystemRandom random;
             c.key = protocol::SigningKey::generate(random);
             c.keyid = c.keyid.substr(0, c.keyid.find('#') + 1) + c.key->id().str();
         }},
        {"by a server that can't be asked", 503, "key-unavailable",
         [](Craft& c) { c.keyid = "ghost.test" + c.keyid.substr(c.keyid.find('#')); }},
    };
}

std::vector<Refusal> content_refusals()
{
    return {
        {"another body", 400, "digest-mismatch", later([](Craft& c) { c.body += " "; })},
        {"a digest that nobody knows alone", 400, "digest-mismatch",
         [](Craft& c) { c.set("content-digest", "unixsum=:AAAA:"); }},
        {"a second digest that is wrong", 400, "digest-mismatch",
         [](Craft& c) {
             c.set("content-digest", field(c, "content-digest") + ", sha-512=:" +
                                         protocol::to_base64(std::string(64, 'x')) + ":");
         }},
        {"an encoded body", 415, "unsupported",
         [](Craft& c) { c.set("content-encoding", "gzip"); }},
        {"a signature with a bit changed", 401, "signature-invalid", later([](Craft& c) {
             auto octets = protocol::from_base64(field(c, "signature").substr(9, 88)).value();
             octets[5] = static_cast<char>(octets[5] ^ 1);
             c.set("signature", "entente=:" + protocol::to_base64(octets) + ":");
         })},
        {"a signature by another key", 401, "signature-invalid",
         [](Craft& c) {
             protocol::SystemRandom random;
             c.key = protocol::SigningKey::generate(random);
         }},
        {"another query than signed", 401, "signature-invalid",
         later([](Craft& c) { c.target += "?x=1"; })},
        {"another time than signed", 401, "signature-invalid", later([](Craft& c) {
             replace(c, "signature-input", std::to_string(c.created),
                     std::to_string(c.created + 1));
         })},
        {"a body that is no JSON", 400, "malformed",
         [](Craft& c) { c.set_body("{\"submissions\":["); }},
        {"a name twice in the body", 400, "malformed",
         [](Craft& c) { c.set_body(R"({"logs":[],"logs":[]})"); }},
        {"a root that is not used", 400, "malformed",
         [](Craft& c) { c.set_body(R"({"roots":["x","y"]})"); }},
        {"too many items", 413, "too-large",
         [](Craft& c) {
             std::string signals;
             for (int i = 0; i < 1001; ++i)
                 signals += std::string(i == 0 ? "" : ",") +
                            R"({"type":"typing","channel":"x","user":"y"})";
             c.set_body("{\"signals\":[" + signals + "]}");
         }},
        {"too many octets", 413, "too-large",
         [](Craft& c) { c.set_body("{\"x\":\"" + std::string(4'194'304, 'x') + "\"}"); }},
    };
}

class Refusals : public WorldTest {
 protected:
    void SetUp() override
    {
        WorldTest::SetUp();
        open({"a.test"}, {"f.test"});
        alice_ = std::make_unique<Client>(person("a.test", "alice"));
        forger_ = std::make_unique<Forger>(world(), "f.test");
        channel_ = alice_->create_channel("garden");
        alice_->invite(channel_, forger_->user());
        const auto joined = forger_->deliver(
            home(), forger_->submission(channel_, {forger_->event(channel_, "member.join")}));
        ASSERT_EQ(joined.submissions.at(0).events.at(0).status, ItemStatus::accepted);
    }

    [[nodiscard]] Node& home() { return node("a.test"); }
    [[nodiscard]] std::string message(const std::string& text)
    {
        return forger_->submission(
            channel_, {forger_->event(channel_, "message.create", "\"text\":\"" + text + "\"")});
    }

    // Each is refused, and the valid request behind it finds nothing changed.
    void expect_refused(const std::vector<Refusal>& refusals)
    {
        std::vector<std::string> expected;
        for (const auto& refusal : refusals) {
            SCOPED_TRACE(refusal.name);
            auto craft = forger_->craft(home(), message(std::string("forged: ") + refusal.name));
            refusal.change(craft);
            const auto answer = forger_->send(home(), craft);
            EXPECT_EQ(answer.status(), refusal.status) << answer.message.body;
            EXPECT_EQ(answer.problem(), refusal.problem) << answer.message.body;
            EXPECT_EQ(answer.message.field("content-type"), "application/problem+json");

            expected.push_back(std::string("control after: ") + refusal.name);
            const auto control = forger_->deliver(home(), message(expected.back()));
            EXPECT_EQ(control.submissions.at(0).events.at(0).status, ItemStatus::accepted);
        }
        EXPECT_EQ(alice_->texts(channel_), expected);
    }

    std::unique_ptr<Client> alice_;
    std::unique_ptr<Forger> forger_;
    std::string channel_;
};

// [SIG-1] [SIG-2] [SIG-9] [SIG-14]
TEST_F(Refusals, OfSyntaxLeaveNoTrace)
{
    expect_refused(syntax_refusals());
}

// [SIG-3] [SIG-5] [SIG-12] [SIG-18]
TEST_F(Refusals, OfClaimsLeaveNoTrace)
{
    expect_refused(claim_refusals());
}

// [SIG-6] [SIG-16] [INBOX-6]
TEST_F(Refusals, OfContentLeaveNoTrace)
{
    expect_refused(content_refusals());
}

// [SIG-3]
TEST_F(Refusals, ClockSkewTellsTheTime)
{
    auto craft = forger_->craft(home(), message("late"));
    craft.created -= 1000;
    craft.expires -= 1000;
    const auto before = protocol::SystemClock{}.now_ms();
    const auto answer = forger_->send(home(), craft);
    const auto now = json::parse(answer.message.body).at("now").get<std::int64_t>();
    EXPECT_GE(now, before - 1000);
    EXPECT_LE(now, protocol::SystemClock{}.now_ms() + 1000);
}

// [NAME-3]
TEST_F(Refusals, NeedlessEscapesInThePathAreMalformed)
{
    const auto path = "/federation/v1/channels/" + channel_;
    EXPECT_EQ(forger_->send(home(), forger_->get(home(), path)).status(), 200);
    auto escaped = path;
    escaped.replace(escaped.find('@'), 1, "%40");
    const auto answer = forger_->send(home(), forger_->get(home(), escaped));
    EXPECT_EQ(answer.status(), 400);
    EXPECT_EQ(answer.problem(), "malformed");
}

TEST_F(Refusals, ABlockedServerIsTold)
{
    ::setenv("ENTENTE_TRUST_PEERS", "f.test=blocked", 1);
    home().kill9();
    home().start();
    ::unsetenv("ENTENTE_TRUST_PEERS");
    const auto answer = forger_->send(home(), forger_->craft(home(), message("let me in")));
    EXPECT_EQ(answer.status(), 403);
    EXPECT_EQ(answer.problem(), "blocked");
    EXPECT_TRUE(alice_->texts(channel_).empty());
}

// [KEY-4] A key that nothing leads to from the pinned one; who holds that one is served.
TEST_F(Refusals, AChangedKeyIsAConflictAndTheOldOneServes)
{
    EXPECT_EQ(forger_->send(home(), forger_->craft(home(), "{}")).status(), 200);
    const auto old = forger_->key();
    forger_->change_key();
    const auto answer = forger_->send(home(), forger_->craft(home(), message("a new key")));
    EXPECT_EQ(answer.status(), 403);
    EXPECT_EQ(answer.problem(), "key-conflict");
    EXPECT_TRUE(alice_->texts(channel_).empty());

    auto craft = forger_->craft(home(), "{}");
    craft.key = old;
    craft.keyid = forger_->name().str() + "#" + old.id().str();
    EXPECT_EQ(forger_->send(home(), std::move(craft)).status(), 200);
}

TEST_F(Refusals, AServerOverItsBudgetWaits)
{
    ::setenv("ENTENTE_TRUST_PEERS", "f.test=quarantined", 1);
    home().kill9();
    home().start();
    ::unsetenv("ENTENTE_TRUST_PEERS");
    auto answer = forger_->send(home(), forger_->craft(home(), "{}"));
    for (int sent = 1; sent < 300 && answer.status() == 200; ++sent)
        answer = forger_->send(home(), forger_->craft(home(), "{}"));
    ASSERT_EQ(answer.status(), 429);
    EXPECT_EQ(answer.problem(), "rate-limited");
    EXPECT_GE(answer.retry_after(), 1);
    EXPECT_LE(answer.retry_after(), 60);
    EXPECT_TRUE(forger_->is_signed_by(home(), answer));
    // A token comes back each second: of two in a row one at least is over the budget.
    const auto first = forger_->send(home(), forger_->craft(home(), message("over the budget")));
    const auto second = forger_->send(home(), forger_->craft(home(), message("over it too")));
    EXPECT_TRUE(first.status() == 429 || second.status() == 429);
    const auto taken = (first.status() == 200 ? 1U : 0U) + (second.status() == 200 ? 1U : 0U);
    EXPECT_EQ(alice_->texts(channel_).size(), taken);
}

}  // namespace
}  // namespace entente::e2e
