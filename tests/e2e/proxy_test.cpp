// A server behind a proxy that was started with the snippet that etc/proxy ships: people, their
// WebSockets and other servers come through it.
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/e2e/support/control.hpp"
#include "tests/e2e/support/world_test.hpp"

namespace entente::e2e {
namespace {

std::string text_of_file(const std::string& path)
{
    std::ifstream file(path, std::ios::binary);
    EXPECT_TRUE(file.good()) << path;
    return {std::istreambuf_iterator<char>(file), {}};
}

// Each must be there: a snippet that has changed would else be tested as it is not.
void replace(std::string& text, const std::string& what, const std::string& by)
{
    auto at = text.find(what);
    ASSERT_NE(at, std::string::npos) << what;
    for (; at != std::string::npos; at = text.find(what, at + by.size()))
        text.replace(at, what.size(), by);
}

// A program of the system's, until this goes.
class Running {
 public:
    Running(const std::vector<std::string>& words, const std::string& log,
            const std::string& folder)
    {
        pid_ = ::fork();
        if (pid_ != 0) return;
        ::prctl(PR_SET_PDEATHSIG, SIGTERM);
        const int out = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
        ::dup2(out, STDOUT_FILENO);
        ::dup2(out, STDERR_FILENO);
        ::setenv("HOME", folder.c_str(), 1);
        std::vector<char*> argv;
        for (const auto& word : words) argv.push_back(const_cast<char*>(word.c_str()));
        argv.push_back(nullptr);
        ::execv(argv.front(), argv.data());
        ::_exit(127);
    }
    ~Running()
    {
        ::kill(pid_, SIGTERM);
        ::waitpid(pid_, nullptr, 0);
    }
    Running(const Running&) = delete;
    Running& operator=(const Running&) = delete;

 private:
    pid_t pid_ = -1;
};

class BehindAProxy : public WorldTest {
 protected:
    // False, with a word to the test's runner, where it isn't installed.
    static bool is_there(const std::string& program)
    {
        if (::access(program.c_str(), X_OK) == 0) return true;
        if (std::getenv("CI") != nullptr) ADD_FAILURE() << program << " is missing";
        return false;
    }

    // a.test listens on another port without TLS, as the sample says it; the proxy has its own.
    void set_up_behind()
    {
        set_up({"a.test", "b.test"}, {}, "", Tuning::brisk);
        auto& a = node("a.test");
        auto config = text_of_file(a.config_file());
        replace(config, "127.0.0.1:" + std::to_string(a.port()),
                "127.0.0.1:" + std::to_string(inner_.number()));
        replace(config, "certificate = \"" + world().certificate("a.test") + "\"",
                "trusted_proxies = [\"127.0.0.1/32\"]");
        replace(config, "key = \"" + world().key("a.test") + "\"\n", "");
        std::ofstream(a.config_file()) << config;
        folder_ = world().folder() + "/proxy";
        std::filesystem::create_directory(folder_);
    }

