// A running ententd, asked over its control socket: one request at a time, blocking. What
// there is to ask is daemon/control's.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "daemon/config.hpp"
#include "protocol/result.hpp"

namespace entente::daemon::ctl {

class Daemon {
 public:
    // Connects, and makes sure that the server of this configuration is what answers.
    // `unavailable`: nobody does, or this user may not ask; the detail says what to do.
    [[nodiscard]] static Result<Daemon> connect(const Config& config);
    Daemon(Daemon&&) noexcept;
    Daemon& operator=(Daemon&&) noexcept;
    ~Daemon();

    static constexpr std::chrono::milliseconds usual_time{60'000};

    // The answer's JSON. `unavailable` where none came; else the problem that the daemon says,
    // its detail a sentence for the operator.
    [[nodiscard]] Result<nlohmann::json> get(const std::string& target);
    [[nodiscard]] Result<nlohmann::json> post(const std::string& target,
                                              std::chrono::milliseconds time = usual_time);
    [[nodiscard]] Result<nlohmann::json> post_text(const std::string& target, std::string body);
    [[nodiscard]] Result<std::string> get_text(const std::string& target);
    // A list of several pages as one: `list` is the member that holds it. The elements are
    // named by their member `key`, in whose order the pages go on.
    [[nodiscard]] Result<nlohmann::json> get_all(const std::string& target, const char* list,
                                                 const char* key);

 private:
    struct State;
    explicit Daemon(std::unique_ptr<State> state);
    [[nodiscard]] Result<std::string> ask(const std::string& method, const std::string& target,
                                          std::chrono::milliseconds time, std::string body = {});
    std::unique_ptr<State> state_;
};

// The exit code for an error of Daemon's.
[[nodiscard]] int exit_code_of(const Error& error);

}  // namespace entente::daemon::ctl
