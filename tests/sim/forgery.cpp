#include "tests/sim/forgery.hpp"

#include <algorithm>

#include "protocol/message_signature.hpp"

namespace entente::sim {

namespace {

const std::vector<std::string> strange_values = {"9007199254740992",
                                                 "-1",
                                                 "1.0",
                                                 "-0",
                                                 "1e400",
                                                 "null",
                                                 "\"\\ud800\"",
                                                 "\"\\u0000\"",
                                                 "[]",
                                                 "{\"a\":1,\"a\":2}",
                                                 "\"\xff\""};

// Where a value of the JSON begins: behind some colon.
std::size_t some_value(const std::string& json, Chance& chance)
{
    std::vector<std::size_t> places;
    for (std::size_t at = 0; at + 1 < json.size(); ++at) {
        if (json[at] == '"' && json[at + 1] == ':') places.push_back(at + 2);
    }
    return places.empty() ? json.size() : chance.pick(places);
}

std::string deep(std::size_t levels)
{
    return std::string(levels, '[') + std::string(levels, ']');
}

void replace(std::string& text, const std::string& from, const std::string& to)
{
    if (const auto at = text.find(from); at != std::string::npos) text.replace(at, from.size(), to);
}

}  // namespace

std::string with_broken_octets(std::string json, Chance& chance)
{
    if (json.empty()) return "{";
    switch (chance.below(8)) {
        case 0: json[chance.below(json.size())] ^= static_cast<char>(1 << chance.below(8)); break;
        case 1: json.resize(chance.below(json.size())); break;
        case 2: json += chance.percent(50) ? "{}" : " x"; break;
        case 3: json.insert(0, "\xef\xbb\xbf"); break;
        case 4:
            json.insert(some_value(json, chance), chance.pick(strange_values) + ",\"x\":");
            break;
        case 5:
            json.insert(some_value(json, chance), deep(chance.percent(50) ? 33 : 10'000));
            break;
        case 6: {
            const auto from = chance.below(json.size());
            json.insert(chance.below(json.size()), json.substr(from, chance.below(200)));
            break;
        }
        default: {
            const auto from = chance.below(json.size());
            json.erase(from, 1 + chance.below(40));
            break;
        }
    }
    return json;
}

std::string with_broken_document(std::string json, Chance& chance)
{
    switch (chance.below(6)) {
        case 0: return "not found";
        case 1: return std::string(200'000, ' ') + json;
        case 2: replace(json, "\"server\":\"", "\"server\":\"x"); break;
        case 3: replace(json, "https://", "http://"); break;
        case 4: replace(json, "\"x\":\"", "\"x\":\"A"); break;
        default: return with_broken_octets(std::move(json), chance);
    }
    return json;
}

Forger::Signing Forger::right(const std::string& to, const net::Request& request)
{
    const auto now = clock_.now_s();
    return {identity_.key,
            identity_.name.str(),
            to,
            request.target,
            protocol::to_base64url(random_.octets(24)),
            {now, now + protocol::max_lifetime_s}};
}

void Forger::put(net::Request& request, const Signing& signing, const std::string& body)
{
    request.fields =
        protocol::sign_request(signing.key, protocol::ServerName::trusted(signing.origin),
                               protocol::ServerName::trusted(signing.destination), request.method,
                               signing.target, body, signing.time, signing.nonce);
    for (auto& [name, value] : request.fields)
        std::transform(name.begin(), name.end(), name.begin(),
                       [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    request.body = body;
    request.id += "x";
}

net::Request Forger::sign(const std::string& to, net::Request request, std::string body)
{
    const auto signing = right(to, request);
    last_nonce_ = signing.nonce;
    put(request, signing, body);
    return request;
}

net::Request Forger::forge(const std::string& to, const net::Request& request, std::string& what)
{
    auto forged = request;
    auto signing = right(to, request);
    auto body = request.body;
    const auto kind = chance_.below(10);
    what = "a forged request, kind " + std::to_string(kind);
    switch (kind) {
        case 0: body = with_broken_octets(std::move(body), chance_); break;
        case 1: mistime(signing.time); break;
        case 2: signing.destination = to == "a.example" ? "b.example" : "a.example"; break;
        case 3: signing.key = protocol::SigningKey::generate(random_); break;
        case 4: signing.origin = to == "a.example" ? "b.example" : "a.example"; break;
        case 5: signing.target += "?x=1"; break;
        case 6: signing.nonce = last_nonce_.empty() ? "AAAA" : last_nonce_; break;
        default: break;
    }
    put(forged, signing, body);
    if (kind == 7) forged.body = with_broken_octets(std::move(body), chance_);
    if (kind == 8) disfigure(forged);
    if (kind == 9) {
        forged.path += "/";
        forged.target += "/";
    }
    return forged;
}

void Forger::mistime(protocol::SigningTime& time)
{
    const std::vector<protocol::Seconds> offsets = {-305, -100'000, 65, 2'000'000'000,
                                                    -time.created - 1};
    const std::vector<protocol::Seconds> lifetimes = {301, 0, -1, 1};
    if (chance_.percent(70)) time.created += chance_.pick(offsets);
    time.expires = time.created + (chance_.percent(50) ? chance_.pick(lifetimes) : 300);
}

// One of its fields is gone, twice, or another.
void Forger::disfigure(net::Request& request)
{
    auto& fields = request.fields;
    const auto place = chance_.below(fields.size());
    auto& [name, value] = fields[place];
    switch (chance_.below(4)) {
        case 0: fields.erase(fields.begin() + static_cast<std::ptrdiff_t>(place)); break;
        case 1: fields.emplace_back(name, value); break;
        case 2: fields.emplace_back(name, "x"); break;
        default:
            if (!value.empty())
                value[chance_.below(value.size())] = static_cast<char>(chance_.between(33, 126));
            break;
    }
}

}  // namespace entente::sim
