// main of ententctl: the operator's tool beside a running or a stopped ententd.
#include "daemon/ctl/verbs.hpp"
#include "protocol/ed25519.hpp"

int main(int argc, char** argv)
{
    const auto chosen = entente::daemon::ctl::parse(argc, argv);
    if (!chosen) return chosen.error();
    entente::protocol::start_crypto();
    return chosen->run(chosen->settings);
}
