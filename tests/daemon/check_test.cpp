// `ententd check`: what keeps the daemon from starting, and what is only warned of.
#include "daemon/check.hpp"

#include <fstream>
#include <set>
#include <sstream>
#include <string>

#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "daemon/key_folder.hpp"
#include "daemon/key_memory.hpp"
#include "net/tls.hpp"
#include "storage/sqlite/database.hpp"
#include "tests/daemon/scratch_folder.hpp"

namespace entente::daemon {
namespace {

class Check : public testing::Test {
 protected:
    Check()
    {
        protocol::start_crypto();
        std::filesystem::create_directory(scratch_ / "data");
        EXPECT_TRUE(
            net::make_self_signed(scratch_ / "c.pem", scratch_ / "k.pem", {"a.example"}, 90));
        const auto key = protocol::SigningKey::generate(random_);
        const Identity identity{*protocol::parse_server_name("a.example", {}),        key, 1,
                                protocol::SigningKey::generate(random_).public_key(), {},  {}};
        EXPECT_TRUE(KeyFolder(scratch_ / "data/keys").create(identity));
        auto made = storage::make_sqlite_database(database())->open_writer();
        EXPECT_TRUE(made && remember_newest(**made, identity));
    }

    [[nodiscard]] std::string database() const { return scratch_ / "data/entente.sqlite"; }

    static std::string listener(const std::string& rest) { return "[[listener]]\n" + rest; }
    static std::string with_tls()
    {
        return listener("address = \"0.0.0.0:8448\"\ncertificate = \"c.pem\"\nkey = \"k.pem\"\n");
    }

    // The exit code and all that was said.
    std::pair<int, std::string> check(const std::string& rest, Environment environment = {})
    {
        if (environment.empty())
            environment.emplace_back("ENTENTE_SERVER_RUNTIME", scratch_ / "run");
        std::ofstream(scratch_ / "e.toml") << "[server]\nname = \"a.example\"\ndata = \"data\"\n"
                                           << rest;
        std::ostringstream out;
        const int code = run_check(scratch_ / "e.toml", environment, clock_, out);
        return {code, out.str()};
    }

