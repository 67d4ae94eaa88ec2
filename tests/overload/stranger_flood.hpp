// Requests that each claim to come from another server, which nobody knows and which can't be
// found: from many addresses, on connections that are kept, as fast as they are answered.
#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "tests/e2e/support/forger.hpp"

namespace entente::overload {

// What their names end in, and their nonces begin with. Nobody asks DNS for such names
// (RFC 7686): nothing leaves this machine.
inline constexpr const char* strangers_domain = ".stranger.onion";
inline constexpr const char* strangers_nonce = "Stranger";

class StrangerFlood {
 public:
    // The first requests claim to be the `mute` ones, whose servers shake hands and say nothing.
    StrangerFlood(const e2e::Forger& forger, const e2e::Node& to, std::size_t requests,
                  std::vector<std::string> mute);

    // Returns once each has its answer; Broken where one got none.
    void run();
    // How many were answered with a problem, by its code and status.
    [[nodiscard]] const std::map<std::string, std::size_t>& answers() const { return answers_; }

 private:
    void send_some();
    void send_from(const std::string& source, std::size_t first, std::size_t end,
                   std::map<std::string, std::size_t>& answers) const;
    [[nodiscard]] std::string name(std::size_t number) const;

    const e2e::Forger& forger_;
    const e2e::Node& to_;
    std::size_t requests_;
    std::vector<std::string> mute_;
    std::atomic<std::size_t> next_ = 0;
    std::mutex mutex_;
    std::map<std::string, std::size_t> answers_;
    std::string complaint_;
};

}  // namespace entente::overload
