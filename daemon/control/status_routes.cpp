// How the daemon itself is: what ententctl status shows beside the peers.
#include <chrono>
#include <filesystem>

#include "daemon/control/answers.hpp"
#include "daemon/control/control.hpp"

namespace entente::daemon {

namespace {

using control::Json;

struct Untouched {
    Result<void> operator()(storage::WriteTransaction& /*transaction*/) const { return {}; }
};

std::uintmax_t octets_of_file(const std::string& path)
{
    std::error_code failed;
    const auto octets = std::filesystem::file_size(path, failed);
    return failed ? 0 : octets;
}

// Of the files in it; the window has some dozens, and no folders.
std::uintmax_t octets_of_folder(const std::string& path)
{
    std::error_code failed;
    std::uintmax_t octets = 0;
    std::filesystem::directory_iterator at(path, failed), end;
    while (!failed && at != end) {
        octets += octets_of_file(at->path().string());
        at.increment(failed);
    }
    return octets;
}

// On a reader: a sick disk may be slow to answer.
struct MeasureStorage {
    std::string data, database, window;

    Result<Json> operator()(storage::Connection& /*db*/) const
    {
        Json json;
        if (!database.empty()) {
            json["database"] = octets_of_file(database);
            json["write_ahead_log"] = octets_of_file(database + "-wal");
        }
        json["window"] = octets_of_folder(window);
        std::error_code failed;
        const auto room = std::filesystem::space(data, failed);
        if (!failed) {
            json["free"] = room.available;
            json["disk"] = room.capacity;
        }
        return json;
    }
};

}  // namespace

asio::awaitable<net::Response> Control::status(const net::Request& /*request*/)
{
    const auto& daemon = parts_.daemon;
    const auto queued = parts_.commits.figures();
    const auto began = std::chrono::steady_clock::now();
    const Untouched untouched;
    auto written = co_await parts_.commits.write(untouched);
    const auto took = std::chrono::steady_clock::now() - began;
    MeasureStorage measure{daemon.data, daemon.database, daemon.window};
    auto stored = co_await parts_.commits.read(std::move(measure));

    Json json;
    json["server"] = parts_.identity.name.str();
    json["version"] = parts_.identity.software_version;
    json["now"] = parts_.clock.now_ms();
    json["started"] = daemon.started;
    const auto ready = daemon.ready();
    json["ready"] = ready.has_value();
    if (!ready) json["why"] = ready.error().detail;
    json["federates"] = parts_.federates;
    if (const auto called = parts_.links.last_called()) json["last_called"] = called;
    auto& writes = json["writes"];
    writes["queued"] = queued.queued;
    writes["queued_reads"] = queued.queued_reads;
    if (written) {
        writes["microseconds"] =
            std::chrono::duration_cast<std::chrono::microseconds>(took).count();
    }
    if (stored) json["storage"] = std::move(*stored);
    auto& certificates = json["certificates"] = Json::array();
    for (const auto& certificate : daemon.certificates())
        certificates.push_back(
            {{"listener", certificate.listener}, {"not_after", certificate.not_after}});
    co_return control::answer(json);
}

}  // namespace entente::daemon
