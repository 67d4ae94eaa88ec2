// `ententctl identity` but for the terminal: what is asked for, said and stored.
#include "daemon/identity_commands.hpp"

#include <filesystem>
#include <fstream>
#include <sstream>

#include <sys/stat.h>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "daemon/key_folder.hpp"
#include "daemon/key_memory.hpp"
#include "daemon/secret_input.hpp"
#include "daemon/setup.hpp"
#include "storage/sqlite/database.hpp"
#include "tests/daemon/scratch_folder.hpp"
#include "trust/key_ring.hpp"

namespace entente::daemon {
namespace {

using Action = IdentityOptions::Action;
using nlohmann::json;

class SetClock final : public protocol::Clock {
 public:
    [[nodiscard]] protocol::Millis now_ms() const override { return now; }
    protocol::Millis now = protocol::SystemClock{}.now_ms();
};

class IdentityCommands : public testing::Test {
 protected:
    IdentityCommands()
    {
        protocol::start_crypto();
        config = *parse_config(
            "[server]\nname = \"a.example\"\ndata = \"data\"\n[[listener]]\naddress = "
            "\"127.0.0.1:1\"\ncertificate = \"tls/c.pem\"\nkey = \"tls/k.pem\"\n",
            scratch / "e.toml", {});
        const auto done = set_up(config, "admin", random, clock, door_to(secrets));
        EXPECT_TRUE(done) << done.error().detail;
    }
    Result<void> run(const IdentityOptions& options)
    {
        out.str({});
        notes.str({});
        return run_identity(config, options, random, clock, out, notes);
    }
    Result<void> rotate_key(const std::string& recovery_file = {})
    {
        IdentityOptions options;
        options.action = Action::rotate;
        options.recovery_file = recovery_file;
        return run(options);
    }
    Result<void> revoke_key(const std::string& id, const std::string& at = {},
                            const std::string& recovery_file = {})
    {
        IdentityOptions options;
        options.action = Action::revoke;
        options.key = id;
        options.at = at;
        options.recovery_file = recovery_file;
        return run(options);
    }
    Result<void> make_kit(const std::string& recovery_file, const std::string& secrets_file)
    {
        IdentityOptions options;
        options.action = Action::recovery_kit;
        options.recovery_file = recovery_file;
        options.secrets_file = secrets_file;
        return run(options);
    }
    json shown()
    {
        IdentityOptions options;
        options.action = Action::show;
        options.json = true;
        const auto done = run(options);
        EXPECT_TRUE(done) << done.error().detail;
        return json::parse(out.str());
    }
    Identity identity() { return *KeyFolder(config.server.keys).load(config.server.name, {}); }
    static std::string text_of(const std::string& file)
    {
        std::ifstream stream(file);
        return {std::istreambuf_iterator<char>(stream), {}};
    }

