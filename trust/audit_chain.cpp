#include "trust/audit_chain.hpp"

#include <algorithm>
#include <utility>

#include "protocol/json_rules.hpp"
#include "protocol/jws.hpp"
#include "protocol/octets.hpp"
#include "protocol/raw_members.hpp"

namespace entente::trust {

namespace {

using protocol::json_string;

constexpr std::string_view hash_prefix = "entente-audit-v1\n";
constexpr std::string_view file_type = "entente-audit-log";
constexpr std::string_view head_type = "entente-audit-head";
constexpr std::int64_t file_version = 1;
// Which names there may be is the server's business that wrote the log.
constexpr protocol::NameRules any_name{true};

bool is_plain(std::string_view text)
{
    return std::ranges::none_of(text, [](char c) {
        const auto octet = static_cast<unsigned char>(c);
        return octet < 0x20 || octet == 0x7f;
    });
}

Result<void> check_name(const char* what, std::string_view text, std::size_t most)
{
    if (text.empty()) return refuse(Code::malformed, std::string(what) + " is empty");
    if (text.size() > most)
        return refuse(Code::too_large,
                      std::string(what) + " has over " + std::to_string(most) + " octets");
    if (!is_plain(text))
        return refuse(Code::malformed, std::string(what) + " has a control character");
    return protocol::check_json(json_string(text));
}

std::string entry_name(std::int64_t seq)
{
    return "entry " + std::to_string(seq);
}

}  // namespace

Result<void> check_audit_entry(const AuditEntry& entry)
{
    if (auto fits = check_name("actor", entry.actor, max_audit_name_octets); !fits) return fits;
    if (auto fits = check_name("act", entry.act, max_audit_act_octets); !fits) return fits;
    if (auto fits = check_name("object", entry.object, max_audit_name_octets); !fits) return fits;
    if (entry.details.size() > max_audit_details_octets)
        return refuse(Code::too_large,
                      "details have over " + std::to_string(max_audit_details_octets) + " octets");
    // A string within has its own escaped: what is left is blanks between members.
    if (entry.details.find_first_of("\n\r\t") != std::string::npos)
        return refuse(Code::malformed, "details have a line break or a tab");
    if (auto object = protocol::checked_object(entry.details); !object) return fail(object);
    return {};
}

std::string audit_hash(const protocol::ServerName& server, const AuditEntry& entry)
{
    std::string input(hash_prefix);
    for (const auto& part : {server.str(), std::to_string(entry.seq), std::to_string(entry.at),
                             entry.actor, entry.act, entry.object, entry.details, entry.previous}) {
        input += part;
        input += '\n';
    }
    return protocol::to_base64url(protocol::sha256(input));
}

std::string audit_first_line(const protocol::ServerName& server)
{
    return R"({"type":")" + std::string(file_type) + R"(","v":)" + std::to_string(file_version) +
           R"(,"server":)" + json_string(server.str()) + "}";
}

std::string audit_entry_line(const AuditEntry& entry)
{
    std::string out = R"({"seq":)" + std::to_string(entry.seq);
    out += R"(,"at":)" + std::to_string(entry.at);
    out += R"(,"actor":)" + json_string(entry.actor);
    out += R"(,"act":)" + json_string(entry.act);
    out += R"(,"object":)" + json_string(entry.object);
    out += R"(,"details":)" + entry.details;
    out += R"(,"previous":)" + json_string(entry.previous);
    return out + R"(,"hash":)" + json_string(entry.hash) + "}";
}

std::string audit_last_line(const protocol::ServerName& server, const AuditHead& head,
                            protocol::Millis at, const protocol::SigningKey& key)
{
    const auto payload = R"({"server":)" + json_string(server.str()) + R"(,"seq":)" +
                         std::to_string(head.seq) + R"(,"hash":)" + json_string(head.hash) +
                         R"(,"at":)" + std::to_string(at) + "}";
    return R"({"head":")" + protocol::make_jws(key, server, head_type, payload) + R"(","x":")" +
           key.public_key().x() + R"("})";
}

Result<void> AuditReader::take(std::string_view line)
{
    if (signed_) return refuse(Code::malformed, "there is more behind the signed end");
    if (line.size() > max_audit_line_octets)
        return refuse(Code::malformed, entry_name(broken_at()) + " is too long");
    if (server_.empty()) return take_first(line);
    const auto object = protocol::checked_object(line);
    if (!object) return refuse(Code::malformed, entry_name(broken_at()) + " is no JSON object");
    protocol::RawMembers members{*object, ""};
    const auto jws = members.may_text("head", protocol::max_jws_octets);
    const auto x = members.may_text("x", 64);
    if (jws && x && !members.error()) return take_last(*jws, *x);
    return take_entry(*object);
}

