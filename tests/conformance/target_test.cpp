// Mistakes in a target's file: each is refused with its line, and says what to write.
#include "conformance/target/target.hpp"

#include <filesystem>
#include <fstream>
#include <string>

#include <gtest/gtest.h>

#include "conformance/sockets/tls.hpp"
#include "conformance/wire/octets.hpp"

namespace entente::conformance {
namespace {

namespace fs = std::filesystem;

class TargetFileTest : public testing::Test {
 protected:
    TargetFileTest()
    {
        fs::create_directories(folder_ / "folder");
        const auto authority = Authority::make("An authority");
        write("authority.pem", authority.own().chain);
        write("authority.key", authority.own().key);
        write("other.key", Authority::make("Another").own().key);
        const auto leaf = authority.issue("a.example");
        write("leaf.pem", leaf.chain);
        write("leaf.key", leaf.key);
    }
    ~TargetFileTest() override { fs::remove_all(folder_); }

    void write(const std::string& name, const std::string& text)
    {
        std::ofstream(folder_ / name) << text;
    }

    // What is said of a right file in which `line` stands in the place of `what`; empty where it is
    // taken.
    std::string fault_with(const std::string& what, const std::string& line)
    {
        std::string text =
            "[target]\n"
            "name = \"a.example\"\n"
            "base = \"https://a.example\"\n"
            "connect = \"127.0.0.1:8448\"\n"
            "ca_file = \"authority.pem\"\n"
            "[peers]\n"
            "listen = \"127.0.0.1:9443\"\n"
            "authority_certificate = \"authority.pem\"\n"
            "authority_key = \"authority.key\"\n"
            "[accounts]\n"
            "client_api = \"https://a.example\"\n"
            "first = { user = \"alice@a.example\", password = \"x\" }\n"
            "second = { user = \"bob@a.example\", password = \"x\" }\n"
            "[hooks]\n"
            "restart = \"true\"\n";
        if (!what.empty()) text.replace(text.find(what), what.size(), line);
        write("t.toml", text);
        return fault_of("t.toml");
    }

    std::string fault_of(const std::string& name)
    {
        try {
            static_cast<void>(read_target((folder_ / name).string()));
            return {};
        } catch (const UsageError& error) {
            std::string told = error.what();
            for (auto at = told.find(folder_.string()); at != std::string::npos;
                 at = told.find(folder_.string()))
                told.erase(at, folder_.string().size() + 1);
            return told;
        }
    }

    const fs::path folder_ = fs::temp_directory_path() / ("target-" + random_uuid());
};

TEST_F(TargetFileTest, ARightOneIsTaken)
{
    EXPECT_EQ(fault_with("", ""), "");
}

TEST_F(TargetFileTest, WhatIsNoFileIsRefused)
{
    EXPECT_EQ(fault_of("folder"), "folder is a folder; name the file in it, as folder/target.toml");
    EXPECT_EQ(fault_of("nowhere.toml"), "nowhere.toml can't be read; `init` writes such a file");
}

TEST_F(TargetFileTest, ATextWithoutQuotesIsSuspected)
{
    const auto fault = fault_with("\"https://a.example\"", "https://a.example");
    EXPECT_TRUE(fault.starts_with("t.toml:3: ")) << fault;
    EXPECT_TRUE(fault.ends_with("; does a text stand without its double quotes?")) << fault;
    EXPECT_EQ(fault_with("\"127.0.0.1:8448\"", "8448"),
              "t.toml:4: target.connect is no text; write it in double quotes");
    // What is quoted isn't suspected of it.
    EXPECT_EQ(fault_with("\"127.0.0.1:8448\"", "\"x").find("double quotes"), std::string::npos);
}

TEST_F(TargetFileTest, AnAuthorityThatIsNoneIsRefused)
{
    EXPECT_EQ(fault_with("\"authority.pem\"", "\"authority.key\""),
              "t.toml:5: target.ca_file names authority.key, which holds no certificate in PEM");
    EXPECT_EQ(fault_with("\"authority.pem\"", "\"folder\""),
              "t.toml:5: target.ca_file names folder, a folder; name a file in it");
    EXPECT_EQ(fault_with("\"authority.pem\"", "\"nowhere\""),
              "t.toml:5: target.ca_file names nowhere, which isn't there");
    EXPECT_EQ(fault_with("authority_key = \"authority.key\"", "authority_key = \"other.key\""),
              "t.toml:9: peers.authority_key names other.key for authority.pem, and the key isn't "
              "that of the authority's certificate; `init` makes a pair of them");
    EXPECT_EQ(
        fault_with("\"authority.pem\"\nauthority_key = \"authority.key\"",
                   "\"leaf.pem\"\nauthority_key = \"leaf.key\""),
        "t.toml:9: peers.authority_key names leaf.key for leaf.pem, and the certificate isn't "
        "an authority's; `init` makes a pair of them");
    EXPECT_EQ(fault_with("authority_key = \"authority.key\"", ""),
              "t.toml:6: peers.authority_key is missing; `init` makes it, beside the file that it "
              "writes");
}

TEST_F(TargetFileTest, AccountsAreTwoOfTheTargets)
{
    EXPECT_EQ(
        fault_with("alice@a.example", "alice@other.test"),
        "t.toml:12: accounts.first is \"alice@other.test\", no account of a.example; write it "
        "as alice@a.example");
    for (const auto* wrong : {"alice", "@a.example", "alice@b@a.example", "alice@xa.example"})
        EXPECT_NE(fault_with("alice@a.example", wrong), "") << wrong;
    EXPECT_EQ(
        fault_with("bob@a.example", "alice@a.example"),
        "t.toml:13: accounts.second is alice@a.example, as accounts.first is; two accounts are "
        "needed");
}

}  // namespace
}  // namespace entente::conformance
