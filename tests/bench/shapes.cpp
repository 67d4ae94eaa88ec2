#include "tests/bench/shapes.hpp"

#include <algorithm>

namespace entente::bench {

Shape pairs_shape(Crowd& crowd, std::size_t pairs, std::size_t in_flight)
{
    Shape shape;
    shape.name = std::to_string(pairs) + (pairs == 1 ? " pair" : " pairs");
    crowd.grow(pairs);
    const std::size_t channels_a_pair = pairs == 1 ? 2 : 1;
    std::vector<ChannelPlan> plans;
    for (std::size_t i = 0; i < pairs * channels_a_pair; ++i) {
        const auto pair = i / channels_a_pair;
        const auto a = Crowd::on_a(pair), b = Crowd::on_b(pair);
        plans.push_back({i % 2 == 0 ? std::vector{a, b} : std::vector{b, a}, "group"});
    }
    const auto channels = crowd.make_channels(plans);
    for (std::size_t pair = 0; pair < pairs; ++pair) {
        Shape::Seat writer, reader;
        writer.person = Crowd::on_a(pair);
        reader.person = Crowd::on_b(pair);
        for (std::size_t i = 0; i < channels_a_pair; ++i) {
            const auto& channel = channels[pair * channels_a_pair + i];
            const auto window = std::max<std::size_t>(in_flight / channels_a_pair, 1);
            reader.follow.push_back(channel);
            shape.flows.push_back({channel, 2 * pair, {2 * pair + 1}, window});
        }
        shape.seats.push_back(std::move(writer));
        shape.seats.push_back(std::move(reader));
    }
    return shape;
}

Shape direct_shape(Crowd& crowd, std::size_t channels)
{
    Shape shape;
    shape.name = std::to_string(channels) + " direct channels";
    const auto people = std::max((channels + direct_channels_each - 1) / direct_channels_each,
                                 direct_channels_each);
    crowd.grow(people);
    shape.seats.resize(2 * people);
    for (std::size_t i = 0; i < people; ++i) {
        shape.seats[2 * i].person = Crowd::on_a(i);
        shape.seats[2 * i + 1].person = Crowd::on_b(i);
    }
    // Neighbours by the round: no two people share two channels.
    std::vector<ChannelPlan> plans;
    std::vector<std::size_t> readers;
    for (std::size_t i = 0; i < channels; ++i) {
        const auto writer = i % people;
        const auto reader = (writer + i / people) % people;
        const auto a = Crowd::on_a(writer), b = Crowd::on_b(reader);
        plans.push_back({i % 2 == 0 ? std::vector{a, b} : std::vector{b, a}, "dm"});
        readers.push_back(2 * reader + 1);
    }
    const auto made = crowd.make_channels(plans);
    for (std::size_t i = 0; i < channels; ++i) {
        shape.seats[readers[i]].follow.push_back(made[i]);
        shape.flows.push_back({made[i], 2 * (i % people), {readers[i]}, 1});
    }
    return shape;
}

Shape group_shape(Crowd& crowd, std::size_t in_flight)
{
    Shape shape;
    shape.name =
        "one channel of " + std::to_string(group_members) + " + " + std::to_string(group_members);
    crowd.grow(group_members);
    ChannelPlan plan;
    for (std::size_t i = 0; i < group_members; ++i) {
        plan.members.push_back(Crowd::on_a(i));
        plan.members.push_back(Crowd::on_b(i));
    }
    const auto channel = crowd.make_channels({plan}).at(0);
    std::vector<std::size_t> readers;
    for (std::size_t seat = 0; seat < plan.members.size(); ++seat) {
        shape.seats.push_back({plan.members[seat], {channel}});
        readers.push_back(seat);
    }
    const auto window = std::max<std::size_t>(in_flight / (2 * group_writers), 1);
    for (std::size_t seat = 0; seat < 2 * group_writers; ++seat)
        shape.flows.push_back({channel, seat, readers, window});
    return shape;
}

}  // namespace entente::bench
