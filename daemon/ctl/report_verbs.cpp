// report: what users and other servers have reported.
#include <iostream>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "daemon/ctl/client.hpp"
#include "daemon/ctl/text.hpp"
#include "daemon/ctl/verbs.hpp"
#include "daemon/durable_file.hpp"

namespace entente::daemon::ctl {

using nlohmann::json;

namespace {

struct ReportOptions {
    std::int64_t id = 0;
    std::string verdict, reason, file;
    bool closed = false;
    bool without_content = false;
};

std::string report_path(const ReportOptions& options)
{
    return "/control/v1/reports/" + std::to_string(options.id);
}

std::string note_text(const json& report)
{
    std::string text;
    if (report.value("proven", false)) text += "proven ";
    if (report.contains("sent_at")) text += "sent ";
    text += report.value("verdict", "");
    if (report.contains("counts_against"))
        text += ", counts against " + report.value("counts_against", "");
    return text;
}

void print_reports(const json& reports)
{
    std::vector<Row> rows{{"ID", "AT", "USER", "BY", "EVENT", "REASON", "NOTE"}};
    for (const auto& report : reports)
        rows.push_back({report.value("id", ""), time_text(report.value("at", std::int64_t{0})),
                        harmless(report.value("user", "")), harmless(report.value("from", "")),
                        harmless(report.value("event", "")), harmless(report.value("reason", "")),
                        note_text(report)});
    print_table(std::cout, rows);
}

int list(const Settings& settings, const ReportOptions& options)
{
    const auto config = configuration(settings);
    if (!config) return exit_failed;
    auto daemon = Daemon::connect(*config);
    if (!daemon) return failed(daemon.error(), exit_code_of(daemon.error()));
    const auto found = daemon->get_all(
        options.closed ? "/control/v1/closed-reports" : "/control/v1/reports", "reports", "id");
    if (!found) return failed(found.error(), exit_code_of(found.error()));
    if (settings.json) return show_json(*found);
    print_reports(found->at("reports"));
    return exit_done;
}

int act(const Settings& settings, const std::string& target)
{
    const auto config = configuration(settings);
    if (!config) return exit_failed;
    auto daemon = Daemon::connect(*config);
    if (!daemon) return failed(daemon.error(), exit_code_of(daemon.error()));
    const auto report = daemon->post(target);
    if (!report) return failed(report.error(), exit_code_of(report.error()));
    if (settings.json) return show_json(*report);
    print_reports(json::array({*report}));
    return exit_done;
}

int save_proof(const Settings& settings, const ReportOptions& options)
{
    const auto config = configuration(settings);
    if (!config) return exit_failed;
    auto daemon = Daemon::connect(*config);
    if (!daemon) return failed(daemon.error(), exit_code_of(daemon.error()));
    const auto text = daemon->get_text(report_path(options) + "/proof");
    if (!text) return failed(text.error(), exit_code_of(text.error()));
    if (auto written = write_private_file(options.file, *text, IfThere::refuse); !written)
        return failed(written.error());
    if (settings.json)
        return show_json({{"id", std::to_string(options.id)}, {"file", options.file}});
    std::cerr << "the proof is in " << options.file << "; ententctl verify-proof reads it\n";
    return exit_done;
}

CLI::App& add_id(CLI::App& verb, ReportOptions& options)
{
    verb.add_option("ID", options.id, "As the list shows it")
        ->required()
        ->check(CLI::PositiveNumber);
    return verb;
}

}  // namespace

void add_report_verbs(Verbs& verbs)
{
    auto& report = verbs.group("report", "What users and other servers have reported");
    const auto listed = std::make_shared<ReportOptions>();
    verbs
        .add(report, "list", "Those that are open, the oldest first",
             [listed](const Settings& settings) { return list(settings, *listed); })
        .add_flag("--closed", listed->closed, "Those that are closed, in their place");

    const auto closed = std::make_shared<ReportOptions>();
    auto& closing =
        add_id(verbs.add(report, "close", "Says what came of it",
                         [closed](const Settings& settings) {
                             return act(settings, report_path(*closed) +
                                                      "/close?verdict=" + closed->verdict +
                                                      "&reason=" + query_text(closed->reason));
                         }),
               *closed);
    closing.add_option("VERDICT", closed->verdict, "upheld or dismissed")
        ->required()
        ->check(CLI::IsMember({"upheld", "dismissed"}));
    closing.add_option("--reason", closed->reason, "For the audit log; 1,024 octets at most")
        ->type_name("TEXT");

    const auto sent = std::make_shared<ReportOptions>();
    add_id(verbs.add(report, "send",
                     "Passes it on to the reported user's server, with the proof of what he wrote",
                     [sent](const Settings& settings) {
                         return act(settings, report_path(*sent) + "/send?content=" +
                                                  (sent->without_content ? "false" : "true"));
                     }),
           *sent)
        .add_flag("--without-content", sent->without_content,
                  "Without what was written, and only with its hash");

    const auto saved = std::make_shared<ReportOptions>();
    add_id(verbs.add(report, "proof", "Saves the proof that another server has sent with it",
                     [saved](const Settings& settings) { return save_proof(settings, *saved); }),
           *saved)
        .add_option("FILE", saved->file, "A new 0600 file")
        ->required();
}

}  // namespace entente::daemon::ctl
