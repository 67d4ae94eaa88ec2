// The hidden verbs of a reference peer: it is started, and asked by the hooks of its target.toml.
#include <cstdio>
#include <iostream>

#include "conformance/cli/options.hpp"
#include "conformance/reference/process.hpp"
#include "conformance/reference/settings.hpp"

namespace entente::conformance {

int do_reference(const ReferenceCommand& command)
{
    if (command.port != 0) {
        reference::Settings settings;
        settings.folder = std::filesystem::absolute(command.folder);
        settings.name = "reference.test";
        settings.listen = {"127.0.0.1", command.port};
        settings.domain = "peers.test";
        settings.peers = {"127.0.0.1", static_cast<std::uint16_t>(command.port + 1)};
        settings.flags = command.flags;
        reference::write_settings(settings);
    }
    return reference::run_peer(std::filesystem::absolute(command.folder));
}

int do_reference_hook(const ReferenceCommand& command, const std::string& name)
{
    std::vector<std::string> lines;
    for (std::string line; std::getline(std::cin, line);)
        if (!line.empty()) lines.push_back(line);
    const auto folder = std::filesystem::absolute(command.folder);
    for (const auto& line : reference::run_hook(folder, name, lines))
        std::printf("%s\n", line.c_str());
    return 0;
}

}  // namespace entente::conformance
