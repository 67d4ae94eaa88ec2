// The folder of keys: what is written comes back, and nothing looser than 0700/0600 is read.
#include "daemon/key_folder.hpp"

#include <fstream>
#include <iterator>
#include <string>

#include <sys/stat.h>

#include <gtest/gtest.h>

#include "daemon/durable_file.hpp"
#include "tests/daemon/scratch_folder.hpp"

namespace entente::daemon {
namespace {

constexpr protocol::NameRules rules{true};

protocol::ServerName name(const char* text)
{
    return *protocol::parse_server_name(text, rules);
}

Identity make_identity()
{
    protocol::start_crypto();
    protocol::SystemRandom random;
    const auto old = protocol::SigningKey::generate(random);
    Identity identity{name("a.test"),
                      protocol::SigningKey::generate(random),
                      1'763'683'200'000,
                      protocol::SigningKey::generate(random).public_key(),
                      {},
                      {"a.b.c", "d.e.f"}};
    identity.old_keys.push_back({old.public_key(), 1, 2, 3});
    return identity;
}

mode_t mode_of(const std::string& path)
{
    struct stat status{};
    EXPECT_EQ(::stat(path.c_str(), &status), 0) << path;
    return status.st_mode & 07777;
}

void write_over(const std::string& path, const std::string& text)
{
    std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
}

TEST(KeyFolder, WhatIsCreatedIsLoaded)
{
    const ScratchFolder scratch;
    const KeyFolder folder(scratch / "keys");
    const auto identity = make_identity();
    EXPECT_FALSE(folder.has_identity().value());
    EXPECT_EQ(folder.load(name("a.test"), rules).error().code, Code::not_found);
    ASSERT_TRUE(folder.create(identity));
    EXPECT_TRUE(folder.has_identity().value());
    EXPECT_EQ(mode_of(scratch / "keys"), 0700U);
    EXPECT_EQ(mode_of(scratch / "keys/identity.json"), 0600U);

    const auto loaded = folder.load(name("a.test"), rules);
    ASSERT_TRUE(loaded) << loaded.error().detail;
    EXPECT_EQ(loaded->current.seed(), identity.current.seed());
    EXPECT_EQ(loaded->from, identity.from);
    EXPECT_EQ(loaded->recovery, identity.recovery);
    EXPECT_EQ(loaded->statements, identity.statements);
    ASSERT_EQ(loaded->old_keys.size(), 1U);
    EXPECT_EQ(loaded->old_keys[0].key, identity.old_keys[0].key);
    EXPECT_EQ(loaded->old_keys[0].from, 1);
    EXPECT_EQ(loaded->old_keys[0].until, 2);
    EXPECT_EQ(loaded->old_keys[0].revoked_at, 3);
}

TEST(KeyFolder, SecretsOfOldKeysComeBackToo)
{
    auto identity = make_identity();
    protocol::SystemRandom random;
    const auto kept = protocol::SigningKey::generate(random);
    identity.old_keys.push_back({kept.public_key(), 3, 4, 0});
    identity.old_secrets.push_back(kept);
    const auto read = read_identity(write_identity(identity), rules);
    ASSERT_TRUE(read) << read.error().detail;
    ASSERT_NE(read->secret_of(kept.id()), nullptr);
    EXPECT_EQ(read->secret_of(kept.id())->seed(), kept.seed());
    EXPECT_EQ(read->secret_of(identity.current.id())->seed(), identity.current.seed());
    EXPECT_EQ(read->secret_of(identity.old_keys[0].key.thumbprint()), nullptr);
    EXPECT_EQ(write_identity(*read), write_identity(identity));
}

// As version 0.1 wrote it, before keys could be rotated.
std::string in_the_first_form(const Identity& identity)
{
    const auto& old = identity.old_keys[0];
    return "{\n  \"server\": \"a.test\",\n  \"current\": {\"kid\": \"" +
           identity.current.id().str() + "\", \"x\": \"" + identity.current.public_key().x() +
           "\", \"seed\": \"" + protocol::to_base64url(identity.current.seed()) +
           "\", \"from\": 1763683200000},\n  \"recovery\": {\"x\": \"" + identity.recovery.x() +
           "\"},\n  \"old_keys\": [{\"x\": \"" + old.key.x() +
           "\", \"from\": 1, \"until\": 2, \"revoked_at\": 3}],\n"
           "  \"statements\": [\"a.b.c\", \"d.e.f\"]\n}\n";
}

TEST(KeyFolder, AFileOfTheFirstFormIsReadAndUpgraded)
{
    const ScratchFolder scratch;
    const KeyFolder folder(scratch / "keys");
    const auto identity = make_identity();
    ASSERT_TRUE(folder.create(identity));
    const auto file = scratch / "keys/identity.json";
    const auto text_of = [&] { return read_private_file(file, 1 << 20).value(); };
    const auto now = text_of();
    write_over(file, in_the_first_form(identity));
    const auto loaded = folder.load(name("a.test"), rules);
    ASSERT_TRUE(loaded) << loaded.error().detail;
    EXPECT_EQ(write_identity(*loaded), now);
    EXPECT_NE(text_of(), now);
    ASSERT_TRUE(folder.upgrade(name("a.test"), rules));
    EXPECT_EQ(text_of(), now);
    ASSERT_TRUE(folder.upgrade(name("a.test"), rules));
    EXPECT_EQ(text_of(), now);
    EXPECT_EQ(mode_of(file), 0600U);
}

TEST(KeyFolder, AFileOfANewerFormIsLeftAlone)
{
    const ScratchFolder scratch;
    const KeyFolder folder(scratch / "keys");
    ASSERT_TRUE(folder.create(make_identity()));
    const auto file = scratch / "keys/identity.json";
    auto text = read_private_file(file, 1 << 20).value();
    text.replace(text.find("\"format\": 2"), 11, "\"format\": 3");
    write_over(file, text);
    EXPECT_EQ(folder.load(name("a.test"), rules).error().code, Code::unsupported);
    EXPECT_TRUE(folder.upgrade(name("a.test"), rules));
    EXPECT_EQ(read_private_file(file, 1 << 20).value(), text);
}

TEST(KeyFolder, OneProgramChangesItAtATime)
{
    const ScratchFolder scratch;
    const KeyFolder folder(scratch / "keys");
    EXPECT_EQ(folder.lock().error().code, Code::not_found);
    ASSERT_TRUE(folder.create(make_identity()));
    {
        const auto held = folder.lock();
        ASSERT_TRUE(held);
        EXPECT_EQ(folder.lock().error().code, Code::conflict);
    }
    EXPECT_TRUE(folder.lock());
}

TEST(KeyFolder, WhatItCouldNotReadAgainIsNotWritten)
{
    const ScratchFolder scratch;
    const KeyFolder folder(scratch / "keys");
    auto identity = make_identity();
    ASSERT_TRUE(folder.create(identity));
    identity.statements.assign(1025, std::string(1024, 's'));
    EXPECT_EQ(folder.replace(identity).error().code, Code::too_large);
    EXPECT_EQ(folder.load(name("a.test"), rules)->statements.size(), 2U);
    identity.statements.resize(1000);
    ASSERT_TRUE(folder.replace(identity));
    EXPECT_EQ(folder.load(name("a.test"), rules)->statements.size(), 1000U);
}

// [LOG-10]
TEST(KeyFolder, KeysAreNeverMadeOverOthers)
{
    const ScratchFolder scratch;
    const KeyFolder folder(scratch / "keys");
    const auto first = make_identity();
    ASSERT_TRUE(folder.create(first));
    EXPECT_EQ(folder.create(make_identity()).error().code, Code::conflict);
    EXPECT_EQ(folder.load(name("a.test"), rules)->current.seed(), first.current.seed());

    const auto second = make_identity();
    ASSERT_TRUE(folder.replace(second));
    EXPECT_EQ(folder.load(name("a.test"), rules)->current.seed(), second.current.seed());
    EXPECT_EQ(mode_of(scratch / "keys/identity.json"), 0600U);
}

TEST(KeyFolder, LooserModesAreRefusedWithTheirRemedy)
{
    const ScratchFolder scratch;
    const KeyFolder folder(scratch / "keys");
    ASSERT_TRUE(folder.create(make_identity()));
    const auto file = scratch / "keys/identity.json";

    for (const mode_t mode : {0610U, 0640U, 0604U, 0666U, 0700U}) {
        ASSERT_EQ(::chmod(file.c_str(), mode), 0);
        const auto refused = folder.load(name("a.test"), rules);
        ASSERT_FALSE(refused) << std::oct << mode;
        EXPECT_EQ(refused.error().code, Code::forbidden);
        EXPECT_NE(refused.error().detail.find("run chmod 0600 " + file), std::string::npos)
            << refused.error().detail;
    }
    ASSERT_EQ(::chmod(file.c_str(), 0400), 0);
    EXPECT_TRUE(folder.load(name("a.test"), rules));

    for (const mode_t mode : {0710U, 0750U, 0701U, 0777U}) {
        ASSERT_EQ(::chmod(folder.path().c_str(), mode), 0);
        const auto refused = folder.load(name("a.test"), rules);
        ASSERT_FALSE(refused) << std::oct << mode;
        EXPECT_NE(refused.error().detail.find("run chmod 0700 " + folder.path()), std::string::npos)
            << refused.error().detail;
    }
}

TEST(KeyFolder, OtherFilesInItAreLookedAtToo)
{
    const ScratchFolder scratch;
    const KeyFolder folder(scratch / "keys");
    ASSERT_TRUE(folder.create(make_identity()));
    write_over(scratch / "keys/backup.json", "x");
    ASSERT_EQ(::chmod((scratch / "keys/backup.json").c_str(), 0644), 0);
    EXPECT_FALSE(folder.check_modes());
    ASSERT_EQ(::chmod((scratch / "keys/backup.json").c_str(), 0600), 0);
    EXPECT_TRUE(folder.check_modes());
}

TEST(KeyFolder, LinksAreRefused)
{
    const ScratchFolder scratch;
    const KeyFolder folder(scratch / "keys");
    ASSERT_TRUE(folder.create(make_identity()));
    std::filesystem::rename(scratch / "keys/identity.json", scratch / "elsewhere.json");
    std::filesystem::create_symlink(scratch / "elsewhere.json", scratch / "keys/identity.json");
    EXPECT_EQ(folder.load(name("a.test"), rules).error().code, Code::forbidden);
    std::filesystem::create_symlink(scratch / "keys", scratch / "linked");
    EXPECT_EQ(KeyFolder(scratch / "linked").check_modes().error().code, Code::forbidden);
}

TEST(KeyFolder, KeysOfAnotherServerAreRefused)
{
    const ScratchFolder scratch;
    const KeyFolder folder(scratch / "keys");
    ASSERT_TRUE(folder.create(make_identity()));
    const auto refused = folder.load(name("b.test"), rules);
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().detail.find("holds the keys of a.test, not of b.test"),
              std::string::npos);
}

TEST(KeyFolder, DamagedFilesAreRefusedAndNeverReplaced)
{
    const ScratchFolder scratch;
    const KeyFolder folder(scratch / "keys");
    const auto identity = make_identity();
    ASSERT_TRUE(folder.create(identity));
    const auto file = scratch / "keys/identity.json";
    const auto whole = write_identity(identity);
    for (std::size_t size = 0; size + 2 < whole.size(); size += 7) {
        write_over(file, whole.substr(0, size));
        EXPECT_EQ(folder.load(name("a.test"), rules).error().code, Code::malformed) << size;
    }
    EXPECT_EQ(folder.create(identity).error().code, Code::conflict);

    // A seed that isn't the key's.
    auto other = make_identity();
    auto text = whole;
    const auto seed = protocol::to_base64url(identity.current.seed());
    text.replace(text.find(seed), seed.size(), protocol::to_base64url(other.current.seed()));
    write_over(file, text);
    EXPECT_EQ(folder.load(name("a.test"), rules).error().code, Code::malformed);
    write_over(file, whole);
    EXPECT_TRUE(folder.load(name("a.test"), rules));
}

TEST(DurableFile, ACrashedAttemptIsInNobodysWay)
{
    const ScratchFolder scratch;
    const auto file = scratch / "f";
    write_over(file + ".new", "half");
    ASSERT_TRUE(write_private_file(file, "whole", IfThere::refuse));
    EXPECT_EQ(*read_private_file(file, 5), "whole");
    EXPECT_EQ(read_private_file(file, 4).error().code, Code::too_large);
    EXPECT_EQ(write_private_file(file, "other", IfThere::refuse).error().code, Code::conflict);
    EXPECT_EQ(*read_private_file(file, 5), "whole");
    ASSERT_TRUE(write_private_file(file, "new", IfThere::replace));
    EXPECT_EQ(*read_private_file(file, 5), "new");
    EXPECT_FALSE(std::filesystem::exists(file + ".new"));
    EXPECT_EQ(read_private_file(scratch / "none", 5).error().code, Code::not_found);
    EXPECT_EQ(read_private_file(scratch / "", 5).error().code, Code::forbidden);
    EXPECT_EQ(write_private_file(scratch / "no/f", "x", IfThere::refuse).error().code,
              Code::internal);
}

}  // namespace
}  // namespace entente::daemon