    void expect_all_of_it_works()
    {
        world().start_all();
        auto alice = person("a.test", "alice");
        auto bob = person("b.test", "bob");
        const auto channel = shared_channel(alice, {&bob}, {{"history", "all"}});
        // Signed transactions in both directions, through it and from behind it.
        alice.post(channel, "from behind");
        bob.post(channel, "from outside");
        wait_until("both have both", [&] {
            return alice.texts(channel).size() == 2 && bob.texts(channel).size() == 2;
        });
        auto live = alice.open_socket();
        live.send({{"ping", true}});
        live.read_until("pong");
        // A signed query with a path that has escapes, and a body as large as a proxy would buffer.
        EXPECT_EQ(control(node("b.test"), {"peer", "verify", "a.test"}).exit_code, 0);
        for (int i = 0; i < 40; ++i) bob.post(channel, std::string(30'000, 'x'));
        wait_until("a large transaction has come",
                   [&] { return alice.texts(channel).size() == 42; });
        EXPECT_EQ(node("a.test").get("/.well-known/entente").status(), 200);
    }

    // What a client says of itself must not count: ententd would take it from its proxy.
    void expect_the_source_is_the_proxys_word()
    {
        const auto status = [&](const std::string& source, const std::string& claimed) {
            auto socket = node("a.test").connect(source);
            const std::string body =
                R"({"name":"alice","password":"wrong","device":{"id":")" + new_uuid() +
                R"(","key":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",)" + R"("name":"x"}})";
            socket.write(write_request(
                "POST", "/api/v1/auth/login", "a.test",
                {{"Content-Type", "application/json"}, {"Forwarded", "for=" + claimed}}, body));
            std::string buffer;
            const auto answer = read_message(socket, buffer, Milliseconds(10'000));
            return answer ? answer->status() : 0;
        };
        int tries = 0;
        while (status("127.0.0.7", "198.51.100." + std::to_string(tries)) != 429 && tries < 200)
            ++tries;
        EXPECT_LT(tries, 200) << "what is claimed counts as the source";
        EXPECT_NE(status("127.0.0.8", "198.51.100.1"), 429) << "all come from one source";
    }

    [[nodiscard]] std::string port() { return std::to_string(node("a.test").port()); }

    ReservedPort inner_;
    std::string folder_;
};

TEST_F(BehindAProxy, NginxWithTheShippedSnippet)
{
    if (!is_there("/usr/sbin/nginx")) GTEST_SKIP() << "nginx (nginx-light) is not installed";
    set_up_behind();
    auto snippet = text_of_file(std::string(ENTENTE_ROOT) + "/etc/proxy/entente.nginx.conf");
    replace(snippet, "/etc/letsencrypt/live/a.example/fullchain.pem",
            world().certificate("a.test"));
    replace(snippet, "/etc/letsencrypt/live/a.example/privkey.pem", world().key("a.test"));
    replace(snippet, "server_name a.example", "server_name a.test");
    replace(snippet, "127.0.0.1:8080", "127.0.0.1:" + std::to_string(inner_.number()));
    replace(snippet, "    listen [::]:443 ssl http2;\n", "");
    replace(snippet, "listen 443", "listen 127.0.0.1:" + port());
    const auto file = folder_ + "/nginx.conf";
    std::ofstream(file) << (::geteuid() == 0 ? "user root;\n" : "") << "daemon off;\npid "
                        << folder_ << "/pid;\nerror_log stderr;\n"
                        << "events {}\nhttp {\naccess_log off;\n"
                        << "client_body_temp_path " << folder_ << "/body;\nproxy_temp_path "
                        << folder_ << "/answers;\nfastcgi_temp_path " << folder_
                        << "/f;\nuwsgi_temp_path " << folder_ << "/u;\nscgi_temp_path " << folder_
                        << "/s;\n"
                        << snippet << "}\n";
    const Running nginx({"/usr/sbin/nginx", "-e", "stderr", "-c", file, "-p", folder_},
                        folder_ + "/log", folder_);
    expect_all_of_it_works();
    expect_the_source_is_the_proxys_word();
    if (HasFailure()) std::cerr << text_of_file(folder_ + "/log");
}

TEST_F(BehindAProxy, CaddyWithTheShippedSnippet)
{
    if (!is_there("/usr/bin/caddy")) GTEST_SKIP() << "caddy is not installed";
    set_up_behind();
    auto snippet = text_of_file(std::string(ENTENTE_ROOT) + "/etc/proxy/entente.Caddyfile");
    replace(snippet, "\na.example {\n",
            "\nhttps://a.test:" + port() + " {\n\tbind 127.0.0.1\n\ttls " +
                world().certificate("a.test") + " " + world().key("a.test") + "\n");
    replace(snippet, "127.0.0.1:8080", "127.0.0.1:" + std::to_string(inner_.number()));
    const auto file = folder_ + "/Caddyfile";
    std::ofstream(file)
        << "{\n\tadmin off\n\tauto_https disable_redirects\n\tskip_install_trust\n}\n"
        << snippet;
    const Running caddy({"/usr/bin/caddy", "run", "--adapter", "caddyfile", "--config", file},
                        folder_ + "/log", folder_);
    expect_all_of_it_works();
    expect_the_source_is_the_proxys_word();
    if (HasFailure()) std::cerr << text_of_file(folder_ + "/log");
}

}  // namespace
}  // namespace entente::e2e
