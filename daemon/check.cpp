#include "daemon/check.hpp"

#include <cerrno>
#include <cstring>
#include <filesystem>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/check_database.hpp"
#include "daemon/key_folder.hpp"
#include "daemon/setup.hpp"
#include "net/tls.hpp"
#include "net/unix_socket.hpp"
#include "protocol/server_document.hpp"

namespace entente::daemon {

namespace {

// As the user that this process acts as.
bool may(const std::string& path, int mode)
{
    return ::faccessat(AT_FDCWD, path.c_str(), mode, AT_EACCESS) == 0;
}

std::string remedy(int error, const std::string& key)
{
    if (error == EROFS)
        return "; mount its file system for writing, name its folder in the unit's "
               "ReadWritePaths, or set " +
               key + " to a place that can be written";
    return "; run chown and chmod to give it to this user, or run this as its owner";
}

class Checking {
 public:
    Checking(const Config& config, std::string file, const protocol::Clock& clock)
        : config_(config), file_(std::move(file)), clock_(clock)
    {
    }

    CheckReport run()
    {
        for (const auto& listener : config_.listeners) check_listener(listener);
        // As root all could be read, and what ententd itself may do would not show.
        if (auto user = check_user(config_.server.data); !user) {
            fault(user.error().detail);
        } else {
            check_data();
            check_runtime();
            check_keys();
        }
        check_control();
        if (!config_.federation.ca_file.empty()) {
            require_readable(config_.federation.ca_file, file_ + ": federation.ca_file ");
        }
        if (config_.federation.enabled && !serves_federation()) {
            warn(file_ +
                 ": no listener serves federation, so other servers can't reach this one; "
                 "add \"federation\" to a listener's serves or set federation.enabled = false");
        }
        return std::move(report_);
    }

 private:
    void warn(std::string text) { report_.warnings.push_back(std::move(text)); }
    void fault(std::string text) { report_.errors.push_back(std::move(text)); }

    [[nodiscard]] bool serves_federation() const
    {
        for (const auto& listener : config_.listeners) {
            if (listener.federation) return true;
        }
        return false;
    }

    bool require_readable(const std::string& path, const std::string& who)
    {
        if (is_missing_credential(path)) {
            warn(who + path +
                 " is a secret of the service's, which can't be looked at from here; as a part of "
                 "the service this check looks at it too");
            return false;
        }
        if (may(path, R_OK)) return true;
        fault(who + path + " can't be read: " + std::strerror(errno) +
              "; correct the path or its permissions");
        return false;
    }

    void check_listener(const ListenerConfig& listener)
    {
        if (listener.is_plain()) {
            check_plain(listener, at(listener.line));
            return;
        }
        const auto where = at(listener.certificate_line);
        const auto where_key = at(listener.key_line);
        const bool readable = require_readable(listener.certificate, where + "certificate ");
        if (!require_readable(listener.key, where_key + "key ") || !readable) return;
        check_key_mode(listener.key, where_key);
        auto context = net::TlsServerContext::load(listener.certificate, listener.key);
        if (!context) {
            fault(where + context.error().detail + "; give a certificate and its own key as PEM");
            return;
        }
        check_names(listener, **context, where);
        const auto left = (*context)->not_after() - clock_.now_ms();
        if (left <= 0) {
            warn(where + "the certificate " + listener.certificate + " has run out; renew it");
        } else if (left < 14 * protocol::day_ms) {
            warn(where + "the certificate " + listener.certificate + " runs out in " +
                 std::to_string(left / protocol::day_ms) + " days; renew it");
        }
    }

    [[nodiscard]] std::string at(int line) const
    {
        return file_ + ":" + std::to_string(line) + ": ";
    }

    // Its own name, where servers look first, or that of the API, where they go from there.
    void check_names(const ListenerConfig& listener, const net::TlsServerContext& context,
                     const std::string& where)
    {
        if (!listener.federation && !listener.client) return;
        const auto& name = config_.server.name.str();
        const auto api = protocol::parse_https_origin(config_.federation.api);
        const auto host = api ? api->host : name;
        if (context.is_for(name) || context.is_for(host)) return;
        warn(where + "the certificate " + listener.certificate + " isn't for " + name +
             (host == name ? "" : " nor for " + host) +
             ", so servers and clients will refuse it; get one for that name, or correct "
             "server.name or federation.api");
    }

    void check_plain(const ListenerConfig& listener, const std::string& where)
    {
        const bool loopback = listener.address.address.is_loopback();
        if (loopback && listener.trusted_proxies.empty()) {
            warn(where +
                 "a loopback listener without certificate and without trusted_proxies: "
                 "behind a proxy every client would count as one address; "
                 "add trusted_proxies = [\"127.0.0.1/32\"] or a certificate");
        }
        if (!loopback && (listener.federation || listener.client)) {
            warn(where +
                 "this listener speaks plain HTTP on a network; "
                 "add certificate and key, or listen on loopback behind a proxy");
        }
    }

    void check_key_mode(const std::string& path, const std::string& where)
    {
        struct stat status{};
        if (::stat(path.c_str(), &status) == 0 && (status.st_mode & (S_IROTH | S_IWOTH)) != 0) {
            warn(where + "everybody on this machine may use the key " + path + "; run chmod 0640 " +
                 path);
        }
    }

