// [SIG-10] from the sender's side: a 200 that the peer's key hasn't signed for this request
// is no answer, whatever it says.
#include <algorithm>
#include <atomic>

#include "tests/e2e/support/forger_test.hpp"

namespace entente::e2e {
namespace {

std::string& field(Fields& fields, const std::string& name)
{
    return std::ranges::find(fields, name, &Fields::value_type::first)->second;
}

struct Spoilt {
    const char* name;
    Forger::Spoiler change;
};

std::vector<Spoilt> spoilt_answers()
{
    auto before = std::make_shared<std::string>(protocol::to_base64(std::string(64, 'x')));
    return {
        {"no signature",
         [](Fields& fields) {
             std::erase_if(fields, [](const auto& f) { return f.first == "signature"; });
         }},
        {"another's signature",
         [](Fields& fields) {
             auto& value = field(fields, "signature");
             const auto octets = value.find(":") + 1;
             value.replace(octets, value.rfind(':') - octets,
                           protocol::to_base64(std::string(64, 'x')));
         }},
        {"the signature of the answer before",
         [before](Fields& fields) {
             auto& value = field(fields, "signature");
             const auto octets = value.find(":") + 1;
             auto own = value.substr(octets, value.rfind(':') - octets);
             value.replace(octets, own.size(), *before);
             *before = std::move(own);
         }},
        {"the digest of another body",
         [](Fields& fields) {
             field(fields, "content-digest") =
                 "sha-256=:" + protocol::to_base64(std::string(32, 'x')) + ":";
         }},
        {"a digest that isn't covered",
         [](Fields& fields) {
             auto& value = field(fields, "signature-input");
             const std::string covered = " \"content-digest\"";
             value.erase(value.find(covered), covered.size());
         }},
    };
}

class Answers : public ForgerTest {
 protected:
    void SetUp() override
    {
        ForgerTest::SetUp();
        join();
    }
    [[nodiscard]] bool is_delivered(const std::string& event)
    {
        const auto state = alice_->delivery(event);
        return state.contains("servers") && state["servers"].value("f.test", false);
    }
};

// [SIG-10]
TEST_F(Answers, OneThatIsNotSignedForTheRequestIsNone)
{
    for (const auto& spoilt : spoilt_answers()) {
        SCOPED_TRACE(spoilt.name);
        std::atomic<int> answered = 0;
        forger_->on_answer([&](Fields& fields) {
            spoilt.change(fields);
            ++answered;
        });
        const std::string event = alice_->post(channel_, spoilt.name).at("event");
        wait_until("it is sent again and again", [&] { return answered >= 3; });
        EXPECT_FALSE(is_delivered(event));
        forger_->on_answer({});
        wait_until("a right answer counts", [&] { return is_delivered(event); });
    }
}

}  // namespace
}  // namespace entente::e2e
