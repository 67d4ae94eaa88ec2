#include "conformance/reference/clock.hpp"

#include <fstream>
#include <utility>

#include "conformance/wire/octets.hpp"

namespace entente::conformance::reference {

PeerClock::PeerClock(std::string file) : file_(std::move(file))
{
    std::int64_t ahead = 0;
    if (std::ifstream(file_) >> ahead) ahead_ = ahead;
}

std::int64_t PeerClock::now() const
{
    return system_milliseconds() + ahead_;
}

void PeerClock::set_ahead(std::int64_t milliseconds)
{
    ahead_ = milliseconds;
    std::ofstream(file_, std::ios::trunc) << milliseconds << "\n";
}

}  // namespace entente::conformance::reference