    ScratchFolder scratch;
    std::string secrets = scratch / "secrets";
    Config config;
    protocol::SystemRandom random;
    SetClock clock;
    std::ostringstream out, notes;
};

TEST_F(IdentityCommands, ShowListsKeysAndTheirStatus)
{
    const auto first = identity().current.id().str();
    auto now = shown();
    EXPECT_EQ(now.at("server"), "a.example");
    EXPECT_EQ(now.at("keys"),
              json::array({{{"kid", first}, {"status", "active"}, {"from", identity().from}}}));
    EXPECT_EQ(now.at("recovery"), identity().recovery.thumbprint().str());
    EXPECT_TRUE(now.at("statements").empty());

    ASSERT_TRUE(rotate_key());
    EXPECT_EQ(out.str(), identity().current.id().str() + "\n");
    EXPECT_NE(notes.str().find("reload"), std::string::npos);
    now = shown();
    EXPECT_EQ(now.at("keys").at(1).at("kid"), first);
    EXPECT_EQ(now.at("keys").at(1).at("status"), "retired");
    EXPECT_EQ(now.at("statements").at(0).at("type"), "rotation");
    EXPECT_EQ(now.at("statements").at(0).at("signed_by"), "signing key");
    clock.now += trust::key_overlap_ms + 1000;
    EXPECT_EQ(shown().at("keys").at(1).at("status"), "expired");
    ASSERT_TRUE(revoke_key(first));
    EXPECT_EQ(shown().at("keys").at(1).at("status"), "revoked");

    IdentityOptions options;
    options.action = Action::show;
    ASSERT_TRUE(run(options));
    EXPECT_NE(out.str().find("active    " + identity().current.id().str()), std::string::npos);
    EXPECT_NE(out.str().find("revoked   " + first), std::string::npos) << out.str();
}

TEST_F(IdentityCommands, TheRecoverySecretIsReadFromSetupsFileOrAlone)
{
    ASSERT_TRUE(rotate_key(secrets));
    EXPECT_EQ(shown().at("statements").at(0).at("signed_by"), "recovery key");
    const auto text = text_of(secrets);
    const auto secret = text.substr(text.find("recovery secret: ") + 17, 43);
    std::ofstream(scratch / "alone") << "  " << secret << "\r\n";
    EXPECT_EQ(read_recovery_secret(scratch / "alone").value(), secret);
    ASSERT_TRUE(rotate_key(scratch / "alone"));
    std::ofstream(scratch / "empty") << "\n";
    EXPECT_EQ(rotate_key(scratch / "empty").error().code, Code::malformed);
    EXPECT_EQ(rotate_key(scratch / "none").error().code, Code::not_found);
    std::ofstream(scratch / "wrong") << std::string(43, 'A');
    EXPECT_EQ(rotate_key(scratch / "wrong").error().code, Code::forbidden);
    EXPECT_EQ(identity().statements.size(), 2U);
}

TEST_F(IdentityCommands, ARevocationIsDatedBackByTheRecoveryKeyOnly)
{
    const auto stolen = identity().current.id().str();
    ASSERT_TRUE(rotate_key());
    EXPECT_EQ(revoke_key(stolen, "2025-01-31T09:00:00Z").error().code, Code::forbidden);
    EXPECT_EQ(revoke_key(stolen, "yesterday", secrets).error().code, Code::malformed);
    EXPECT_EQ(revoke_key("short", "", secrets).error().code, Code::malformed);
    EXPECT_EQ(identity().statements.size(), 1U);
    ASSERT_TRUE(revoke_key(stolen, "2025-01-31T09:00:00Z", secrets));
    EXPECT_EQ(identity().old_keys[0].revoked_at, 1'738'314'000'000);
    // The recovery key stands for the rotation now.
    EXPECT_EQ(shown().at("statements").at(0).at("signed_by"), "recovery key");
}

TEST_F(IdentityCommands, ARecoveryKitIsHandedOutAndTheOldSecretCountsNoMore)
{
    const auto before = identity().recovery;
    const auto kit = scratch / "kit";
    EXPECT_EQ(make_kit(secrets, secrets).error().code, Code::conflict);
    EXPECT_EQ(make_kit(scratch / "none", kit).error().code, Code::not_found);
    EXPECT_FALSE(std::filesystem::exists(kit));
    ASSERT_TRUE(make_kit(secrets, kit));
    struct stat status{};
    ASSERT_EQ(::stat(kit.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777, 0600U);
    EXPECT_NE(identity().recovery, before);
    EXPECT_EQ(rotate_key(secrets).error().code, Code::forbidden);
    ASSERT_TRUE(rotate_key(kit));
    // Nowhere else: neither on the terminal nor in the server's folders.
    const auto text = text_of(kit);
    const auto secret = text.substr(text.find("recovery secret: ") + 17, 43);
    EXPECT_EQ((out.str() + notes.str()).find(secret), std::string::npos);
    for (const auto& entry : std::filesystem::recursive_directory_iterator(config.server.data)) {
        if (!entry.is_regular_file()) continue;
        EXPECT_EQ(text_of(entry.path()).find(secret), std::string::npos) << entry.path();
    }
}

TEST_F(IdentityCommands, NothingIsBuiltOnAnOlderCopyWithoutTheRecoveryKey)
{
    const auto older = identity();
    ASSERT_TRUE(rotate_key());
    {
        auto database = storage::make_sqlite_database(config.storage.sqlite_path());
        auto db = database->open_writer();
        ASSERT_TRUE(db);
        ASSERT_TRUE(remember_newest(**db, identity()));
    }
    ASSERT_TRUE(KeyFolder(config.server.keys).replace(older));
    const auto refused = rotate_key();
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::forbidden);
    EXPECT_NE(refused.error().detail.find("older"), std::string::npos);
    EXPECT_EQ(make_kit(secrets, scratch / "kit").error().code, Code::forbidden);
    EXPECT_TRUE(identity().statements.empty());
    ASSERT_TRUE(rotate_key(secrets));
}

// [LOG-10] [KEY-4]
TEST_F(IdentityCommands, AnOlderCopyIsReplacedByTheNewestRecoverySecretOnly)
{
    const auto remember = [&] {
        auto database = storage::make_sqlite_database(config.storage.sqlite_path());
        auto db = database->open_writer();
        return db && remember_newest(**db, identity());
    };
    ASSERT_TRUE(remember());
    const auto older = identity();
    ASSERT_TRUE(rotate_key());
    const auto kit = scratch / "kit";
    ASSERT_TRUE(make_kit(secrets, kit));
    const auto in_force = identity().recovery;
    ASSERT_TRUE(remember());
    ASSERT_TRUE(KeyFolder(config.server.keys).replace(older));

    EXPECT_EQ(rotate_key(secrets).error().code, Code::forbidden);
    EXPECT_EQ(rotate_key().error().code, Code::forbidden);
    EXPECT_TRUE(identity().statements.empty());
    EXPECT_FALSE(remember());
    ASSERT_TRUE(rotate_key(kit));
    EXPECT_EQ(identity().recovery, in_force);
    EXPECT_TRUE(remember());
}

TEST_F(IdentityCommands, OneAtATime)
{
    const auto lock = KeyFolder(config.server.keys).lock();
    EXPECT_EQ(rotate_key().error().code, Code::conflict);
    EXPECT_TRUE(identity().statements.empty());
}

TEST_F(IdentityCommands, SaysWhenTheDocumentHasNoRoomForAllStatements)
{
    for (int i = 0; i < 60; ++i) {
        ASSERT_TRUE(rotate_key());
        clock.now += 1000;
        if (notes.str().find("room for the newest") != std::string::npos) break;
    }
    EXPECT_NE(notes.str().find("room for the newest"), std::string::npos);
    EXPECT_GE(identity().statements.size(), 35U);
}

TEST(ParseTime, TakesUtcAndMilliseconds)
{
    EXPECT_EQ(parse_time("1763683200123"), 1'763'683'200'123);
    EXPECT_EQ(parse_time("2025-11-21T00:00:00Z"), 1'763'683'200'000);
    EXPECT_EQ(parse_time("2025-11-21T00:00:00.5Z"), 1'763'683'200'500);
    EXPECT_EQ(parse_time("2024-02-29T23:59:59.123Z"), 1'709'251'199'123);
    for (const auto* text :
         {"", "2025-11-21", "2025-11-21T00:00:00", "2025-13-21T00:00:00Z", "2025-02-29T00:00:00Z",
          "2025-11-21T24:00:00Z", "1e3", " 1", "2025-11-21T00:00:00+01:00"})
        EXPECT_EQ(parse_time(text).error().code, Code::malformed) << text;
}

}  // namespace
}  // namespace entente::daemon
