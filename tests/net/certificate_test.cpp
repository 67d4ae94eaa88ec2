#include <fstream>
#include <sstream>

#include <sys/stat.h>

#include "tests/net/support.hpp"

namespace entente::net::test {
namespace {

std::string read_file(const std::string& file)
{
    std::ifstream stream(file);
    std::ostringstream text;
    text << stream.rdbuf();
    return text.str();
}

TEST(SelfSigned, IsWrittenForItsOwnerOnlyAndReplaced)
{
    const Folder folder;
    const auto certificate = folder.file("c.pem"), key = folder.file("k.pem");
    ASSERT_TRUE(make_self_signed(certificate, key, {"a.test", "127.0.0.1", "::1"}, 30));
    struct stat seen{};
    ASSERT_EQ(::stat(key.c_str(), &seen), 0);
    EXPECT_EQ(seen.st_mode & 0777, 0600U);
    const auto before = read_file(certificate);
    ASSERT_TRUE(make_self_signed(certificate, key, {"a.test"}, 30));
    EXPECT_NE(read_file(certificate), before);
    EXPECT_NE(::stat((key + ".new").c_str(), &seen), 0);
    EXPECT_TRUE(TlsServerContext::load(certificate, key));
}

TEST(SelfSigned, RefusesNamesThatAreNone)
{
    const Folder folder;
    for (const auto& names : std::vector<std::vector<std::string>>{
             {}, {""}, {"a.test,DNS:b.test"}, {"a test"}, {"a.test", "email:x"}}) {
        EXPECT_FALSE(make_self_signed(folder.file("c"), folder.file("k"), names, 30));
    }
    EXPECT_FALSE(make_self_signed(folder.file("none/c"), folder.file("none/k"), {"a.test"}, 30));
}

TEST(TlsServerContext, SaysWhichFileIsWrong)
{
    const Folder folder;
    const auto& good = shared_certificate();
    const auto absent = TlsServerContext::load(folder.file("absent.pem"), good.key);
    ASSERT_FALSE(absent);
    EXPECT_NE(absent.error().hint.find("absent.pem"), std::string::npos);

    ASSERT_TRUE(make_self_signed(folder.file("c.pem"), folder.file("k.pem"), {"c.test"}, 30));
    const auto mixed = TlsServerContext::load(good.certificate, folder.file("k.pem"));
    ASSERT_FALSE(mixed);
    EXPECT_NE(mixed.error().hint.find("k.pem"), std::string::npos);
}

TEST(TlsServerContext, KeepsTheOldCertificateWhenTheNewCantBeRead)
{
    const Folder folder;
    const auto certificate = folder.file("c.pem"), key = folder.file("k.pem");
    ASSERT_TRUE(make_self_signed(certificate, key, {"a.test"}, 10));
    const auto context = TlsServerContext::load(certificate, key);
    ASSERT_TRUE(context);
    const auto before = (*context)->not_after();
    const auto ten_days = protocol::SystemClock().now_ms() + 10 * 86'400'000LL;
    EXPECT_NEAR(static_cast<double>(before), static_cast<double>(ten_days), 60'000.0);

    std::ofstream(certificate) << "nonsense";
    EXPECT_FALSE((*context)->reload());
    EXPECT_EQ((*context)->not_after(), before);

    ASSERT_TRUE(make_self_signed(certificate, key, {"a.test"}, 20));
    EXPECT_TRUE((*context)->reload());
    EXPECT_GT((*context)->not_after(), before);
}

}  // namespace
}  // namespace entente::net::test
