#include "daemon/ctl/health.hpp"

#include <algorithm>

#include <sys/timex.h>

#include "daemon/check_database.hpp"
#include "daemon/ctl/text.hpp"
#include "net/address_guard.hpp"

namespace entente::daemon::ctl {

namespace {

using Kind = Finding::Kind;

std::string list_of(const std::vector<std::string>& texts)
{
    std::string list;
    for (const auto& text : texts) list += (list.empty() ? "" : ", ") + text;
    return list;
}

}  // namespace

std::string_view to_text(Finding::Kind kind)
{
    switch (kind) {
        case Kind::fine: return "fine";
        case Kind::unknown: return "unknown";
        case Kind::warning: return "warning";
        case Kind::fault: break;
    }
    return "fault";
}

std::optional<ClockState> kernel_clock()
{
    timex asked{};
    const int state = ::adjtimex(&asked);
    if (state < 0) return std::nullopt;
    return ClockState{state != TIME_ERROR && (asked.status & STA_UNSYNC) == 0, asked.maxerror};
}

Finding judge_clock(const std::optional<ClockState>& clock)
{
    if (!clock)
        return {"clock", Kind::unknown, "the kernel doesn't say whether its clock is right",
                "compare date -u with another machine's"};
    if (!clock->is_synchronised)
        return {
            "clock", Kind::warning, "the kernel's clock is set by nobody",
            "run an NTP client: timedatectl set-ntp true; requests of other servers are refused "
            "where the clocks differ much"};
    if (clock->most_wrong_us > most_clock_error_us)
        return {"clock", Kind::warning,
                "the clock may be wrong by " + duration(clock->most_wrong_us / 1000),
                "see whether the NTP client reaches its servers: timedatectl timesync-status"};
    return {"clock", Kind::fine, "it is synchronised", ""};
}

Finding judge_addresses(const std::string& host, const std::vector<std::string>& addresses,
                        bool given)
{
    if (given)
        return {"dns", Kind::warning, host + " has its address from federation.resolve",
                "other servers don't read this configuration: see that DNS has the name too"};
    if (addresses.empty())
        return {"dns", Kind::fault, host + " has no address in DNS",
                "add an A or AAAA record for " + host + "; new ones may take an hour to be seen"};
    const bool any_public = std::ranges::any_of(addresses, [](const std::string& text) {
        boost::system::error_code failed;
        const auto address = boost::asio::ip::make_address(text, failed);
        return !failed && net::is_globally_reachable(address);
    });
    if (!any_public)
        return {"dns", Kind::warning,
                host + " is " + list_of(addresses) + ", which isn't globally reachable",
                "see from another machine: dig " + host +
                    "; only a line for it in /etc/hosts here is harmless"};
    return {"dns", Kind::fine, host + " is " + list_of(addresses), ""};
}

Finding judge_disk(std::uintmax_t free, std::uintmax_t disk)
{
    const auto found = octets_text(free) + " of " + octets_text(disk) + " are free";
    if (free < least_room_octets)
        return {"disk", Kind::fault, found,
                "make room on the file system of server.data: nothing is taken until there is"};
    if (free < little_room_octets)
        return {"disk", Kind::warning, found,
                "make room on the file system of server.data before it is full"};
    return {"disk", Kind::fine, found, ""};
}

Finding judge_certificate(const std::string& listener, protocol::Millis not_after,
                          protocol::Millis now)
{
    const auto left = not_after - now;
    const auto subject = "certificate of " + listener;
    if (left <= 0)
        return {subject, Kind::fault, "it has run out",
                "renew it, then systemctl reload ententd (restart, where it is a credential)"};
    const auto found = "it is good for " + duration(left);
    if (left < days_to_renew * protocol::day_ms)
        return {subject, Kind::warning, found,
                "renew it, then systemctl reload ententd; see why that doesn't happen by itself"};
    return {subject, Kind::fine, found, ""};
}

Finding judge_document(const Config& config, const Result<protocol::ServerDocument>& document,
                       const std::string& key)
{
    const auto name = config.server.name.str();
    const auto place = "https://" + name + "/.well-known/entente";
    if (!document)
        return {"server document", Kind::fault, "it isn't found: " + document.error().detail,
                "see what answers: curl -v " + place +
                    "; it must be this server, or a static file {\"delegate\":\"" +
                    config.federation.api + "\"}, behind a certificate that others trust"};
    if (document->api != config.federation.api)
        return {"server document", Kind::fault,
                "it says that the API is at " + harmless(document->api) + ", not at " +
                    config.federation.api,
                "another server answers at " + place +
                    ", or it ran before federation.api was "
                    "changed: restart it"};
    const bool has_key = key.empty() || std::ranges::any_of(document->keys, [&](const auto& each) {
                             return each.key.thumbprint().str() == key;
                         });
    if (!has_key)
        return {"server document", Kind::fault, "it lacks the key " + key + " of this server",
                "another server of this name answers at " + place +
                    ", or a cache in front of it holds an old answer"};
    return {"server document", Kind::fine, "found, with a certificate that is trusted here", ""};
}

Finding judge_writes(const std::optional<std::int64_t>& microseconds)
{
    if (!microseconds)
        return {"writes", Kind::fault, "the writer refuses",
                "journalctl -u ententd says why: the disk is full, or another program holds the "
                "database"};
    const auto found = "the writer answers within " + std::to_string(*microseconds / 1000) + " ms";
    if (*microseconds > slow_write_us)
        return {"writes", Kind::warning, found,
                "look for what keeps the disk busy (iostat -x 1) and for its errors (dmesg)"};
    return {"writes", Kind::fine, found, ""};
}

Finding judge_reach(std::size_t peers, protocol::Millis last_called, protocol::Millis started,
                    protocol::Millis now)
{
    if (last_called > 0)
        return {"reach", Kind::fine,
                "another server has reached this one " + duration(now - last_called) + " ago", ""};
    if (peers == 0)
        return {"reach", Kind::unknown, "no other server is known here that could have tried",
                "invite somebody of another server, and look again"};
    return {"reach", Kind::warning,
            "no other server has reached this one since it was started " + duration(now - started) +
                " ago",
            "from another network, curl https://NAME/.well-known/entente must answer: see the "
            "firewall, port forwarding and the proxy"};
}

Finding judge_peers(const PeerSums& peers, protocol::Millis now)
{
    if (peers.skewed > 0)
        return {"peers", Kind::warning,
                std::to_string(peers.skewed) + " of them and this server disagree on the time",
                "set this machine's clock; where it is right, tell their administrators"};
    const auto found = std::to_string(peers.known) + " known, " + std::to_string(peers.behind) +
                       " behind, " + std::to_string(peers.failing) + " failing";
    if (peers.oldest_at > 0 && now - peers.oldest_at > long_behind)
        return {"peers", Kind::warning,
                found + "; what " + peers.worst + " lacks is " + duration(now - peers.oldest_at) +
                    " old",
                "ententctl peer show " + peers.worst + " says why its link fails"};
    return {"peers", Kind::fine, found, ""};
}

}  // namespace entente::daemon::ctl
