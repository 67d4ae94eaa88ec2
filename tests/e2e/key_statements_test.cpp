// Statements from a hostile peer [KEY-2 to KEY-4]: what a real server makes of them, at the
// gate and in what it logs. One request of each source address may cause a fetch a minute.
#include "protocol/statement.hpp"
#include "tests/e2e/support/forger_test.hpp"

namespace entente::e2e {
namespace {

using protocol::SigningKey;

class KeyStatements : public ForgerTest {
 protected:
    void SetUp() override
    {
        ForgerTest::SetUp();
        ASSERT_EQ(refusal(forger_->key()), "");  // and is pinned
    }
    static SigningKey new_key()
    {
        protocol::SystemRandom random;
        return SigningKey::generate(random);
    }
    static std::int64_t now_ms() { return protocol::SystemClock{}.now_ms(); }
    [[nodiscard]] std::string rotation(const SigningKey& from, const SigningKey& to,
                                       const SigningKey& signer, std::int64_t ago = 0) const
    {
        return protocol::make_rotation(forger_->name(), from.id(), to, now_ms() - ago, signer);
    }
    [[nodiscard]] std::string revocation(const SigningKey& key, std::int64_t ago,
                                         const SigningKey& signer) const
    {
        return protocol::make_revocation(forger_->name(), key.id(), now_ms() - ago, "", signer);
    }
    void publish(const std::vector<std::string>& statements)
    {
        forger_->on_document([statements](const std::string& usual) {
            auto document = json::parse(usual);
            document["statements"] = statements;
            return document.dump();
        });
    }
    // What a request signed with `key` is refused with, by its source's one fetch a minute;
    // "" where it passes.
    std::string refusal(const SigningKey& key, const std::string& body = "{}")
    {
        auto craft = forger_->craft(home(), body);
        craft.key = key;
        craft.keyid = forger_->name().str() + "#" + key.id().str();
        craft.source = "127.0.0." + std::to_string(next_source_++);
        const auto answer = forger_->send(home(), craft);
        return answer.status() == 200 ? "" : answer.problem();
    }
    // The join, its request by the published key and its seal by `key`.
    protocol::ItemStatus join_sealed_by(const SigningKey& key)
    {
        const auto seal = [&](protocol::OutgoingTransaction& transaction) {
            const auto& submission = transaction.submissions.at(0);
            protocol::RootBuilder leaves;
            leaves.add(protocol::seal_leaf(submission.channel, submission.seal.events));
            transaction.roots.at(0) = leaves.sign(key, forger_->name(), now_ms()).jws;
        };
        const auto joining =
            forger_->submission(channel_, {forger_->event(channel_, "member.join")}, seal);
        const auto result = forger_->deliver(home(), joining);
        return result.submissions.at(0).events.at(0).status;
    }

