#include "tests/bench/storage_messages.hpp"

#include <utility>

namespace entente::bench {

namespace {

constexpr std::size_t text_octets = 300;
constexpr std::size_t signed_root_octets = 330;  // a JWS over a root, with its kid
constexpr std::size_t proof_hashes = 4;          // of 16 leaves in one transaction

}  // namespace

protocol::ServerName member_server(int number)
{
    return protocol::ServerName::trusted("s" + std::to_string(number) + ".example");
}

std::string member(int number)
{
    return "user" + std::to_string(number) + "@" + member_server(number % member_servers).str();
}

std::string SeededRandom::octets(std::size_t size)
{
    std::string octets(size, '\0');
    for (auto& octet : octets) octet = static_cast<char>(generator_() & 0xff);
    return octets;
}

MessageMaker::MessageMaker()
{
    protocol::start_crypto();
}

protocol::Hash MessageMaker::noise()
{
    protocol::Hash hash{};
    for (auto& octet : hash) octet = static_cast<std::uint8_t>(generator_() & 0xff);
    return hash;
}

MessageMaker::Run MessageMaker::make(const protocol::ChannelId& channel, std::size_t messages)
{
    SeededRandom random(generator_);
    Run run;
    run.at = now_ += 1;
    const auto author = static_cast<int>(generator_() % (member_servers * members_per_server));
    run.origin = member_server(author % member_servers);
    for (std::size_t i = 0; i < messages; ++i) {
        protocol::EventDraft draft;
        draft.type = "message.create";
        draft.channel = channel;
        draft.sender = member(author);
        draft.txn = protocol::make_uuid7(now_, random);
        draft.at = now_;
        draft.content = "{\"salt\":\"" + protocol::to_base64url(random.octets(16)) +
                        "\",\"text\":\"" + std::string(text_octets, 't') + "\"}";
        auto event = protocol::write_event(draft);
        run.seal.events.push_back(protocol::event_id(event));
        run.txns.push_back(draft.txn);
        run.messages.push_back({std::move(event), std::move(draft.content)});
    }
    run.root = protocol::to_base64url(noise()) + std::string(signed_root_octets, 'j');
    for (std::size_t i = 0; i < proof_hashes; ++i) run.seal.proof.path.push_back(noise());
    return run;
}

}  // namespace entente::bench
