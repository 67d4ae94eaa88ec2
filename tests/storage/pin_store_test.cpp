#include "storage/pin_store.hpp"

#include <gtest/gtest.h>

#include "storage/sqlite/database.hpp"
#include "tests/storage/support.hpp"

namespace entente::storage {
namespace {

using protocol::ServerName;
using trust::KeyStatus;
using trust::PinnedServer;
using trust::Standing;

class PinStoreTest : public ::testing::Test {
 protected:
    PinStoreTest()
    {
        protocol::start_crypto();
        open();
    }
    void open()
    {
        commits = std::make_unique<GroupCommit>(
            io.get_executor(), make_sqlite_database(folder.file("pins.db")), GroupCommitOptions{},
            [](const Error& error) { ADD_FAILURE() << error.detail; });
        ASSERT_TRUE(commits->start());
        store = std::make_unique<PinStore>(*commits);
    }
    void reopen()
    {
        commits->stop();
        store.reset();
        commits.reset();
        open();
    }
    protocol::PublicKey key() { return protocol::SigningKey::generate(random).public_key(); }
    PinnedServer pin(const std::string& name)
    {
        PinnedServer server;
        server.server = ServerName::trusted(name);
        server.api = "https://" + name;
        server.recovery = key();
        server.limits = {1'000'000, 50};
        server.max_age = 123;
        server.pinned_at = 456;
        server.keys.push_back({key(), KeyStatus::retired, 1, 2, 0});
        server.keys.push_back({key(), KeyStatus::revoked, 3, 4, 5});
        server.keys.push_back({key(), KeyStatus::active, 6, 0, 0});
        for (const auto standing : {Standing::stands, Standing::waiting, Standing::proven}) {
            const auto signer = protocol::SigningKey::generate(random);
            const auto text =
                protocol::make_revocation(server.server, signer.id(), 7, "a \"quoted\" é", signer);
            server.statements.push_back({protocol::reread_statement(text).value(), 8, standing});
        }
        return server;
    }
    Result<void> put(const PinnedServer& server) { return testing::run(io, store->put(server)); }
    std::vector<PinnedServer> all() { return testing::run(io, store->all()).value(); }

    testing::TemporaryFolder folder;
    asio::io_context io;
    protocol::SystemRandom random;
    std::unique_ptr<GroupCommit> commits;
    std::unique_ptr<PinStore> store;
};

TEST_F(PinStoreTest, HoldsNothingAtFirst)
{
    EXPECT_TRUE(all().empty());
}

TEST_F(PinStoreTest, GivesBackEveryPinWholeAfterARestart)
{
    auto a = pin("a.example");
    auto b = pin("b.example");
    b.conflict = true;
    b.refused = {protocol::SigningKey::generate(random).public_key()};
    ASSERT_TRUE(put(b));
    ASSERT_TRUE(put(a));
    reopen();
    EXPECT_EQ(all(), (std::vector<PinnedServer>{a, b}));
}

TEST_F(PinStoreTest, ANewPinTakesThePlaceOfTheOldKeysStatementsAndAll)
{
    auto other = pin("b.example");
    auto first = pin("a.example");
    first.refused = {protocol::SigningKey::generate(random).public_key()};
    ASSERT_TRUE(put(first));
    ASSERT_TRUE(put(other));
    auto second = pin("a.example");
    second.keys.resize(1, second.keys.front());
    second.statements.erase(second.statements.begin());
    ASSERT_TRUE(put(second));
    EXPECT_EQ(all(), (std::vector<PinnedServer>{second, other}));
}

TEST_F(PinStoreTest, APinWithoutARecoveryKeyIsRefusedAndLeavesNothing)
{
    auto broken = pin("a.example");
    broken.recovery.reset();
    auto stored = put(broken);
    ASSERT_FALSE(stored);
    EXPECT_EQ(stored.error().code, Code::internal);
    EXPECT_TRUE(all().empty());
}

}  // namespace
}  // namespace entente::storage
