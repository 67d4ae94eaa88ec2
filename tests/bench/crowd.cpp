#include "tests/bench/crowd.hpp"

#include <set>

namespace entente::bench {

namespace {

using e2e::json;

// What a server grants an address is granted to so many people.
constexpr std::size_t people_a_source = 20;

std::string source_of(std::size_t index)
{
    return "127.0.1." + std::to_string(1 + index / people_a_source);
}

}  // namespace

Crowd::Crowd(e2e::World& world, std::string here, std::string there)
    : world_(world),
      names_{std::move(here), std::move(there)},
      tls_{TlsClient(names_[0], world[names_[0]].port(), world.ca_file()),
           TlsClient(names_[1], world[names_[1]].port(), world.ca_file())}
{
}

void Crowd::add(std::vector<std::unique_ptr<Person>>& side, const e2e::Node& node)
{
    const auto index = side.size();
    const auto source = source_of(index);
    side.push_back(std::make_unique<Person>(
        Person{source, e2e::Client(node, "person" + std::to_string(index), source)}));
    side.back()->client.register_user();
}

void Crowd::grow(std::size_t count)
{
    while (here_.size() < count) add(here_, world_[names_[0]]);
    while (there_.size() < count) add(there_, world_[names_[1]]);
}

Crowd::Person& Crowd::person(std::size_t number)
{
    return *(number % 2 == 0 ? here_ : there_).at(number / 2);
}

std::vector<std::string> Crowd::make_channels(const std::vector<ChannelPlan>& plans)
{
    std::vector<std::string> channels;
    for (const auto& plan : plans) {
        auto& owner = person(plan.members.at(0)).client;
        owner.refresh();
        channels.push_back(owner.create_channel("bench", {{"kind", plan.kind}}));
        for (std::size_t i = 1; i < plan.members.size(); ++i)
            owner.invite(channels.back(), person(plan.members[i]).client.user());
    }
    for (std::size_t c = 0; c < plans.size(); ++c) {
        for (std::size_t i = 1; i < plans[c].members.size(); ++i)
            person(plans[c].members[i]).client.join(channels[c]);
    }
    return channels;
}

std::unique_ptr<LoadSocket> Crowd::open(std::size_t number, const std::vector<std::string>& follow)
{
    auto& someone = person(number);
    someone.client.refresh();
    auto socket = std::make_unique<LoadSocket>(tls_[number % 2], someone.source,
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
