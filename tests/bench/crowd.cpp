#include "tests/bench/crowd.hpp"

namespace entente::bench {

namespace {

using e2e::json;

// What a server grants an address before it knows who asks suffices for so many people.
constexpr std::size_t people_a_source = 10;
// Half of an access token's life.
constexpr Nanoseconds fresh_time = 450'000'000'000;

TlsClient tls_to(Servers& servers, Side side)
{
    auto& world = servers.world();
    return {servers.name(side), world[servers.name(side)].port(), world.ca_file()};
}

bool has_joined(e2e::Client& client, const std::string& channel)
{
    const auto summary = client.request("GET", "/channels/" + channel);
    return summary.status == 200 && summary.body.contains("role") &&
           !summary.body["role"].is_null();
}

bool is_invited(e2e::Client& client, const std::string& channel)
{
    const auto answer = client.call("GET", "/invitations");
    for (const auto& invitation : answer.at("invitations"))
        if (invitation.at("channel") == channel) return true;
    return false;
}

}  // namespace

Crowd::Crowd(Servers& servers)
    : servers_(servers), tls_{tls_to(servers, Side::a), tls_to(servers, Side::b)}
{
}

void Crowd::grow(std::size_t count)
{
    for (const auto side : {Side::a, Side::b}) {
        auto& people = people_.at(static_cast<std::size_t>(side));
        auto& node = servers_.world()[servers_.name(side)];
        while (people.size() < count) {
            const auto index = people.size();
            const auto source = "127.0.1." + std::to_string(1 + index / people_a_source);
            e2e::Client client(node, "person" + std::to_string(index), source);
            client.register_user();
            people.push_back(
                std::make_unique<Person>(Person{source, std::move(client), wall_now()}));
        }
    }
}

Crowd::Person& Crowd::person(std::size_t number)
{
    auto& found = *people_.at(number % 2).at(number / 2);
    if (wall_now() - found.fresh > fresh_time) {
        found.client.refresh();
        found.fresh = wall_now();
    }
    return found;
}

// Step by step for all: what goes between the servers goes together.
std::vector<std::string> Crowd::make_channels(const std::vector<ChannelPlan>& plans)
{
    std::vector<std::string> channels;
    for (const auto& plan : plans) {
        auto& owner = person(plan.members.at(0)).client;
        channels.push_back(owner.create_channel("bench", {{"kind", plan.kind}}));
        for (std::size_t i = 1; i < plan.members.size(); ++i)
            owner.invite(channels.back(), person(plan.members[i]).client.user());
    }
    const auto each_guest = [&](auto&& take) {
        for (std::size_t c = 0; c < plans.size(); ++c)
            for (std::size_t i = 1; i < plans[c].members.size(); ++i)
                take(person(plans[c].members[i]).client, channels[c]);
    };
    each_guest([](e2e::Client& guest, const std::string& channel) {
        e2e::wait_until(guest.user() + " is invited", [&] { return is_invited(guest, channel); });
        guest.call("POST", "/channels/" + channel + "/join", {{"txn", e2e::new_uuid()}});
    });
    each_guest([](e2e::Client& guest, const std::string& channel) {
        e2e::wait_until(guest.user() + " has joined", [&] { return has_joined(guest, channel); });
    });
    return channels;
}

std::unique_ptr<LoadSocket> Crowd::open(std::size_t number, const std::vector<std::string>& follow,
                                        const std::string& source)
{
    auto& someone = person(number);
    auto socket =
        std::make_unique<LoadSocket>(tls_.at(number % 2), source.empty() ? someone.source : source,
                                     someone.client.open_ticket());
    if (follow.empty()) return socket;
    json cursors = json::object();
    for (const auto& channel : follow)
        cursors[channel] = someone.client.channel(channel).at("latest");
    FrameText frame;
    frame.append(json{{"follow", cursors}}.dump());
    socket->send(frame.finish());
    return socket;
}

}  // namespace entente::bench
