// `ententctl setup`: once, whole, and with secrets that leave by their door only.
#include "daemon/setup.hpp"

#include <fstream>
#include <iterator>
#include <optional>
#include <string>

#include <sys/stat.h>

#include <gtest/gtest.h>

#include "api/passwords.hpp"
#include "daemon/key_folder.hpp"
#include "protocol/octets.hpp"
#include "storage/account_store.hpp"
#include "storage/sqlite/database.hpp"
#include "tests/daemon/scratch_folder.hpp"

namespace entente::daemon {
namespace {

class Setup : public testing::Test {
 protected:
    Setup()
    {
        protocol::start_crypto();
        const auto parsed = parse_config(
            "[server]\nname = \"a.example\"\ndata = \"data\"\n[[listener]]\naddress = "
            "\"127.0.0.1:1\"\n"
            "certificate = \"tls/c.pem\"\nkey = \"tls/k.pem\"\n",
            scratch_ / "e.toml", {});
        EXPECT_TRUE(parsed);
        config_ = *parsed;
    }

    SecretsDoor remembering()
    {
        return [this](const SetupSecrets& secrets) -> Result<void> {
            shown_ = secrets;
            return {};
        };
    }
    Result<void> set_up_with(const SecretsDoor& door, const std::string& admin = "admin")
    {
        return set_up(config_, admin, random_, clock_, door);
    }
    Result<storage::Account> account(const std::string& name)
    {
        auto database = storage::make_sqlite_database(config_.storage.sqlite_path());
        auto db = database->open_writer();
        if (!db) return fail(db);
        return storage::find_user(**db, name);
    }
    Result<Identity> identity()
    {
        return KeyFolder(config_.server.keys).load(config_.server.name, {});
    }

    ScratchFolder scratch_;
    Config config_;
    protocol::SystemRandom random_;
    protocol::SystemClock clock_;
    std::optional<SetupSecrets> shown_;
};

TEST_F(Setup, MakesKeysAndAnAdministratorWhosePasswordWorks)
{
    const auto done = set_up_with(remembering());
    ASSERT_TRUE(done) << done.error().detail;
    ASSERT_TRUE(shown_);
    EXPECT_EQ(shown_->server, "a.example");
    EXPECT_EQ(shown_->administrator, "admin@a.example");
    EXPECT_EQ(shown_->password.size(), 20U);

    const auto admin = account("admin");
    ASSERT_TRUE(admin);
    EXPECT_EQ(admin->role, storage::AccountRole::superadmin);
    EXPECT_TRUE(api::password_matches(admin->password_hash, shown_->password));

    const auto keys = identity();
    ASSERT_TRUE(keys) << keys.error().detail;
    const auto recovery =
        protocol::SigningKey::from_seed(*protocol::from_base64url(shown_->recovery_secret));
    ASSERT_TRUE(recovery);
    EXPECT_EQ(recovery->public_key(), keys->recovery);
    EXPECT_NE(keys->current.public_key(), keys->recovery);
    EXPECT_FALSE(std::filesystem::exists(config_.server.keys + "/setup.pending"));
}

TEST_F(Setup, TheRecoverySecretStaysNowhereOnTheServer)
{
    ASSERT_TRUE(set_up_with(remembering()));
    const auto seed = *protocol::from_base64url(shown_->recovery_secret);
    for (const auto& entry : std::filesystem::recursive_directory_iterator(config_.server.data)) {
        if (!entry.is_regular_file()) continue;
        std::ifstream file(entry.path(), std::ios::binary);
        const std::string content{std::istreambuf_iterator<char>(file), {}};
        for (const auto& secret : {shown_->recovery_secret, seed, shown_->password}) {
            EXPECT_EQ(content.find(secret), std::string::npos) << entry.path();
        }
    }
}

TEST_F(Setup, ARepeatIsRefusedAndChangesNothing)
{
    ASSERT_TRUE(set_up_with(remembering()));
    const auto seed = identity()->current.seed();
    const auto hash = account("admin")->password_hash;
    const auto again = set_up_with(remembering());
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().code, Code::conflict);
    EXPECT_NE(again.error().detail.find("a.example is set up already"), std::string::npos);
    EXPECT_EQ(identity()->current.seed(), seed);
    EXPECT_EQ(account("admin")->password_hash, hash);
}

TEST_F(Setup, OneWhoseSecretsNobodySawCanBeRepeated)
{
    const auto failed = set_up_with(
        [](const SetupSecrets&) -> Result<void> { return fail(Code::internal, "torn off"); });
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().detail, "torn off");
    EXPECT_EQ(identity().error().code, Code::not_found);

    const auto repeated = set_up_with(remembering());
    ASSERT_TRUE(repeated) << repeated.error().detail;
    EXPECT_TRUE(api::password_matches(account("admin")->password_hash, shown_->password));
    EXPECT_TRUE(identity());
}

// [LOG-10] New keys in place of lost ones would be a key conflict at every peer.
TEST_F(Setup, AServerThatLostItsKeysGetsNoNewOnes)
{
    ASSERT_TRUE(set_up_with(remembering()));
    std::filesystem::remove_all(config_.server.keys);
    const auto refused = set_up_with(remembering(), "other");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::conflict);
    EXPECT_NE(refused.error().detail.find("the keys are gone"), std::string::npos);
    EXPECT_EQ(identity().error().code, Code::not_found);
    EXPECT_EQ(account("other").error().code, Code::not_found);
    // The refusal left no mark that would let the next attempt through.
    EXPECT_FALSE(set_up_with(remembering(), "other"));
}

