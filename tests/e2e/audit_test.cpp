// The audit log of a running server: what an operator does is in it, and an export proves it
// to whoever has the file.
#include <filesystem>
#include <fstream>
#include <iterator>

#include "storage/sqlite/database.hpp"
#include "tests/e2e/support/control.hpp"
#include "tests/e2e/support/world_test.hpp"

namespace entente::e2e {
namespace {

class Audit : public WorldTest {
 protected:
    static std::string read_file(const std::string& path)
    {
        std::ifstream file(path, std::ios::binary);
        return {std::istreambuf_iterator<char>(file), {}};
    }
    static void write_file(const std::string& path, const std::string& text)
    {
        std::ofstream(path, std::ios::binary) << text;
    }
    std::string path(const std::string& name) { return world().folder() + "/" + name; }
    std::string exported(const std::string& name)
    {
        const auto told = control(node("a.test"), {"audit", "export", path(name)});
        EXPECT_EQ(told.exit_code, 0) << told.output;
        return path(name);
    }
    // With no configuration at all: it needs none.
    static Told verify(std::vector<std::string> arguments)
    {
        arguments.insert(arguments.begin(), {"ententctl", "audit", "verify", "--json"});
        auto finished = run_program(arguments);
        return {finished.exit_code, json::parse(finished.output, nullptr, false), finished.output};
    }
    static void ask_for_a_move(const Node& a)
    {
        const auto channel = new_uuid() + "@a.test";
        EXPECT_EQ(
            control(a, {"channel", "move", channel, "b.test", "--as", "admin@a.test"}).exit_code,
            1);
    }
};

TEST_F(Audit, AnExportIsJudgedWithNothingButTheFile)
{
    open({"a.test"});
    auto& a = node("a.test");
    ask_for_a_move(a);
    ask_for_a_move(a);
    const auto listed = control(a, {"audit", "list"});
    ASSERT_EQ(listed.json.at("entries").size(), 3U) << listed.output;
    const auto& first = listed.json.at("entries").at(0);
    EXPECT_EQ(first.at("seq"), 1);
    EXPECT_EQ(first.at("act"), "server.setup");
    EXPECT_EQ(first.at("actor"), "operator");
    EXPECT_EQ(listed.json.at("entries").at(1).at("act"), "channel.move");
    EXPECT_EQ(listed.json.at("entries").at(1).at("details").at("home"), "b.test");
    EXPECT_EQ(control(a, {"audit", "list", "--last", "1"}).json.at("entries").at(0).at("seq"), 3);

    const auto early = exported("early");
    ask_for_a_move(a);
    const auto late = exported("late");
    EXPECT_EQ(control(a, {"audit", "export", late}).exit_code, 1) << "a file that is there stays";
    const auto kid = control(a, {"identity", "show"}).json.at("keys").at(0).at("kid");
    a.kill9();
    std::filesystem::remove_all(a.folder());

    auto told = verify({late, "--server-key=" + kid.get<std::string>(), "--since", early});
    EXPECT_EQ(told.exit_code, 0) << told.output;
    EXPECT_EQ(told.json.at("result"), "whole");
    EXPECT_EQ(told.json.at("seq"), 4);
    EXPECT_EQ(told.json.at("key_known_by"), "server-key");
    EXPECT_EQ(verify({early}).json.at("key_known_by"), "file");
    EXPECT_EQ(verify({late, "--server-key=other"}).exit_code, 1);
    told = verify({early, "--since", late});
    EXPECT_EQ(told.exit_code, 1);
    EXPECT_EQ(told.json.at("detail"),
              "the earlier file has 4 entries, this one 3: the end was cut off");

    const auto text = read_file(late);
    auto changed = text;
    changed.replace(changed.rfind("b.test"), 6, "c.test");
    write_file(late, changed);
    told = verify({late});
    EXPECT_EQ(told.exit_code, 1);
    EXPECT_EQ(told.json.at("seq"), 4) << told.output;
    auto cut = text;
    const auto third = cut.find("{\"seq\":3");
    cut.erase(third, cut.find('\n', third) + 1 - third);
    write_file(late, cut);
    told = verify({late});
    EXPECT_EQ(told.exit_code, 1);
    EXPECT_EQ(told.json.at("seq"), 3) << told.output;
    EXPECT_EQ(verify({"/nowhere"}).exit_code, 1);
}

// Who can write to the database can make a log that is whole; an export of before shows it.
TEST_F(Audit, ALogThatWasMadeAnewDoesntGoOnFromAnEarlierExport)
{
    open({"a.test"});
    auto& a = node("a.test");
    ask_for_a_move(a);
    ask_for_a_move(a);
    const auto before = exported("before");
    a.terminate();
    {
        auto database = storage::make_sqlite_database(a.folder() + "/data/entente.sqlite");
        auto db = database->open_writer();
        ASSERT_TRUE(db);
        ASSERT_TRUE((*db)->execute("DROP TRIGGER audit_is_kept; DELETE FROM audit WHERE seq > 1"));
    }
    a.start();
    ask_for_a_move(a);
    ask_for_a_move(a);
    const auto after = exported("after");
    EXPECT_EQ(verify({after}).exit_code, 0);
    const auto told = verify({after, "--since", before});
    EXPECT_EQ(told.exit_code, 1);
    EXPECT_EQ(told.json.at("detail"),
              "entry 3 or one before it is another than in the earlier file");
}

}  // namespace
}  // namespace entente::e2e
