// /metrics of a running server: as the reference has it, as the dashboard asks it, and counting.
#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <set>

#include "tests/e2e/support/world_test.hpp"

namespace entente::e2e {
namespace {

std::string file_text(const std::string& path)
{
    std::ifstream file(std::string(ENTENTE_ROOT) + "/" + path, std::ios::binary);
    EXPECT_TRUE(file.good()) << path;
    return {std::istreambuf_iterator<char>(file), {}};
}

class MetricsOfAServer : public WorldTest {
 protected:
    std::string scrape(const std::string& server) { return node(server).get("/metrics").body; }

    // Families with their types.
    static std::map<std::string, std::string> families(const std::string& text)
    {
        std::map<std::string, std::string> found;
        std::istringstream lines(text);
        for (std::string line; std::getline(lines, line);) {
            if (!line.starts_with("# TYPE ")) continue;
            const auto space = line.find(' ', 7);
            found[line.substr(7, space - 7)] = line.substr(space + 1);
        }
        return found;
    }
    static double value_of(const std::string& text, const std::string& series)
    {
        const auto at = text.find("\n" + series + " ");
        if (at == std::string::npos) return -1;
        return std::stod(text.substr(at + series.size() + 2));
    }
    double value(const std::string& server, const std::string& series)
    {
        return value_of(scrape(server), series);
    }
};

TEST_F(MetricsOfAServer, AreThoseOfTheReference)
{
    open({"a.test"});
    const auto text = scrape("a.test");
    std::map<std::string, std::string> documented;
    std::set<std::string> labels;
    std::istringstream reference(file_text("docs/reference/metrics.md"));
    const std::regex row(R"(\| `(entente_[a-z_]+)` \| ([a-z]+) \| ([^|]*)\|.*)");
    for (std::string line; std::getline(reference, line);) {
        std::smatch found;
        if (!std::regex_match(line, found, row)) continue;
        documented[found[1]] = found[2];
        const std::string names = found[3];
        const std::regex label("(^|, )`([a-z]+)`");
        for (std::sregex_iterator at(names.begin(), names.end(), label), end; at != end; ++at)
            labels.insert((*at)[2]);
    }
    EXPECT_EQ(families(text), documented);
    // No other label, such as one of a peer.
    const std::regex label("([a-z]+)=\"");
    for (std::sregex_iterator at(text.begin(), text.end(), label), end; at != end; ++at)
        EXPECT_TRUE((*at)[1] == "le" || labels.contains((*at)[1])) << (*at)[1];
}

TEST_F(MetricsOfAServer, AreAllThatTheDashboardAsksFor)
{
    open({"a.test"});
    const auto known = families(scrape("a.test"));
    std::set<std::string> asked;
    const auto dashboard = file_text("etc/grafana/entente.json");
    EXPECT_TRUE(json::parse(dashboard).contains("panels"));
    const std::regex name("entente_[a-z_]+");
    for (std::sregex_iterator at(dashboard.begin(), dashboard.end(), name), end; at != end; ++at) {
        auto family = at->str();
        for (const auto* suffix : {"_bucket", "_sum", "_count"}) {
            const auto length = std::string_view(suffix).size();
            if (!family.ends_with(suffix)) continue;
            family.resize(family.size() - length);
            EXPECT_EQ(known.contains(family) ? known.at(family) : "", "histogram") << *at->begin();
        }
        EXPECT_TRUE(known.contains(family)) << family;
        asked.insert(family);
    }
    // And it shows all that there is.
    for (const auto& [family, type] : known) EXPECT_TRUE(asked.contains(family)) << family;
}

TEST_F(MetricsOfAServer, CountWhatOtherServersSend)
{
    open({"a.test", "b.test"});
    auto alice = person("a.test", "alice");
    auto bob = person("b.test", "bob");
    const auto channel = shared_channel(alice, {&bob});
    const auto accepted = "entente_inbox_events_total{verdict=\"accepted\"}";
    const auto before = value("a.test", accepted);
    bob.post(channel, "hello");
    wait_until("it is counted", [&] { return value("a.test", accepted) == before + 1; });
    const auto text = scrape("a.test");
    for (const auto* series :
         {"entente_gate_seconds_count", "entente_inbox_seconds_count{stage=\"read\"}",
          "entente_inbox_seconds_count{stage=\"verify\"}",
          "entente_inbox_seconds_count{stage=\"commit\"}", "entente_commit_seconds_count",
          "entente_storage_octets{file=\"database\"}", "entente_storage_octets{file=\"window\"}",
          "entente_window_files", "entente_window_keys", "entente_window_unwritten_octets",
          "entente_disk_free_octets", "entente_last_called_seconds"})
        EXPECT_GT(value_of(text, series), 0) << series;
    EXPECT_NEAR(value_of(text, "entente_commit_seconds_count"),
                value_of(text, "entente_commits_total"), 1);
    EXPECT_EQ(value_of(text, "entente_ready"), 1);
}

TEST_F(MetricsOfAServer, CountRefusedRequestsByTheirCode)
{
    open({"a.test"});
    const auto series = "entente_gate_refused_total{code=\"signature-incomplete\"}";
    EXPECT_EQ(value("a.test", series), 0);
    EXPECT_EQ(node("a.test").get("/federation/v1/directory").status(), 401);
    EXPECT_EQ(value("a.test", series), 1);
    EXPECT_EQ(value("a.test", "entente_gate_seconds_count"), 1);
}

TEST_F(MetricsOfAServer, ShowALinkThatWaits)
{
    open({"a.test", "b.test"});
    auto alice = person("a.test", "alice");
    auto bob = person("b.test", "bob");
    const auto channel = shared_channel(alice, {&bob});
    const auto waiting = "entente_peer_links{state=\"waiting\"}";
    node("b.test").kill9();
    alice.post(channel, "unheard");
    wait_until("the link waits", [&] { return value("a.test", waiting) == 1; });
    node("b.test").start();
    wait_until("no link is left", [&] {
        const auto text = scrape("a.test");
        return value_of(text, waiting) == 0 &&
               value_of(text, "entente_peer_links{state=\"working\"}") == 0;
    });
}

}  // namespace
}  // namespace entente::e2e
