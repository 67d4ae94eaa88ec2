#pragma once

// A reference peer as a process of its own: started, asked, killed, and started again. What is
// asked of it goes over a socket in its folder; that it has ended is known by its lock there.

#include <filesystem>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace entente::conformance::reference {

// Serves what `folder` describes until SIGTERM, or until its owner has ended; the exit code.
[[nodiscard]] int run_peer(const std::filesystem::path& folder);

// Starts one, and waits until it serves; its process id. Throws std::runtime_error.
int start_peer(const std::filesystem::path& folder);
// Ends it by `signal`, and waits until it has. Nothing where none runs.
void stop_peer(const std::filesystem::path& folder, int signal);

// A hook of the target's file: each of `lines` is a JSON object, and so is what comes back for it.
// "restart" and "kill9" are done here, all else by the peer. Throws std::runtime_error.
[[nodiscard]] std::vector<std::string> run_hook(const std::filesystem::path& folder,
                                                const std::string& name,
                                                const std::vector<std::string>& lines);

}  // namespace entente::conformance::reference
