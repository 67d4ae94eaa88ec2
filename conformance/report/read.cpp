// A report that comes back from a disk: anything may have happened to it there.
#include <fstream>
#include <set>
#include <stdexcept>
#include <vector>

#include "conformance/report/members.hpp"
#include "conformance/report/report.hpp"
#include "conformance/report/signature.hpp"
#include "conformance/report/visible.hpp"
#include "conformance/report/words.hpp"

namespace entente::conformance {

namespace {

// A report is seven levels deep. Without a bound its dump, which recurses, would run over the
// stack.
constexpr std::size_t max_depth = 16;

// Refuses depth, and members that are there twice: readers differ on which of them counts, so one
// signature would stand for two reports.
class ReportShape {
 public:
    bool operator()(nlohmann::json::parse_event_t event, const nlohmann::json& parsed)
    {
        using Event = nlohmann::json::parse_event_t;
        if (event == Event::object_start || event == Event::array_start) {
            names_.emplace_back();
            if (names_.size() > max_depth) throw std::runtime_error("is nested too deeply");
        } else if (event == Event::object_end || event == Event::array_end) {
            names_.pop_back();
        } else if (event == Event::key &&
                   !names_.back().insert(parsed.get_ref<const std::string&>()).second) {
            throw std::runtime_error("has a member twice");
        }
        return true;
    }

 private:
    std::vector<std::set<std::string>> names_;
};

nlohmann::json parse_shape(std::string_view octets)
{
    ReportShape shape;
    try {
        return nlohmann::json::parse(
            octets, [&](int, nlohmann::json::parse_event_t event, nlohmann::json& parsed) {
                return shape(event, parsed);
            });
    } catch (const nlohmann::json::parse_error& error) {
        // `byte` counts from 1; at the end it stands behind the last octet.
        if (error.byte > octets.size())
            throw std::runtime_error("is truncated: it ends in the middle of its JSON");
        throw std::runtime_error("is no JSON, from octet " + std::to_string(error.byte) +
                                 " on: no report of this runner");
    } catch (const nlohmann::json::exception&) {
        // A number beyond all of them.
        throw std::runtime_error("is no report of this runner");
    }
}

}  // namespace

nlohmann::json parse_report(std::string_view octets, const std::string& name)
{
    const auto refuse = [&](const std::string& what) { throw UsageError(name + " " + what); };
    if (octets.empty()) refuse("is empty: no report");
    if (octets.size() > max_report)
        refuse("is larger than 64 MiB, which no report of this runner is");
    nlohmann::json report;
    try {
        report = parse_shape(octets);
    } catch (const std::runtime_error& error) {
        refuse(error.what());
    }
    if (text_of(report, "report") != "entente-conformance")
        refuse("is JSON, but no report of entente-conformance");
    if (member_of(report, "format") != report_format)
        refuse("is a report of another format than " + std::to_string(report_format) +
               ": read it with the runner that wrote it");
    const auto fault = signature_fault(report);
    if (!fault.empty()) refuse(fault);
    return report;
}

nlohmann::json read_report(const std::string& file)
{
    std::ifstream stream(file, std::ios::binary);
    if (!stream) throw UsageError(file + " can't be read");
    std::string octets;
    std::vector<char> portion(1024 * 1024);
    // A byte beyond the bound is enough to know.
    while (octets.size() <= max_report) {
        stream.read(portion.data(), static_cast<std::streamsize>(portion.size()));
        octets.append(portion.data(), static_cast<std::size_t>(stream.gcount()));
        if (!stream) break;
    }
    if (stream.bad()) throw UsageError(file + " can't be read");
    return parse_report(octets, file);
}

}  // namespace entente::conformance
