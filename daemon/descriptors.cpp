#include "daemon/descriptors.hpp"

#include <algorithm>
#include <string>

#include <sys/resource.h>

namespace entente::daemon {

namespace {

// RocksDB keeps 64 files open and opens some more to merge; SQLite three for a connection;
// the rest is for DNS, logs, the kernel's own.
constexpr std::size_t own_files = 128;
constexpr std::size_t files_per_reader = 4;
constexpr std::size_t most_outgoing = 1'024;
constexpr std::size_t least_connections = 32;
constexpr std::size_t most = std::size_t{1} << 20;  // also where there is no limit

}  // namespace

std::size_t raise_descriptor_limit()
{
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
    auto raised = limit;
    raised.rlim_cur = std::min<rlim_t>(limit.rlim_max, most);
    if (raised.rlim_cur > limit.rlim_cur && ::setrlimit(RLIMIT_NOFILE, &raised) == 0)
        limit = raised;
    return static_cast<std::size_t>(std::min<rlim_t>(limit.rlim_cur, most));
}

Result<DescriptorShares> share_descriptors(std::size_t limit, std::size_t readers)
{
    const auto own = own_files + readers * files_per_reader;
    const auto rest = limit > own ? limit - own : 0;
    DescriptorShares shares;
    shares.outgoing = std::min(most_outgoing, rest / 4);
    shares.connections = rest - shares.outgoing;
    if (shares.connections >= least_connections) return shares;
    return fail(Code::unavailable,
                "only " + std::to_string(limit) +
                    " file descriptors: raise the limit (ulimit -n, LimitNOFILE) to " +
                    std::to_string(own + 2 * least_connections) + " at least");
}

}  // namespace entente::daemon