    int next_source_ = 2;
};

TEST_F(KeyStatements, ARotatedKeyIsTakenAndSoIsTheOldOneForAWhile)
{
    const auto old = forger_->key(), fresh = new_key();
    publish({rotation(old, fresh, old)});
    forger_->change_key(fresh);
    EXPECT_EQ(refusal(fresh), "");
    EXPECT_EQ(refusal(old), "");
    home().kill9();
    home().start();
    EXPECT_EQ(refusal(fresh), "");
    EXPECT_EQ(refusal(old), "");
    EXPECT_EQ(join_sealed_by(old), protocol::ItemStatus::accepted);
    EXPECT_TRUE(has_joined());
}

TEST_F(KeyStatements, AKeyReplacedMoreThanSevenDaysAgoSignsNothing)
{
    constexpr std::int64_t week_ms = std::int64_t{7} * 24 * 3600 * 1000;
    const auto old = forger_->key(), fresh = new_key();
    publish({rotation(old, fresh, old, week_ms + 1)});
    forger_->change_key(fresh);
    EXPECT_EQ(refusal(fresh), "");
    EXPECT_EQ(refusal(old), "key-revoked");
    EXPECT_EQ(join_sealed_by(old), protocol::ItemStatus::rejected);
    EXPECT_FALSE(has_joined());
    EXPECT_EQ(join_sealed_by(fresh), protocol::ItemStatus::accepted);
}

TEST_F(KeyStatements, AKeyWithoutAStatementIsAConflictThatIsHeldAndEndsByAgreement)
{
    const auto old = forger_->key(), fresh = new_key();
    forger_->change_key(fresh);
    EXPECT_EQ(refusal(fresh, joining()), "key-conflict");
    EXPECT_EQ(refusal(old), "");
    home().kill9();
    home().start();
    EXPECT_EQ(refusal(fresh, joining()), "key-conflict");
    EXPECT_EQ(refusal(old), "");
    EXPECT_FALSE(has_joined());
    EXPECT_NE(home().log_text().find("key-conflict"), std::string::npos);
    publish({rotation(old, fresh, old)});
    EXPECT_EQ(refusal(fresh, joining()), "");
    EXPECT_NE(home().log_text().find("key-conflict-ended"), std::string::npos);
    EXPECT_TRUE(has_joined());
}

TEST_F(KeyStatements, AFalseStatementIsNone)
{
    const auto old = forger_->key(), fresh = new_key(), stranger = new_key();
    auto forged = rotation(old, fresh, old);
    forged.replace(forged.size() - 86, 86, std::string(86, 'A'));
    publish({forged, rotation(old, fresh, stranger), rotation(stranger, fresh, stranger),
             rotation(old, fresh, old, -120'000)});
    forger_->change_key(fresh);
    EXPECT_EQ(refusal(fresh, joining()), "key-conflict");
    EXPECT_FALSE(has_joined());
    EXPECT_EQ(refusal(old), "");
}

TEST_F(KeyStatements, ARevokedKeySignsNothingHoweverItIsDatedAndWhatItSealedStays)
{
    const auto old = forger_->key(), fresh = new_key();
    EXPECT_EQ(join_sealed_by(old), protocol::ItemStatus::accepted);
    publish({rotation(old, fresh, forger_->recovery()),
             revocation(old, 3'600'000, forger_->recovery())});
    forger_->change_key(fresh);
    EXPECT_EQ(refusal(fresh), "");
    EXPECT_EQ(refusal(old), "key-revoked");
    home().kill9();
    home().start();
    EXPECT_EQ(refusal(old), "key-revoked");
    EXPECT_EQ(refusal(fresh), "");
    EXPECT_TRUE(has_joined());
}

// [KEY-2]
TEST_F(KeyStatements, TwoRotationsAtOnceAreAConflictThatTheRecoveryKeyEnds)
{
    const auto old = forger_->key(), one = new_key(), other = new_key();
    const std::vector<std::string> rivals{rotation(old, one, old), rotation(old, other, old, 10)};
    publish(rivals);
    forger_->change_key(one);
    EXPECT_EQ(refusal(one, joining()), "key-conflict");
    EXPECT_EQ(refusal(other), "key-conflict");
    EXPECT_EQ(refusal(old), "");
    EXPECT_FALSE(has_joined());
    publish({rivals[0], rivals[1], rotation(old, one, forger_->recovery())});
    EXPECT_EQ(refusal(one, joining()), "");
    EXPECT_EQ(refusal(other), "key-revoked");
    EXPECT_TRUE(has_joined());
}

TEST_F(KeyStatements, TheRotationThatWasPinnedFirstStandsOverARestart)
{
    const auto old = forger_->key(), first = new_key(), second = new_key();
    publish({rotation(old, first, old)});
    forger_->change_key(first);
    EXPECT_EQ(refusal(first), "");
    home().kill9();
    home().start();
    publish({rotation(old, second, old, 60'000)});
    forger_->change_key(second);
    EXPECT_EQ(refusal(second), "key-conflict");
    EXPECT_EQ(refusal(first), "");
    publish({rotation(old, second, forger_->recovery())});
    EXPECT_EQ(refusal(second), "");
    EXPECT_EQ(refusal(first), "key-revoked");
}

}  // namespace
}  // namespace entente::e2e
