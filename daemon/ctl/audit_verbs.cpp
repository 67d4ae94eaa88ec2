// audit list, export and verify: what administrators have done. verify needs nothing but the
// file: no daemon, no configuration.
#include <algorithm>
#include <fstream>
#include <iostream>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "daemon/ctl/client.hpp"
#include "daemon/ctl/text.hpp"
#include "daemon/ctl/verbs.hpp"
#include "daemon/durable_file.hpp"
#include "trust/audit_chain.hpp"

namespace entente::daemon::ctl {

using nlohmann::json;

namespace {

struct ListOptions {
    std::int64_t last = 50;
};

struct VerifyOptions {
    std::string file, key, since;
};

int list(const Settings& settings, const ListOptions& options)
{
    const auto config = configuration(settings);
    if (!config) return exit_failed;
    auto daemon = Daemon::connect(*config);
    if (!daemon) return failed(daemon.error(), exit_code_of(daemon.error()));
    json entries = json::array();
    const auto wanted = static_cast<std::size_t>(options.last);
    for (std::string target = "/control/v1/audit"; entries.size() < wanted;) {
        auto page = daemon->get(target);
        if (!page) return failed(page.error(), exit_code_of(page.error()));
        for (auto& entry : page->at("entries"))
            if (entries.size() < wanted) entries.push_back(std::move(entry));
        if (!page->value("more", false) || entries.empty()) break;
        target = "/control/v1/audit?before=" +
                 std::to_string(entries.back().value("seq", std::int64_t{0}));
    }
    std::reverse(entries.begin(), entries.end());
    if (settings.json) return show_json({{"entries", std::move(entries)}});
    std::vector<Row> rows{{"ENTRY", "AT", "BY", "ACT", "OBJECT", "DETAILS"}};
    for (const auto& entry : entries) {
        rows.push_back({std::to_string(entry.value("seq", std::int64_t{0})),
                        time_text(entry.value("at", std::int64_t{0})),
                        harmless(entry.value("actor", "")), harmless(entry.value("act", "")),
                        harmless(entry.value("object", "")),
                        harmless(entry.value("details", json::object()).dump())});
    }
    print_table(std::cout, rows);
    return exit_done;
}

// All lines up to the entry that `ends` is signed for.
Result<std::string> exported(Daemon& daemon, const json& ends)
{
    const auto through = ends.value("seq", std::int64_t{0});
    std::string text = ends.value("first", "") + "\n";
    for (std::int64_t after = 0; after < through;) {
        const auto page = daemon.get("/control/v1/audit/lines?after=" + std::to_string(after) +
                                     "&through=" + std::to_string(through));
        if (!page) return fail(page);
        const auto& lines = page->at("lines");
        if (lines.empty())
            return fail(Code::internal, "entry " + std::to_string(after + 1) + " is missing");
        for (const auto& line : lines) text += line.get<std::string>() + "\n";
        after += static_cast<std::int64_t>(lines.size());
    }
    return text + ends.value("last", "") + "\n";
}

int export_log(const Settings& settings, const std::string& file)
{
    const auto config = configuration(settings);
    if (!config) return exit_failed;
    auto daemon = Daemon::connect(*config);
    if (!daemon) return failed(daemon.error(), exit_code_of(daemon.error()));
    const auto ends = daemon->get("/control/v1/audit/head");
    if (!ends) return failed(ends.error(), exit_code_of(ends.error()));
    const auto text = exported(*daemon, *ends);
    if (!text) return failed(text.error(), exit_code_of(text.error()));
    if (auto written = write_private_file(file, *text, IfThere::refuse); !written)
        return failed(written.error());
    const auto seq = ends->value("seq", std::int64_t{0});
    if (settings.json)
        return show_json({{"file", file}, {"seq", seq}, {"hash", ends->value("hash", "")}});
    std::cerr << seq << " entries are in " << file << "; ententctl audit verify reads it\n";
    return exit_done;
}

struct Verdict {
    trust::AuditReader reader;
    std::string hash_at;  // of the entry that was asked for, "" where there is none
    std::optional<Error> problem;
};

// `hash_of`: the entry whose hash is wanted too.
Verdict judge(const std::string& path, std::int64_t hash_of)
{
    Verdict verdict;
    std::ifstream stream(path, std::ios::binary);
    if (!stream) {
        verdict.problem = Error{Code::unavailable, path + " can't be read", {}, 0};
        return verdict;
    }
    for (std::string line; std::getline(stream, line);) {
        auto taken = verdict.reader.take(line);
        if (!taken) {
            verdict.problem = taken.error();
            return verdict;
        }
        if (verdict.reader.head().seq == hash_of) verdict.hash_at = verdict.reader.head().hash;
    }
    if (auto whole = verdict.reader.finish(); !whole) verdict.problem = whole.error();
    return verdict;
}

int broken(const Settings& settings, const Verdict& verdict)
{
    const auto& detail = verdict.problem->detail;
    const bool is_read = verdict.problem->code != Code::unavailable;
    if (settings.json) {
        json shown{{"result", is_read ? "broken" : "unread"}, {"detail", detail}};
        if (is_read) shown["seq"] = verdict.reader.broken_at();
        show_json(shown);
    } else {
        std::cout << (is_read ? "BROKEN: " : "") << harmless(detail) << "\n";
    }
    return exit_failed;
}

int refuse_verdict(const Settings& settings, const std::string& detail)
{
    if (settings.json)
        show_json({{"result", "broken"}, {"detail", detail}});
    else
        std::cout << "BROKEN: " << harmless(detail) << "\n";
    return exit_failed;
}

// What the earlier file has must stand in the later one.
std::string fault_since(const Verdict& earlier, const Verdict& later)
{
    const auto& head = earlier.reader.head();
    if (earlier.reader.server() != later.reader.server()) return "the files are of two servers";
    if (head.seq == 0 || later.hash_at == head.hash) return {};
    if (later.reader.head().seq < head.seq)
        return "the earlier file has " + std::to_string(head.seq) + " entries, this one " +
               std::to_string(later.reader.head().seq) + ": the end was cut off";
    return "entry " + std::to_string(head.seq) +
           " or one before it is another than in the earlier file";
}

int verify(const Settings& settings, const VerifyOptions& options)
{
    Verdict earlier;
    if (!options.since.empty()) {
        earlier = judge(options.since, 0);
        if (earlier.problem) return broken(settings, earlier);
    }
    const auto verdict = judge(options.file, earlier.reader.head().seq);
    if (verdict.problem) return broken(settings, verdict);
    const auto& reader = verdict.reader;
    const auto& signature = *reader.signature();
    if (!options.key.empty() && signature.key.key.str() != options.key)
        return refuse_verdict(settings,
                              "the end is signed by another key: " + signature.key.key.str());
    if (!options.since.empty()) {
        if (const auto fault = fault_since(earlier, verdict); !fault.empty())
            return refuse_verdict(settings, fault);
    }
    const bool is_given = !options.key.empty();
    if (settings.json)
        return show_json({{"result", "whole"},
                          {"server", reader.server().str()},
                          {"seq", reader.head().seq},
                          {"hash", reader.head().hash},
                          {"key", signature.key.key.str()},
                          {"key_known_by", is_given ? "server-key" : "file"},
                          {"at", signature.at}});
    std::cout << "WHOLE: " << reader.head().seq << " entries of " << reader.server().str()
              << ", signed at " << time_text(signature.at) << " by its clock\n  key "
              << signature.key.key.str() << ", "
              << (is_given ? "the key you gave"
                           : "of which this file alone says that it is that server's")
              << "\n";
    return exit_done;
}

}  // namespace

void add_audit_verbs(Verbs& verbs)
{
    auto& audit = verbs.group("audit", "What administrators have done");
    const auto listed = std::make_shared<ListOptions>();
    verbs
        .add(audit, "list", "The newest entries",
             [listed](const Settings& settings) { return list(settings, *listed); })
        .add_option("--last", listed->last, "How many")
        ->check(CLI::Range(1, 100'000))
        ->capture_default_str();

    const auto file = std::make_shared<std::string>();
    verbs
        .add(audit, "export", "The whole log, its end signed by this server",
             [file](const Settings& settings) { return export_log(settings, *file); })
        .add_option("FILE", *file, "A new 0600 file")
        ->required();

    const auto options = std::make_shared<VerifyOptions>();
    auto& judging =
        verbs.add(audit, "verify", "Judges an exported log, with nothing but the file",
                  [options](const Settings& settings) { return verify(settings, *options); });
    judging.add_option("FILE", options->file, "What ententctl audit export has made")->required();
    judging
        .add_option("--server-key", options->key, "The key id that you know to be that server's")
        ->type_name("KID");
    judging
        .add_option("--since", options->since,
                    "An earlier export, which this one has to go on from")
        ->type_name("EARLIER");
    judging.footer("Exit code: 0 whole, 1 not, 2 usage.");
}

}  // namespace entente::daemon::ctl