TEST_F(Setup, ACertificateWhoseFolderCantBeMadeHasARemedy)
{
    std::ofstream(scratch_ / "tls") << "a file";
    const auto refused = make_missing_certificates(config_, 1);
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().detail.find("the folder " + (scratch_ / "tls") + " can't be made: "),
              std::string::npos)
        << refused.error().detail;
    EXPECT_NE(refused.error().detail.find("run as root: install -d -o "), std::string::npos);
}

TEST_F(Setup, SecretsWhoseFolderIsMissingAreRefusedBeforehand)
{
    const auto refused = check_door(scratch_ / "none/secrets");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().detail, "there is no folder " + (scratch_ / "none") +
                                          " for the secrets; make it first, or name another file");
    EXPECT_TRUE(check_door(scratch_ / "secrets"));
}

TEST_F(Setup, ALostDatabaseIsMadeAnewBesideTheSameKeys)
{
    ASSERT_TRUE(set_up_with(remembering()));
    EXPECT_TRUE(has_database(config_));
    const auto seed = identity()->current.seed();
    for (const bool is_empty : {false, true}) {
        std::filesystem::remove(config_.storage.sqlite_path());
        if (is_empty) std::ofstream(config_.storage.sqlite_path()) << "";
        EXPECT_FALSE(has_database(config_));
        EXPECT_EQ(set_up_with(remembering()).error().code, Code::conflict);
        const auto done = set_up_database(config_, "root", random_, clock_, remembering());
        ASSERT_TRUE(done) << done.error().detail;
        EXPECT_TRUE(has_database(config_));
        EXPECT_EQ(identity()->current.seed(), seed);
        EXPECT_TRUE(api::password_matches(account("root")->password_hash, shown_->password));
        EXPECT_EQ(account("admin").error().code, Code::not_found);
        EXPECT_EQ(to_text(*shown_).find("recovery secret:"), std::string::npos);
    }
}

TEST_F(Setup, NoDatabaseTakesThePlaceOfOneThatIsThere)
{
    const auto make = [&] {
        return set_up_database(config_, "root", random_, clock_, remembering());
    };
    EXPECT_NE(make().error().detail.find("there are no keys"), std::string::npos);
    ASSERT_TRUE(set_up_with(remembering()));
    const auto refused = make();
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::conflict);
    EXPECT_NE(refused.error().detail.find("isn't empty; nothing was changed"), std::string::npos);
    EXPECT_TRUE(account("admin"));
    EXPECT_EQ(account("root").error().code, Code::not_found);
}

TEST_F(Setup, NamesThatCannotBeAccountsAreRefused)
{
    for (const auto* name : {"", "Admin", "a b", "a@b", "-a"}) {
        EXPECT_EQ(set_up_with(remembering(), name).error().code, Code::malformed) << name;
    }
    EXPECT_FALSE(std::filesystem::exists(config_.server.data));
}

TEST_F(Setup, SecretsGoIntoANewPrivateFile)
{
    const auto file = scratch_ / "secrets";
    ASSERT_TRUE(set_up_with(door_to(file)));
    struct stat status{};
    ASSERT_EQ(::stat(file.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777, 0600U);
    std::ifstream stream(file);
    const std::string text{std::istreambuf_iterator<char>(stream), {}};
    EXPECT_NE(text.find("\nadministrator: admin@a.example\npassword: "), std::string::npos) << text;
    EXPECT_NE(text.find("\nrecovery secret: "), std::string::npos) << text;
}

TEST_F(Setup, AFileThatIsThereIsNotTakenForSecrets)
{
    const auto file = scratch_ / "secrets";
    std::ofstream(file) << "mine";
    EXPECT_EQ(set_up_with(door_to(file)).error().code, Code::conflict);
    std::ifstream stream(file);
    EXPECT_EQ((std::string{std::istreambuf_iterator<char>(stream), {}}), "mine");
    EXPECT_EQ(identity().error().code, Code::not_found);
}

TEST_F(Setup, TheTerminalsDoorIsShutWhereThereIsNoTerminal)
{
    testing::internal::CaptureStdout();  // standard output is a file now
    const auto refused = set_up_with(door_to(""));
    EXPECT_EQ(testing::internal::GetCapturedStdout(), "");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::forbidden);
    EXPECT_EQ(identity().error().code, Code::not_found);
}

TEST_F(Setup, CertificatesAreMadeWhereThereAreNone)
{
    const auto made = make_missing_certificates(config_, 30);
    ASSERT_TRUE(made) << made.error().detail;
    EXPECT_EQ(*made, std::vector<std::string>{scratch_ / "tls/c.pem"});
    const auto again = make_missing_certificates(config_, 30);
    ASSERT_TRUE(again);
    EXPECT_TRUE(again->empty());
    std::filesystem::remove(scratch_ / "tls/k.pem");
    EXPECT_EQ(make_missing_certificates(config_, 30).error().code, Code::conflict);
}

}  // namespace
}  // namespace entente::daemon