    void check_data()
    {
        const auto& data = config_.server.data;
        std::error_code failed;
        if (!std::filesystem::exists(data, failed)) {
            warn(file_ + ": the data folder " + data +
                 " isn't there yet; ententctl setup makes it");
        } else if (!std::filesystem::is_directory(data, failed)) {
            fault(file_ + ": server.data " + data + " isn't a folder; name a folder");
        } else if (!may(data, R_OK | W_OK | X_OK)) {
            const int error = errno;
            fault(file_ + ": the data folder " + data +
                  " can't be written: " + std::strerror(error) + remedy(error, "server.data"));
        } else {
            check_database();
        }
    }

    // SQLite would open what it can't write, and fail at the first write.
    void check_database()
    {
        const auto database = config_.storage.sqlite_path();
        std::error_code failed;
        for (const auto* suffix : {"", "-wal", "-shm"}) {
            const auto path = database + suffix;
            if (!std::filesystem::exists(path, failed)) continue;
            if (!std::filesystem::is_regular_file(path, failed)) {
                fault(file_ + ": the database " + path + " isn't a file; set storage.url to one");
            } else if (!may(path, R_OK | W_OK)) {
                const int error = errno;
                fault(file_ + ": the database " + path + " can't be read and written: " +
                      std::strerror(error) + remedy(error, "storage.url"));
            }
        }
    }

    void check_control()
    {
        const auto& path = config_.server.control;
        if (path.size() <= net::most_unix_path_octets) return;
        fault(file_ + ": the path of the control socket " + path + " is longer than " +
              std::to_string(net::most_unix_path_octets) +
              " octets; set server.control to a shorter one");
    }

    // A copy of the data folder that is put back would bring its own witness.
    void check_runtime()
    {
        const auto data = std::filesystem::path(config_.server.data).lexically_normal();
        const auto runtime = std::filesystem::path(config_.server.runtime).lexically_normal();
        check_runtime_is_usable(runtime);
        const auto inside = runtime.lexically_relative(data);
        if (inside.empty() || *inside.begin() == "..") return;
        warn(file_ + ": server.runtime " + runtime.string() +
             " is inside of server.data: an older copy of the data, put back with it, would go "
             "unnoticed; name a folder outside, as /run/ententd");
    }

    // It starts without, but takes every start for one with older data that was put back.
    void check_runtime_is_usable(const std::filesystem::path& runtime)
    {
        std::error_code failed;
        auto existing = runtime;
        while (!std::filesystem::exists(existing, failed) && existing.has_relative_path())
            existing = existing.parent_path();
        if (std::filesystem::is_directory(existing, failed) && may(existing, W_OK | X_OK)) return;
        warn(file_ + ": the folder server.runtime " + runtime.string() +
             (existing == runtime ? " can't be written" : " isn't there and can't be made") +
             " by this user; make it and give it to this user (the systemd unit does so at the "
             "start), or set server.runtime to a folder that can be written");
    }

    void check_keys()
    {
        const KeyFolder folder(config_.server.keys);
        const auto is_there = folder.has_identity();
        if (!is_there) {
            fault(file_ + ": " + is_there.error().detail);
            return;
        }
        if (!*is_there) {
            fault(file_ + ": there are no keys in " + folder.path() + remedy_of_no_keys(folder));
            return;
        }
        if (auto identity = folder.load(config_.server.name, config_.name_rules()); !identity) {
            fault(identity.error().detail);
        }
        // Setup writes the keys last: where they are, there was a database.
        if (has_database(config_)) return;
        fault(file_ + ": the database " + config_.storage.sqlite_path() +
              " is missing or empty, though " + config_.server.name.str() +
              " was set up and has its keys in " + folder.path() +
              "; put it back from a backup. To begin anew without the accounts and channels that "
              "were in it, run ententctl setup --new-database --config " +
              file_);
    }

    // A setup that was interrupted has left its mark, and is to be repeated.
    [[nodiscard]] std::string remedy_of_no_keys(const KeyFolder& folder) const
    {
        std::error_code failed;
        const bool was_set_up = has_database(config_) &&
                                !std::filesystem::exists(folder.path() + "/setup.pending", failed);
        if (!was_set_up) return " yet; run ententctl setup --config " + file_;
        return ", though the database " + config_.storage.sqlite_path() +
               " is there; put the newest copy of the keys folder back, or correct server.keys";
    }

    const Config& config_;
    std::string file_;
    const protocol::Clock& clock_;
    CheckReport report_;
};

}  // namespace

CheckReport check_installation(const Config& config, const std::string& file,
                               const protocol::Clock& clock)
{
    return Checking(config, file, clock).run();
}

int run_check(const std::string& file, const Environment& environment, const protocol::Clock& clock,
              std::ostream& out)
{
    const auto config = load_config(file, environment);
    if (!config) {
        for (const auto& problem : config.error()) out << "error: " << problem.str() << "\n";
        return 1;
    }
    auto report = check_installation(*config, file, clock);
    if (report.errors.empty()) {
        for (const auto& text : check_database(*config))
            report.errors.push_back(file + ": " + text);
    }
    for (const auto& text : report.errors) out << "error: " << text << "\n";
    for (const auto& text : report.warnings) out << "warning: " << text << "\n";
    if (!report.errors.empty()) return 1;
    out << file << ": " << config->server.name.str() << " would start\n";
    return 0;
}

}  // namespace entente::daemon
