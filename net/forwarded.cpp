#include "net/forwarded.hpp"

#include <algorithm>

#include "net/ascii.hpp"

namespace entente::net {

namespace {

constexpr std::size_t max_hops = 64;

// Reads from the left and remembers what is left.
struct Reader {
    std::string_view rest;

    void skip_blanks()
    {
        while (!rest.empty() && (rest.front() == ' ' || rest.front() == '\t')) {
            rest.remove_prefix(1);
        }
    }
    bool take(char wanted)
    {
        if (rest.empty() || rest.front() != wanted) return false;
        rest.remove_prefix(1);
        return true;
    }
    std::string_view token()
    {
        std::size_t size = 0;
        while (size < rest.size() && is_token_character(rest[size])) ++size;
        const auto found = rest.substr(0, size);
        rest.remove_prefix(size);
        return found;
    }
    // Behind the opening quote.
    std::optional<std::string> quoted()
    {
        std::string text;
        while (!rest.empty()) {
            char c = rest.front();
            rest.remove_prefix(1);
            if (c == '"') return text;
            if (c == '\\') {
                if (rest.empty()) return std::nullopt;
                c = rest.front();
                rest.remove_prefix(1);
            }
            text += c;
        }
        return std::nullopt;
    }
};

protocol::Failure broken_pair()
{
    return fail(Code::malformed, "Forwarded breaks its grammar");
}

// One element: pairs divided by ';'. Gives the value of `for`.
Result<std::string> read_element(Reader& reader)
{
    std::string node;
    bool seen = false;
    while (true) {
        const auto name = lower_case(reader.token());
        if (name.empty() || !reader.take('=')) return broken_pair();
        std::string value;
        if (reader.take('"')) {
            auto text = reader.quoted();
            if (!text) return broken_pair();
            value = std::move(*text);
        } else {
            value = reader.token();
            if (value.empty()) return broken_pair();
        }
        if (name == "for") {
            if (seen) return broken_pair();
            seen = true;
            node = std::move(value);
        }
        reader.skip_blanks();
        if (!reader.take(';')) return node;
        reader.skip_blanks();
    }
}

bool is_port(std::string_view text)
{
    return !text.empty() && text.size() <= 5 && std::all_of(text.begin(), text.end(), is_digit);
}

}  // namespace

Result<std::vector<std::string>> parse_forwarded(std::string_view value)
{
    std::vector<std::string> nodes;
    Reader reader{value};
    reader.skip_blanks();
    while (true) {
        auto node = read_element(reader);
        if (!node) return fail(node);
        nodes.push_back(std::move(*node));
        if (nodes.size() > max_hops) return fail(Code::malformed, "Forwarded has too many hops");
        reader.skip_blanks();
        if (reader.rest.empty()) return nodes;
        if (!reader.take(',')) return broken_pair();
        reader.skip_blanks();
    }
}

std::optional<boost::asio::ip::address> node_address(std::string_view node)
{
    std::string host;
    boost::system::error_code error;
    if (node.starts_with('[')) {
        const auto end = node.find(']');
        if (end == std::string_view::npos) return std::nullopt;
        const auto behind = node.substr(end + 1);
        if (!behind.empty() && (behind.front() != ':' || !is_port(behind.substr(1)))) {
            return std::nullopt;
        }
        host = node.substr(1, end - 1);
        if (host.find('%') != std::string::npos) return std::nullopt;
        const auto address = boost::asio::ip::make_address_v6(host, error);
        if (error) return std::nullopt;
        return address;
    }
    const auto colon = node.find(':');
    if (colon != std::string_view::npos && !is_port(node.substr(colon + 1))) return std::nullopt;
    host = node.substr(0, colon);
    const auto address = boost::asio::ip::make_address_v4(host, error);
    if (error) return std::nullopt;
    return address;
}

bool is_among(const std::vector<Network>& networks, const boost::asio::ip::address& address)
{
    const auto holds = [&](const Network& network) { return contains(network, address); };
    return std::any_of(networks.begin(), networks.end(), holds);
}

boost::asio::ip::address client_behind(const boost::asio::ip::address& peer,
                                       const protocol::Fields& fields,
                                       const std::vector<Network>& trusted)
{
    if (!is_among(trusted, peer)) return peer;
    auto current = peer;
    // From the right: the last field was written by the proxy nearest to us. A broken
    // field ends the walk: what its writer vouches for can't be told any more.
    for (auto field = fields.rbegin(); field != fields.rend(); ++field) {
        if (field->first != "forwarded") continue;
        const auto nodes = parse_forwarded(field->second);
        if (!nodes) return current;
        for (auto node = nodes->rbegin(); node != nodes->rend(); ++node) {
            const auto address = node_address(*node);
            if (!address) return current;
            current = *address;
            if (!is_among(trusted, current)) return current;
        }
    }
    return current;
}

}  // namespace entente::net
