// Where the forms of a report go: files that the command line names, and lines for a terminal.
#include <array>
#include <filesystem>
#include <fstream>
#include <set>
#include <stdexcept>
#include <utility>

#include "conformance/report/members.hpp"
#include "conformance/report/report.hpp"
#include "conformance/report/visible.hpp"
#include "conformance/report/words.hpp"

namespace entente::conformance {

namespace {

constexpr std::array<std::pair<std::string_view, OutputKind>, 4> output_kinds = {
    {{"json", OutputKind::json},
     {"junit", OutputKind::junit},
     {"tap", OutputKind::tap},
     {"html", OutputKind::html}}};

Output output_of(const std::string& written)
{
    const auto equals = written.find('=');
    for (const auto& [name, kind] : output_kinds)
        if (equals != std::string::npos && written.substr(0, equals) == name &&
            equals + 1 < written.size())
            return {kind, written.substr(equals + 1)};
    throw UsageError("--out " + visible(written) +
                     ": write json=FILE, junit=FILE, tap=FILE or html=FILE");
}

// For who opens the file: what it comes to stands before the cases.
std::string json_of(const nlohmann::json& report)
{
    nlohmann::ordered_json ordered;
    for (const auto* name : {"report", "format", "runner", "specification", "target", "run",
                             "options", "exit", "counts", "graded"})
        if (report.contains(name)) ordered[name] = report[name];
    for (const auto& [name, value] : report.items()) ordered[name] = value;
    return ordered.dump(1) + "\n";
}

std::string form_of(OutputKind kind, const nlohmann::json& report)
{
    switch (kind) {
        case OutputKind::json: return json_of(report);
        case OutputKind::junit: return junit_of(report);
        case OutputKind::tap: return tap_of(report);
        case OutputKind::html: return html_of(report);
    }
    return {};
}

}  // namespace

std::vector<Output> parse_outputs(const std::vector<std::string>& written)
{
    std::vector<Output> outputs;
    std::set<std::string> files;
    for (const auto& one : written) {
        outputs.push_back(output_of(one));
        if (!files.insert(outputs.back().file).second)
            throw UsageError("--out " + visible(one) + ": the file is named twice");
        // A run of minutes shouldn't end in a report that has no place.
        const auto folder = std::filesystem::path(outputs.back().file).parent_path();
        if (!folder.empty() && !std::filesystem::is_directory(folder))
            throw UsageError("--out " + visible(one) + ": there is no such folder");
    }
    return outputs;
}

void write_output(const Output& output, const nlohmann::json& report)
{
    std::ofstream file(output.file, std::ios::binary | std::ios::trunc);
    file << form_of(output.kind, report);
    if (!file.flush()) throw UsageError(output.file + " can't be written");
}

std::string summary_of(const nlohmann::json& report)
{
    std::string counts;
    for (const auto state : all_states) {
        const auto count =
            number_of(member_of(report, "counts"), std::string(name_of(state)).c_str());
        if (count == 0) continue;
        counts += (counts.empty() ? "" : ", ") + std::to_string(count) + " " +
                  std::string(name_of(state));
    }
    const auto& exit = member_of(report, "exit");
    auto text = visible(text_of(member_of(report, "target"), "name")) + ": " +
                (counts.empty() ? "no case" : counts) + "; " +
                std::to_string(number_of(report, "graded")) + " graded\nexit " +
                std::to_string(number_of(exit, "code")) + ": " + visible(text_of(exit, "meaning"));
    for (const auto& step : list_of(exit, "next"))
        if (step.is_string()) text += "\n- " + visible(step.get<std::string>());
    return text + "\nrun " + visible(text_of(member_of(report, "run"), "id")) +
           ", its report signed by key " +
           visible(text_of(member_of(member_of(report, "signature"), "key"), "kid"));
}

}  // namespace entente::conformance
