#include "conformance/judge/verify.hpp"

#include <algorithm>
#include <set>
#include <vector>

#include "conformance/wire/events.hpp"
#include "conformance/wire/octets.hpp"
#include "conformance/wire/signing.hpp"

namespace entente::conformance {

namespace {

using nlohmann::json;

// A member of `object`; null where it isn't there, or there is no object.
json at_of(const json& object, const char* name)
{
    return object.is_object() && object.contains(name) ? object[name] : json();
}

std::string string_of(const json& object, const char* name)
{
    const auto value = at_of(object, name);
    return value.is_string() ? value.get<std::string>() : std::string();
}

std::uint64_t count_of(const json& object, const char* name)
{
    const auto value = at_of(object, name);
    return value.is_number_unsigned() ? value.get<std::uint64_t>() : 0;
}

json list_of(const json& object, const char* name)
{
    auto value = at_of(object, name);
    return value.is_array() ? value : json::array();
}

json parsed_json(const std::string& text)
{
    auto value = json::parse(text, nullptr, false);
    return value.is_discarded() ? json() : value;
}

std::string server_of(const std::string& name)
{
    const auto at = name.find('@');
    return at == std::string::npos ? name : name.substr(at + 1);
}

std::vector<std::string> strings_of(const json& list)
{
    std::vector<std::string> texts;
    for (const auto& one : list) texts.push_back(one.is_string() ? one.get<std::string>() : "");
    return texts;
}

struct Root {
    std::string flaw;
    std::string hash;
    std::uint64_t size = 0;
};

// A JWS of typ entente-root by `server`.
Root read_root(const std::string& text, const std::string& server, const KeyOf& keys)
{
    Root root;
    const auto first = text.find('.');
    const auto last = text.rfind('.');
    if (first == std::string::npos || first == last) {
        root.flaw = "a root is no JWS";
        return root;
    }
    const auto header = parsed_json(from_base64url(text.substr(0, first)).value_or(""));
    const auto payload =
        parsed_json(from_base64url(text.substr(first + 1, last - first - 1)).value_or(""));
    const auto kid = string_of(header, "kid");
    const auto hash = kid.find('#');
    if (string_of(header, "typ") != "entente-root" || string_of(header, "alg") != "Ed25519")
        root.flaw = "a root has the header " + header.dump();
    else if (hash == std::string::npos || kid.substr(0, hash) != server)
        root.flaw = "a root is signed by " + kid + ", not by " + server;
    else if (!verifies(text.substr(0, last), from_base64url(text.substr(last + 1)).value_or(""),
                       keys(server, kid.substr(hash + 1))))
        root.flaw = "the signature of a root by " + kid + " doesn't verify";
    root.hash = from_base64url(string_of(payload, "root")).value_or("");
    root.size = count_of(payload, "size");
    if (root.flaw.empty() && (root.size == 0 || !at_of(payload, "at").is_number_integer()))
        root.flaw = "a root has no size or no time: " + payload.dump();
    return root;
}

struct Input {
    std::string label;
    std::vector<std::string> components;
    std::vector<std::pair<std::string, std::string>> parameters;
    bool is_read = false;
};

// The one canonical spelling that [SIG-9] allows: `label=("a" "b");name=value;…`.
Input read_input(const std::string& field)
{
    Input input;
    const auto open = field.find("=(");
    const auto close = field.find(')');
    if (open == std::string::npos || close == std::string::npos || close < open) return input;
    input.label = field.substr(0, open);
    auto rest = field.substr(open + 2, close - open - 2);
    while (!rest.empty()) {
        const auto space = rest.find(' ');
        input.components.push_back(rest.substr(0, space));
        rest = space == std::string::npos ? "" : rest.substr(space + 1);
    }
    rest = field.substr(close + 1);
    while (rest.starts_with(';')) {
        const auto equals = rest.find('=');
        if (equals == std::string::npos) return input;
        auto end = equals + 1;
        if (end < rest.size() && rest[end] == '"') end = rest.find('"', end + 1);
        end = end == std::string::npos ? end : rest.find(';', end);
        input.parameters.emplace_back(
            rest.substr(1, equals - 1),
            rest.substr(equals + 1,
                        end == std::string::npos ? std::string::npos : end - equals - 1));
        rest = end == std::string::npos ? "" : rest.substr(end);
    }
    input.is_read = rest.empty();
    return input;
}

std::string bare_value(const Input& input, const std::string& name)
{
    for (const auto& [given, value] : input.parameters) {
        if (given != name) continue;
        return value.size() >= 2 && value.front() == '"' ? value.substr(1, value.size() - 2)
                                                         : value;
    }
    return {};
}

std::int64_t seconds_of(const Input& input, const std::string& name)
{
    const auto text = bare_value(input, name);
    const bool is_number = !text.empty() && text.size() <= 15 &&
                           text.find_first_not_of("0123456789") == std::string::npos;
    return is_number ? std::stoll(text) : -1;
}

// [SIG-2] to [SIG-4].
std::string flaw_of_parameters(const Input& input, std::int64_t now)
{
    constexpr std::int64_t slack = 2;
    const auto created = seconds_of(input, "created");
    const auto expires = seconds_of(input, "expires");
    if (created < 0 || expires < 0) return "created or expires is missing, or no number";
    if (created < now - 300 - slack || created > now + 60 + slack)
        return "created is " + std::to_string(created - now) + " s from now";
    if (expires <= created || expires > created + 300)
        return "expires is " + std::to_string(expires - created) + " s after created";
    if (expires < now - slack) return "expires has passed";
    const auto nonce = from_base64url(bare_value(input, "nonce"));
    if (!nonce || nonce->size() < 16 || nonce->size() > 64)
        return "the nonce isn't 16 to 64 octets in base64url";
    const auto alg = bare_value(input, "alg");
    return alg.empty() || alg == "ed25519" ? "" : "alg is " + alg;
}

// [SIG-1], [SIG-5], [SIG-6].
std::string flaw_of_components(const Request& request, const Input& input,
                               const std::string& destination)
{
    std::vector<std::string> needed = {"\"@method\"", "\"@path\"", "\"@query\"",
                                       "\"entente-destination\""};
    if (!request.body.empty()) {
        needed.emplace_back("\"content-type\"");
        needed.emplace_back("\"content-digest\"");
    }
    for (const auto& one : needed)
        if (std::count(input.components.begin(), input.components.end(), one) != 1)
            return one + " isn't covered once";
    for (const auto& one : input.components)
        if (one.size() < 3 || one.front() != '"' || one.back() != '"')
            return "the component " + one + " has parameters";
    if (field_of(request.fields, "entente-destination") != destination)
        return "Entente-Destination isn't " + destination;
    if (request.body.empty()) return {};
    if (field_of(request.fields, "content-type") != "application/json")
        return "the content-type isn't application/json";
    const auto digest = field_of(request.fields, "content-digest").value_or("");
    return digest == content_digest(request.body) ? "" : "the Content-Digest isn't of its octets";
}

}  // namespace

std::string signature_parameter(const Request& request, const std::string& name)
{
    return bare_value(read_input(field_of(request.fields, "signature-input").value_or("")), name);
}

std::string flaw_of_request(const Request& request, const std::string& sender,
                            const std::string& destination, std::int64_t now, const KeyOf& keys)
{
    for (const auto* name :
         {"signature", "signature-input", "content-digest", "entente-destination", "content-type"})
        if (std::count_if(request.fields.begin(), request.fields.end(), [&](const auto& one) {
                return field_of(Fields{one}, name).has_value();
            }) > 1)
            return std::string(name) + " stands twice";
    const auto input = read_input(field_of(request.fields, "signature-input").value_or(""));
    if (!input.is_read) return "Signature-Input can't be read";
    if (auto flaw = flaw_of_parameters(input, now); !flaw.empty()) return flaw;
    if (auto flaw = flaw_of_components(request, input, destination); !flaw.empty()) return flaw;
    if (bare_value(input, "tag") != "entente-v1") return "the tag isn't entente-v1";
    const auto keyid = bare_value(input, "keyid");
    if (!keyid.starts_with(sender + "#")) return "the keyid is " + keyid;
    const auto signature = field_of(request.fields, "signature").value_or("");
    const auto begin = input.label + "=:";
    if (!signature.starts_with(begin) || !signature.ends_with(':'))
        return "Signature isn't of the label " + input.label;
    const auto octets =
        from_base64(signature.substr(begin.size(), signature.size() - begin.size() - 1));
    SignatureInput covered;
    covered.components = input.components;
    covered.parameters = input.parameters;
    if (!octets || !verifies(signature_base(request, covered), *octets,
                             keys(sender, keyid.substr(sender.size() + 1))))
        return "the signature doesn't verify under " + keyid;
    return {};
}

std::string flaw_of_proof(const json& roots, const json& holder, const std::string& leaf,
                          const std::string& server, const KeyOf& keys)
{
    const auto proof = at_of(holder, "proof");
    const auto place = count_of(proof, "root");
    if (!proof.is_object() || !roots.is_array() || place >= roots.size() ||
        !roots[place].is_string())
        return "a proof points at no root: " + proof.dump();
    const auto root = read_root(roots[place].get<std::string>(), server, keys);
    if (!root.flaw.empty()) return root.flaw;
    std::vector<std::string> path;
    for (const auto& step : strings_of(list_of(proof, "path")))
        path.push_back(from_base64url(step).value_or(""));
    const auto led = root_from_path(leaf, count_of(proof, "index"), root.size, path);
    return !led.empty() && led == root.hash ? "" : "a proof doesn't lead to its root";
}

std::string flaw_of_seal(const json& roots, const std::string& channel, const json& seal,
                         const std::string& server, const KeyOf& keys)
{
    const auto leaf = seal_leaf(channel, strings_of(list_of(seal, "events")));
    const auto flaw = flaw_of_proof(roots, seal, leaf, server, keys);
    return flaw.empty() ? "" : "seal: " + flaw;
}

std::string flaw_of_submission(const json& roots, const json& submission, const std::string& server,
                               const KeyOf& keys)
{
    const auto channel = string_of(submission, "channel");
    const auto seal = at_of(submission, "seal");
    std::vector<std::string> ids;
    for (const auto& item : list_of(submission, "events")) {
        const auto octets = string_of(item, "event");
        const auto event = parsed_json(octets);
        ids.push_back(event_id(octets));
        if (string_of(event, "channel") != channel) return "an event is for another channel";
        if (server_of(string_of(event, "sender")) != server)
            return "an event is by " + string_of(event, "sender");
        if (content_hash(string_of(item, "content")) != string_of(event, "content"))
            return "a content doesn't match its hash";
    }
    if (ids.empty()) return "a submission holds no events";
    if (strings_of(list_of(seal, "events")) != ids) return "the seal lists other events";
    return flaw_of_seal(roots, channel, seal, server, keys);
}

namespace {

// One entry of a slice, by itself.
std::string flaw_of_entry(const json& entry, const json& event, const std::string& channel)
{
    if (string_of(event, "channel") != channel) return "an entry is for another channel";
    const auto has = [&](const char* name) { return entry.contains(name) ? 1 : 0; };
    if (has("content") + has("deleted_by") + has("expired") > 1)
        return "an entry has more than one of content, deleted_by and expired";
    if (entry.contains("content") &&
        content_hash(string_of(entry, "content")) != string_of(event, "content"))
        return "a content doesn't match its hash";
    return {};
}

// [LOG-15] The event is in a seal of its author's server.
std::string flaw_of_author(const json& roots, const json& slice, const std::string& channel,
                           const std::string& id, const std::string& author, const KeyOf& keys)
{
    std::string flaw = "an entry of " + author + " is in no seal";
    for (const auto& seal : list_of(slice, "seals")) {
        const auto ids = strings_of(list_of(seal, "events"));
        if (std::find(ids.begin(), ids.end(), id) == ids.end()) continue;
        flaw = flaw_of_seal(roots, channel, seal, author, keys);
        if (flaw.empty()) break;
    }
    return flaw;
}

std::string flaw_of_checkpoint(const json& roots, const json& slice, std::uint64_t seq,
                               const std::string& hash, const std::string& home, const KeyOf& keys)
{
    const auto channel = string_of(slice, "channel");
    const auto epoch = count_of(slice, "epoch");
    const auto checkpoint = at_of(slice, "checkpoint");
    if (count_of(checkpoint, "epoch") != epoch || count_of(checkpoint, "seq") != seq ||
        string_of(checkpoint, "hash") != hash)
        return "the entries don't lead to the checkpoint " + checkpoint.dump();
    const auto flaw =
        flaw_of_proof(roots, checkpoint, checkpoint_leaf(channel, epoch, seq, hash), home, keys);
    return flaw.empty() ? "" : "checkpoint: " + flaw;
}

}  // namespace

std::string flaw_of_slice(const json& roots, const json& slice, const std::string& home,
                          const KeyOf& keys)
{
    const auto channel = string_of(slice, "channel");
    const auto epoch = count_of(slice, "epoch");
    const auto after = at_of(slice, "after");
    if (channel.empty() || epoch == 0 || !after.is_object() || !at_of(slice, "entries").is_array())
        return "the slice lacks channel, epoch, after or entries";
    auto seq = count_of(after, "seq");
    auto hash = string_of(after, "hash");
    if ((seq == 0) != hash.empty()) return "after has no hash, or one before the first entry";
    if (count_of(slice, "floor") > seq) return "the slice begins below its receiver's floor";
    std::int64_t last_at = 0;
    for (const auto& entry : list_of(slice, "entries")) {
        const auto octets = string_of(entry, "event");
        const auto event = parsed_json(octets);
        if (auto flaw = flaw_of_entry(entry, event, channel); !flaw.empty()) return flaw;
        const auto at = entry.value("at", std::int64_t{-1});
        if (at < last_at) return "an entry is older than the one before it";
        last_at = at;
        const auto id = event_id(octets);
        hash = entry_hash(channel, epoch, ++seq, at, hash, id);
        const auto author = server_of(string_of(event, "sender"));
        if (author == home) continue;
        if (auto flaw = flaw_of_author(roots, slice, channel, id, author, keys); !flaw.empty())
            return flaw;
    }
    if (count_of(slice, "latest") < seq) return "latest is below the last entry";
    return flaw_of_checkpoint(roots, slice, seq, hash, home, keys);
}

std::string flaw_of_snapshot(const json& roots, const json& snapshot, const std::string& home,
                             const KeyOf& keys)
{
    const auto leaf = snapshot_leaf(string_of(snapshot, "channel"), count_of(snapshot, "epoch"),
                                    count_of(snapshot, "seq"), string_of(snapshot, "hash"),
                                    static_cast<std::int64_t>(count_of(snapshot, "at")),
                                    string_of(snapshot, "state"));
    const auto flaw = flaw_of_proof(roots, snapshot, leaf, home, keys);
    if (!flaw.empty()) return "snapshot: " + flaw;
    const auto text = string_of(snapshot, "state");
    // Names in ASCII: the order of nlohmann's objects is that of RFC 8785.
    return parsed_json(text).dump() == text ? "" : "the state isn't in RFC 8785 form";
}

std::string flaw_of_transaction(const json& body, const std::string& sender, const KeyOf& keys)
{
    const auto roots = list_of(body, "roots");
    std::set<std::uint64_t> used;
    const auto use = [&](const json& holder) {
        used.insert(count_of(at_of(holder, "proof"), "root"));
    };
    for (const auto& submission : list_of(body, "submissions")) {
        use(at_of(submission, "seal"));
        if (auto flaw = flaw_of_submission(roots, submission, sender, keys); !flaw.empty())
            return flaw;
    }
    for (const auto& slice : list_of(body, "logs")) {
        use(at_of(slice, "checkpoint"));
        for (const auto& seal : list_of(slice, "seals")) use(seal);
        if (auto flaw = flaw_of_slice(roots, slice, sender, keys); !flaw.empty()) return flaw;
    }
    if (used.size() != roots.size()) return "a root is used by no proof, or isn't there";
    return {};
}

}  // namespace entente::conformance
