#include "conformance/judge/world.hpp"

#include <fstream>
#include <sstream>
#include <stdexcept>
#include <utility>

#include "conformance/wire/octets.hpp"

namespace entente::conformance {

namespace {

std::string contents(const std::string& path)
{
    std::ifstream file(path, std::ios::binary);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
}

Authority authority_of(const TargetFile& file)
{
    return Authority::load(contents(file.authority_certificate), contents(file.authority_key));
}

// All names of the peers' domain are at the one address, and nothing else has one.
std::unique_ptr<DnsServer> dns_of(const TargetFile& file)
{
    if (file.topology != Topology::sealed) return nullptr;
    return std::make_unique<DnsServer>(*file.dns, [&file](const DnsQuestion& question) {
        DnsAnswer answer;
        if (question.name.ends_with("." + file.domain)) {
            answer.addresses = {file.address};
        } else {
            answer.code = 3;
        }
        return answer;
    });
}

}  // namespace

World::World(TargetFile file)
    : file_(std::move(file)),
      authority_(authority_of(file_)),
      door_(file_.host(), file_.port(), file_.connect, file_.ca_file),
      host_(file_.listen, authority_),
      dns_(dns_of(file_))
{
    fetch_document();
    accounts_ = file_.client_api.empty() ? command_accounts(file_) : client_api_accounts(file_);
}

nlohmann::json World::document() const
{
    const std::lock_guard lock(mutex_);
    return document_;
}

std::string World::key_of(const std::string& kid)
{
    const auto look = [&]() -> std::string {
        const auto document = this->document();
        for (const auto* list : {"keys", "old_keys"}) {
            const auto keys = document.find(list);
            if (keys == document.end() || !keys->is_array()) continue;
            for (const auto& key : *keys)
                if (key.is_object() && key.value("kid", "") == kid)
                    return from_base64url(key.value("x", "")).value_or("");
        }
        return {};
    };
    auto found = look();
    if (!found.empty()) return found;
    // It may have rotated.
    try {
        fetch_document();
    } catch (const std::runtime_error&) {
        return {};
    }
    return look();
}

void World::fetch_document()
{
    Connection connection(door_);
    Request request;
    request.method = "GET";
    request.target = "/.well-known/entente";
    request.fields = {{"Host", door_.authority()}};
    const auto result = connection.ask(request);
    const auto where = file_.base + request.target;
    if (!result.error.empty())
        throw std::runtime_error(
            where + " can't be fetched: " + result.error + "; " +
            (connection.is_untrusted()
                 ? "target.ca_file has to be of the authority that signed it, or of the "
                   "certificate "
                   "itself, and the certificate of " +
                       file_.host()
                 : std::string("is the target running, and does target.connect say where?")));
    learn_clock(result.answer);
    auto document = json_body(result.answer);
    if (result.answer.status != 200 || !document.is_object())
        throw std::runtime_error(where + " answers " + std::to_string(result.answer.status) +
                                 " and no server document [DISC-1]");
    if (document.contains("server") && document["server"] != file_.name)
        throw std::runtime_error(where + " is the document of " + document["server"].dump() +
                                 ", not of " + file_.name + "; put target.name right");
    const std::lock_guard lock(mutex_);
    document_ = std::move(document);
}

std::int64_t World::now() const
{
    return system_milliseconds() + ahead_;
}

void World::learn_clock(const Answer& answer)
{
    const auto date = parse_date(field_of(answer.fields, "date").value_or(""));
    if (!date) return;
    // The true time lies within the second that Date names. As long as our own clock is within it
    // too, it is taken for right.
    const auto here = system_milliseconds();
    if (*date + 1'000 <= here - 1'000 || *date > here + 1'000) {
        ahead_ = *date - here;
    } else {
        ahead_ = 0;
    }
}

std::shared_ptr<Origin> World::make_origin(const std::string& label, CertificateFault fault)
{
    // Case ids are letters, digits and hyphens; names of a run before this one are never met again.
    auto name = label + "-" + hex(fresh_octets(4)) + "." + file_.domain;
    auto origin = std::make_shared<Origin>(name, [this] { return now(); });
    host_.add(name, origin, fault);
    return origin;
}

void World::end_origin(const Origin& origin)
{
    host_.remove(origin.name());
    if (dns_) dns_->forget_script(origin.name());
}

bool World::has_hook(const std::string& name) const
{
    return file_.hooks.contains(name);
}

}  // namespace entente::conformance