    ScratchFolder scratch_;
    protocol::SystemRandom random_;
    protocol::SystemClock clock_;
};

bool says(const std::string& text, const std::string& part)
{
    return text.find(part) != std::string::npos;
}

TEST_F(Check, SaysNothingOfAnInstallationThatIsRight)
{
    const auto [code, said] = check(with_tls());
    EXPECT_EQ(code, 0);
    EXPECT_EQ(said, (scratch_ / "e.toml") + ": a.example would start\n");
}

TEST_F(Check, TellsEveryFaultOfTheFile)
{
    const auto [code, said] = check(with_tls() + "[log]\nlevel = \"loud\"\nformat = 1\n");
    EXPECT_EQ(code, 1);
    EXPECT_TRUE(says(said, "e.toml:9: log.level")) << said;
    EXPECT_TRUE(says(said, "e.toml:10: log.format")) << said;
}

TEST_F(Check, WarnsOfALoopbackListenerWithoutCertificateAndProxies)
{
    const auto [code, said] = check(listener("address = \"127.0.0.1:80\"\n"));
    EXPECT_EQ(code, 0);
    EXPECT_TRUE(says(said, "warning: ") &&
                says(said, "e.toml:4: a loopback listener without certificate"))
        << said;

    const auto behind =
        listener("address = \"127.0.0.1:80\"\ntrusted_proxies = [\"127.0.0.1/32\"]\n");
    EXPECT_FALSE(says(check(behind).second, "warning"));
    const auto open = check(listener("address = \"0.0.0.0:80\"\n"));
    EXPECT_EQ(open.first, 0);
    EXPECT_TRUE(says(open.second, "e.toml:4: this listener speaks plain HTTP on a network"))
        << open.second;
}

TEST_F(Check, NamesFilesThatAreMissingOrUnfit)
{
    auto [code, said] =
        check(listener("address = \"[::]:1\"\ncertificate = \"none.pem\"\nkey = \"k.pem\"\n"));
    EXPECT_EQ(code, 1);
    EXPECT_TRUE(says(said, "none.pem can't be read: No such file")) << said;

    std::ofstream(scratch_ / "bad.pem") << "nothing";
    std::tie(code, said) =
        check(listener("address = \"[::]:1\"\ncertificate = \"bad.pem\"\nkey = \"k.pem\"\n"));
    EXPECT_EQ(code, 1);
    EXPECT_TRUE(says(said, "error: ") && says(said, "bad.pem")) << said;

    ASSERT_TRUE(net::make_self_signed(scratch_ / "c2.pem", scratch_ / "k2.pem", {"a.example"}, 90));
    std::tie(code, said) =
        check(listener("address = \"[::]:1\"\ncertificate = \"c.pem\"\nkey = \"k2.pem\"\n"));
    EXPECT_EQ(code, 1) << said;

    std::tie(code, said) = check(with_tls() + "[federation]\nca_file = \"no-ca.pem\"\n");
    EXPECT_EQ(code, 1);
    EXPECT_TRUE(says(said, "no-ca.pem can't be read")) << said;
}

TEST_F(Check, WarnsOfACertificateThatEndsSoon)
{
    ASSERT_TRUE(net::make_self_signed(scratch_ / "c.pem", scratch_ / "k.pem", {"a.example"}, 5));
    const auto [code, said] = check(with_tls());
    EXPECT_EQ(code, 0);
    EXPECT_TRUE(says(said, "c.pem runs out in")) << said;
}

TEST_F(Check, WarnsOfAKeyThatEverybodyMayRead)
{
    ASSERT_EQ(::chmod((scratch_ / "k.pem").c_str(), 0644), 0);
    const auto [code, said] = check(with_tls());
    EXPECT_EQ(code, 0);
    EXPECT_TRUE(says(said, "run chmod 0640 ")) << said;
}

TEST_F(Check, RefusesAKeyFolderThatOthersMayRead)
{
    ASSERT_EQ(::chmod((scratch_ / "data/keys").c_str(), 0755), 0);
    const auto [code, said] = check(with_tls());
    EXPECT_EQ(code, 1);
    EXPECT_TRUE(says(said, "error: ") && says(said, "run chmod 0700 ")) << said;
}

TEST_F(Check, SaysThatSetupIsOutstanding)
{
    std::filesystem::remove_all(scratch_ / "data");
    const auto [code, said] = check(with_tls());
    EXPECT_EQ(code, 1) << "ententd would not start";
    EXPECT_TRUE(says(said, "run ententctl setup --config " + (scratch_ / "e.toml"))) << said;
    EXPECT_FALSE(std::filesystem::exists(scratch_ / "data"));
}

TEST_F(Check, RefusesAPathThatNoSocketCanHave)
{
    const Environment longest{{"ENTENTE_SERVER_CONTROL", "/" + std::string(106, 'x')}};
    EXPECT_EQ(check(with_tls(), longest).first, 0);
    const Environment too_long{{"ENTENTE_SERVER_CONTROL", "/" + std::string(107, 'x')}};
    const auto [code, said] = check(with_tls(), too_long);
    EXPECT_EQ(code, 1);
    EXPECT_TRUE(says(said, "longer than 107 octets; set server.control")) << said;
}

TEST_F(Check, WarnsWhereNoListenerServesFederation)
{
    const auto only_clients = listener(
        "address = \"127.0.0.1:80\"\nserves = [\"client\"]\ntrusted_proxies = [\"127.0.0.1\"]\n");
    EXPECT_TRUE(says(check(only_clients).second, "no listener serves federation"));
    EXPECT_FALSE(
        says(check(only_clients, {{"ENTENTE_FEDERATION_ENABLED", "false"}}).second, "no listener"));
}

// Without it the server would begin as a new one, under keys that others know.
TEST_F(Check, ADatabaseThatIsLostThoughThereAreKeysIsAFault)
{
    for (const bool is_empty : {false, true}) {
        std::filesystem::remove(database());
        if (is_empty) std::ofstream(database()) << "";
        const auto [code, said] = check(with_tls());
        EXPECT_EQ(code, 1);
        EXPECT_TRUE(says(said, "error: ") && says(said, database() + " is missing or empty"))
            << said;
        EXPECT_TRUE(says(said, "put it back from a backup")) << said;
        EXPECT_TRUE(says(said, "ententctl setup --new-database")) << said;
    }
}

TEST_F(Check, BeforeSetupNoDatabaseIsMissed)
{
    std::filesystem::remove_all(scratch_ / "data");
    const auto [code, said] = check(with_tls());
    EXPECT_EQ(code, 1);
    EXPECT_TRUE(says(said, "run ententctl setup --config")) << said;
    EXPECT_FALSE(says(said, "the database")) << said;
}

// For as long as it lives this process acts as nobody in particular.
class AsNobody {
 public:
    AsNobody()
    {
        if (::seteuid(65'534) != 0) std::abort();
    }
    AsNobody(const AsNobody&) = delete;
    AsNobody& operator=(const AsNobody&) = delete;
    ~AsNobody()
    {
        if (::seteuid(0) != 0) std::abort();
    }
};

TEST_F(Check, WhatCannotBeWrittenIsNamedWithTheRemedy)
{
    if (::geteuid() != 0) GTEST_SKIP() << "needs root, to be somebody else";
    std::filesystem::permissions(scratch_ / "", std::filesystem::perms::all);
    for (const auto* name : {"data", "data/keys", "data/keys/identity.json", "k.pem"})
        ASSERT_EQ(::chown((scratch_ / name).c_str(), 65'534, 65'534), 0) << name;
    const auto check_as_nobody = [&] {
        std::filesystem::remove(scratch_ / "e.toml");
        const AsNobody nobody;
        return check(with_tls());
    };
    const auto expect_fault = [&](const std::string& what) {
        const auto [code, said] = check_as_nobody();
        EXPECT_EQ(code, 1);
        EXPECT_TRUE(says(said, what + ": Permission denied; run chown and chmod")) << said;
    };
    // Root's, as after a visit with sqlite3.
    expect_fault(database() + " can't be read and written");
    ASSERT_EQ(::chown(database().c_str(), 65'534, 65'534), 0);
    ASSERT_EQ(::chmod(database().c_str(), 0600), 0);
    EXPECT_EQ(check_as_nobody().first, 0) << check_as_nobody().second;
    ASSERT_EQ(::chmod(database().c_str(), 0400), 0);
    expect_fault(database() + " can't be read and written");
    ASSERT_EQ(::chmod(database().c_str(), 0600), 0);
    std::ofstream(database() + "-wal") << "";
    expect_fault(database() + "-wal can't be read and written");
    std::filesystem::remove(database() + "-wal");
    ASSERT_EQ(::chmod((scratch_ / "data").c_str(), 0500), 0);
    expect_fault((scratch_ / "data") + " can't be written");
}

TEST_F(Check, ADatabaseThatIsNoFileIsAFault)
{
    std::filesystem::remove(database());
    std::filesystem::create_directory(database());
    const auto [code, said] = check(with_tls());
    EXPECT_EQ(code, 1);
    EXPECT_TRUE(says(said, database() + " isn't a file; set storage.url to one")) << said;
}

TEST_F(Check, FaultsOfAListenerAreInTheLineOfTheirKey)
{
    const auto [code, said] =
        check(listener("address = \"[::]:1\"\ncertificate = \"no-c.pem\"\nkey = \"no-k.pem\"\n"));
    EXPECT_EQ(code, 1);
    EXPECT_TRUE(says(said, "e.toml:6: certificate ")) << said;
    EXPECT_TRUE(says(said, "e.toml:7: key ")) << said;
}

TEST_F(Check, WarnsOfACertificateForAnotherName)
{
    const auto make = [&](const std::string& name) {
        ASSERT_TRUE(net::make_self_signed(scratch_ / "c.pem", scratch_ / "k.pem", {name}, 90));
    };
    make("b.example");
    const auto [code, said] = check(with_tls());
    EXPECT_EQ(code, 0);
    EXPECT_TRUE(says(said, "e.toml:6: the certificate ") && says(said, "isn't for a.example,"))
        << said;
    const auto api = "[federation]\napi = \"https://chat.a.example\"\n";
    EXPECT_TRUE(says(check(with_tls() + api).second, "isn't for a.example nor for chat.a.example"));
    make("chat.a.example");
    EXPECT_FALSE(says(check(with_tls() + api).second, "warning"));
    make("*.a.example");
    EXPECT_FALSE(says(check(with_tls() + api).second, "warning"));
}

TEST_F(Check, LostKeysAreAskedForAndNotMadeAnew)
{
    std::filesystem::remove_all(scratch_ / "data/keys");
    const auto [code, said] = check(with_tls());
    EXPECT_EQ(code, 1);
    EXPECT_TRUE(says(said, "put the newest copy of the keys folder back")) << said;
    EXPECT_FALSE(says(said, "run ententctl setup")) << said;
    // A setup that was interrupted.
    std::filesystem::create_directory(scratch_ / "data/keys");
    std::ofstream(scratch_ / "data/keys/setup.pending") << "";
    EXPECT_TRUE(says(check(with_tls()).second, "run ententctl setup"));
}

// [LOG-10]
TEST_F(Check, AnOlderKeyFolderWouldNotStart)
{
    const auto other = protocol::SigningKey::generate(random_);
    const Identity older{*protocol::parse_server_name("a.example", {}),        other, 1,
                         protocol::SigningKey::generate(random_).public_key(), {},    {}};
    ASSERT_TRUE(KeyFolder(scratch_ / "data/keys").replace(older));
    const auto [code, said] = check(with_tls());
    EXPECT_EQ(code, 1);
    EXPECT_TRUE(says(said, "e.toml: the key folder is older") && says(said, "put its newest copy"))
        << said;
}

TEST_F(Check, ADamagedDatabaseWouldNotStart)
{
    for (const auto* suffix : {"-wal", "-shm"}) std::filesystem::remove(database() + suffix);
    std::ofstream(database(), std::ios::trunc) << std::string(8'192, 'x');
    const auto [code, said] = check(with_tls());
    EXPECT_EQ(code, 1);
    EXPECT_TRUE(says(said, database()) && says(said, "file is not a database; it is damaged") &&
                says(said, "put the newest backup in its place"))
        << said;
}

TEST_F(Check, ADatabaseOfANewerVersionWouldNotStart)
{
    {
        auto db = storage::make_sqlite_database(database())->open_writer();
        ASSERT_TRUE(db);
        ASSERT_TRUE((*db)->execute("INSERT INTO migration VALUES (99999, 'later', 'x', 1)"));
    }
    const auto [code, said] = check(with_tls());
    EXPECT_EQ(code, 1);
    EXPECT_TRUE(says(said, "newer than this program") && says(said, "install a newer version"))
        << said;
}

TEST_F(Check, LooksWithoutLeavingATrace)
{
    const auto names = [&] {
        std::set<std::string> found;
        for (const auto& entry : std::filesystem::recursive_directory_iterator(scratch_ / "data"))
            found.insert(entry.path().string());
        return found;
    };
    for (const auto* suffix : {"-wal", "-shm"}) std::filesystem::remove(database() + suffix);
    const auto before = names();
    const auto written = std::filesystem::last_write_time(database());
    EXPECT_EQ(check(with_tls()).first, 0);
    EXPECT_EQ(names(), before);
    EXPECT_EQ(std::filesystem::last_write_time(database()), written);
    // And beside a server that runs.
    auto writer = storage::make_sqlite_database(database())->open_writer();
    ASSERT_TRUE(writer && (*writer)->begin());
    const auto [code, said] = check(with_tls());
    EXPECT_EQ(code, 0) << said;
    (*writer)->rollback();
}

// A file system in memory of less than a start needs, for as long as it lives.
class SmallDisk {
 public:
    explicit SmallDisk(std::string folder)
        : folder_(std::move(folder)),
          is_there_(::mount("none", folder_.c_str(), "tmpfs", 0, "size=1020k,mode=0700") == 0)
    {
    }
    SmallDisk(const SmallDisk&) = delete;
    SmallDisk& operator=(const SmallDisk&) = delete;
    ~SmallDisk()
    {
        if (is_there_) ::umount(folder_.c_str());
    }
    [[nodiscard]] bool is_there() const { return is_there_; }

 private:
    std::string folder_;
    bool is_there_;
};

TEST_F(Check, SaysThatTheDiskIsFull)
{
    const auto data = scratch_ / "data";
    const auto copy = scratch_ / "copy";
    std::filesystem::copy(data, copy, std::filesystem::copy_options::recursive);
    {
        const SmallDisk disk(data);
        if (!disk.is_there()) GTEST_SKIP() << "needs the right to mount a small file system";
        std::filesystem::copy(copy, data, std::filesystem::copy_options::recursive);
        const auto [code, said] = check(with_tls());
        EXPECT_EQ(code, 1);
        EXPECT_TRUE(says(said, "the disk of the data folder " + data + " is full; make room"))
            << said;
    }
    EXPECT_EQ(check(with_tls()).first, 0);
}

TEST_F(Check, WarnsOfARuntimeFolderThatCantBeUsed)
{
    EXPECT_FALSE(says(check(with_tls()).second, "server.runtime"));
    std::ofstream(scratch_ / "run") << "a file";
    const auto [code, said] = check(with_tls());
    EXPECT_EQ(code, 0);
    EXPECT_TRUE(says(said, "server.runtime " + (scratch_ / "run") + " can't be written")) << said;
    const auto below = check(with_tls(), {{"ENTENTE_SERVER_RUNTIME", scratch_ / "run/below"}});
    EXPECT_TRUE(says(below.second, "isn't there and can't be made")) << below.second;
}

TEST_F(Check, AsRootItIsAskedToBeRunAsTheServersUser)
{
    if (::geteuid() != 0) GTEST_SKIP() << "needs root, to be the wrong user";
    ASSERT_EQ(::chown((scratch_ / "data").c_str(), 65'534, 65'534), 0);
    const auto [code, said] = check(with_tls());
    EXPECT_EQ(code, 1);
    EXPECT_TRUE(says(said, " belongs to nobody; run this as that user: sudo -u nobody")) << said;
    EXPECT_FALSE(says(said, "chown")) << said;
}

TEST_F(Check, KeysThatCantBeLookedAtAreNotTakenForNone)
{
    if (::geteuid() != 0) GTEST_SKIP() << "needs root, to be somebody else";
    std::filesystem::permissions(scratch_ / "", std::filesystem::perms::all);
    for (const auto* name : {"data", "k.pem", "data/entente.sqlite"})
        ASSERT_EQ(::chown((scratch_ / name).c_str(), 65'534, 65'534), 0);
    const auto check_as_nobody = [&] {
        std::filesystem::remove(scratch_ / "e.toml");
        const AsNobody nobody;
        return check(with_tls());
    };
    auto [code, said] = check_as_nobody();
    EXPECT_EQ(code, 1);
    EXPECT_TRUE(says(said, "identity.json can't be looked at: Permission denied; run this as"))
        << said;
    EXPECT_FALSE(says(said, "no keys")) << said;
    ASSERT_EQ(::chown((scratch_ / "data/keys").c_str(), 65'534, 65'534), 0);
    std::tie(code, said) = check_as_nobody();
    EXPECT_EQ(code, 1);
    EXPECT_TRUE(says(said, "identity.json: Permission denied; give it or its folder to nobody"))
        << said;
}

}  // namespace
}  // namespace entente::daemon