Result<void> AuditReader::take_first(std::string_view line)
{
    const auto object = protocol::checked_object(line);
    if (!object) return refuse(Code::malformed, "this is no exported audit log");
    protocol::RawMembers members{*object, ""};
    const auto type = members.text("type", max_audit_act_octets);
    const auto version = members.integer("v", 0, protocol::max_json_integer);
    const auto name = members.text("server", protocol::max_name_octets);
    auto server = protocol::parse_server_name(name, any_name);
    if (members.error() || type != file_type || !server)
        return refuse(Code::malformed, "this is no exported audit log");
    if (version != file_version)
        return refuse(Code::unsupported,
                      "this audit log has another version: " + std::to_string(version));
    server_ = std::move(*server);
    return {};
}

Result<void> AuditReader::take_entry(std::string_view line)
{
    protocol::RawMembers members{line, ""};
    AuditEntry entry;
    entry.seq = members.integer("seq", 1, protocol::max_json_integer);
    entry.at = members.integer("at", 0, protocol::max_json_integer);
    entry.actor = members.text("actor", max_audit_name_octets);
    entry.act = members.text("act", max_audit_act_octets);
    entry.object = members.text("object", max_audit_name_octets);
    entry.details = std::string(members.object("details", max_audit_details_octets));
    entry.previous = members.text("previous", max_audit_act_octets);
    entry.hash = members.text("hash", max_audit_act_octets);
    const auto next = entry_name(broken_at());
    if (members.error())
        return refuse(Code::malformed, next + " can't be read: " + members.error()->hint);
    if (entry.seq != broken_at())
        return refuse(Code::malformed,
                      next + " is missing: " + entry_name(entry.seq) + " stands in its place");
    if (auto fits = check_audit_entry(entry); !fits)
        return refuse(Code::malformed, next + " can't be read: " + fits.error().hint);
    if (entry.previous != head_.hash)
        return refuse(Code::malformed, next + " doesn't follow the one before it");
    if (entry.hash != audit_hash(server_, entry))
        return refuse(Code::malformed, next + " was changed: its hash is another");
    // So that the file is this log and nothing besides: unknown members, another spelling.
    if (line != audit_entry_line(entry))
        return refuse(Code::malformed, next + " isn't written as the log writes it");
    if (entry_ && entry.at < entry_->at)
        return refuse(Code::malformed, next + " is older than the one before it");
    head_ = {entry.seq, entry.hash};
    entry_ = std::move(entry);
    return {};
}

Result<void> AuditReader::take_last(std::string_view jws_text, std::string_view x)
{
    const auto bad = [](const char* why) {
        return refuse(Code::malformed, std::string("the signed end: ") + why);
    };
    auto jws = protocol::parse_jws(jws_text, any_name);
    if (!jws || jws->type != head_type) return bad("it can't be read");
    auto key = protocol::PublicKey::from_x(x);
    if (!key || key->thumbprint() != jws->key.key || jws->key.server != server_ ||
        !protocol::verifies(*jws, *key))
        return bad("its signature doesn't hold");
    const auto object = protocol::checked_object(jws->payload);
    if (!object) return bad("it can't be read");
    protocol::RawMembers members{*object, ""};
    const auto server = members.text("server", protocol::max_name_octets);
    const auto seq = members.integer("seq", 0, protocol::max_json_integer);
    const auto hash = members.text("hash", max_audit_act_octets);
    const auto at = members.integer("at", 0, protocol::max_json_integer);
    if (members.error() || server != server_.str()) return bad("it can't be read");
    if (seq > head_.seq)
        return refuse(Code::malformed, entry_name(broken_at()) +
                                           " is missing: the server has "
                                           "signed the log up to " +
                                           entry_name(seq));
    if (seq != head_.seq || hash != head_.hash) return bad("it is of another log");
    signed_ = Signed{jws->key, at};
    return {};
}

Result<void> AuditReader::finish() const
{
    if (signed_) return {};
    if (server_.empty()) return refuse(Code::malformed, "this is no exported audit log");
    return refuse(Code::malformed,
                  entry_name(broken_at()) + " or the signed end is missing: the file is cut off");
}

}  // namespace entente::trust
