#include "rig.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>

#include <boost/asio/post.hpp>

#include "api/system.hpp"
#include "net/tls.hpp"
#include "protocol/ed25519.hpp"
#include "storage/sqlite/database.hpp"

namespace entente::api::testing {
namespace {

constexpr const char* server_name = "a.test";

struct Certificate {
    Certificate()
    {
        const auto made = net::make_self_signed(folder.file("cert.pem"), folder.file("key.pem"),
                                                {server_name}, 7);
        if (!made) std::abort();
    }
    Folder folder;
};

const Certificate& certificate()
{
    static const Certificate made;
    return made;
}

asio::awaitable<Result<federation::Answer>> ask_elsewhere(
    std::function<Result<federation::Answer>(const std::string&, const std::string&)> elsewhere,
    protocol::ServerName server, std::string target)
{
    if (!elsewhere) co_return fail(Code::unavailable, "nobody is there");
    co_return elsewhere(server.str(), target);
}

federation::Identity own_identity()
{
    protocol::start_crypto();
    const auto key = protocol::SigningKey::from_seed(std::string(32, 's')).value();
    federation::Identity identity{.name = protocol::ServerName::trusted(server_name),
                                  .key = key,
                                  .recovery = key.public_key()};
    identity.names.allow_test_names = true;
    return identity;
}

}  // namespace

Folder::Folder()
{
    std::array<char, 64> name{};
    std::snprintf(name.data(), name.size(), "/tmp/entente-api-XXXXXX");
    if (mkdtemp(name.data()) == nullptr) std::abort();
    path_ = name.data();
}

Folder::~Folder()
{
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

std::string Answer::field(const std::string& name) const
{
    for (const auto& [key, value] : fields)
        if (key == name) return value;
    return {};
}

std::string Answer::code() const
{
    constexpr std::string_view prefix = "urn:entente:problem:";
    const auto type = body.is_object() ? body.value("type", "") : std::string{};
    return type.starts_with(prefix) ? type.substr(prefix.size()) : type;
}

std::string Answer::hint() const
{
    return body.is_object() ? body.value("detail", "") : std::string{};
}

ApiOptions roomy_options()
{
    ApiOptions options;
    options.server = protocol::ServerName::trusted(server_name);
    options.names.allow_test_names = true;
    options.registration = Registration::open;
    options.address = {1000, 100'000};
    options.user = {1000, 100'000};
    return options;
}

const std::string& certificate_file()
{
    static const std::string file = certificate().folder.file("cert.pem");
    return file;
}

Rig::Rig(ApiOptions options) : options_(std::move(options)), identity_(own_identity())
{
    start();
}

Rig::~Rig()
{
    stop();
}

void Rig::start()
{
    io_ = std::make_unique<asio::io_context>(1);
    work_.emplace(io_->get_executor());
    const asio::any_io_executor io = io_->get_executor();
    tasks_ = std::make_unique<net::TaskGroup>(io, [](std::exception_ptr) { std::abort(); });
    commit_ = std::make_unique<storage::GroupCommit>(
        io, storage::make_sqlite_database(folder_.file("db")), storage::GroupCommitOptions{},
        [](const Error&) { std::abort(); });
    store_ = std::make_unique<storage::ChannelLogStore>(nullptr, options_.names, 1,
                                                        [](storage::CommittedRun&) {});
    commit_->add(*store_);
    if (auto started = commit_->start(); !started) throw std::runtime_error(started.error().detail);

    directory_ = std::make_unique<federation::Directory>(federation::DirectoryParts{
        options_.server, options_.names, *commit_, clock,
        [this](protocol::ServerName server, std::string target) {
            return ask_elsewhere(elsewhere, std::move(server), std::move(target));
        }});
    const auto asked = [this](protocol::ServerName server, const std::string&, std::string target,
                              std::string body) {
        return ask(std::move(server), std::move(target), std::move(body));
    };
    const auto wake = [this](const protocol::ServerName& server) { woken.push_back(server.str()); };
    const auto pass = [this](const protocol::ServerName& server,
                             const protocol::LiveSignal& signal) {
        passed.emplace_back(server.str(), protocol::write_signal(signal));
    };
    people_ = std::make_unique<federation::LocalPeople>(federation::LocalPeopleParts{
        identity_, *store_, *commit_, *tasks_, clock, random_, asked, wake, pass});
    media_ = std::make_unique<federation::Media>(
        federation::MediaParts{identity_,
                               *commit_,
                               pool_.get_executor(),
                               clock,
                               asked,
                               {folder_.file("media"), 100'000, 250'000},
                               [this](const protocol::ServerName&) { return tier_of_files; },
                               &policies});
    tiers_ = std::make_unique<trust::Tiers>(trust::TierConfig{});
    conduct_ = std::make_unique<federation::Conduct>(
        federation::ConductParts{options_.server, *tiers_, *commit_, *tasks_, log_, clock});
    peering_ = std::make_unique<federation::Peering>(federation::PeeringParts{
        identity_, *store_, *commit_, *tiers_, log_, clock, random_, wake});
    const auto in_conflict = [this](const protocol::ServerName& server) {
        return std::ranges::find(disputed, server.str()) != disputed.end();
    };
    api_ = std::make_unique<Api>(ApiParts{io, *tasks_, *commit_, channels, *directory_, *people_,
                                          *media_, report_passing, upheld, policies, *tiers_,
                                          *conduct_, *peering_, in_conflict, clock, random_, log_},
                                 options_);
    auto router = std::make_shared<net::Router>();
    api_->add_routes(*router);
    add_health_routes(*router, [this] { return ready(); }, clock);
    add_metrics_route(*router, metrics);

    auto tls =
        net::TlsServerContext::load(certificate_file(), certificate().folder.file("key.pem"));
    net::ListenerOptions listener;
    listener.address = {asio::ip::address_v4::loopback(), 0};
    listener.tls = *tls;
    server_ = std::make_unique<net::HttpServer>(*tasks_, listener, router, clock);
    server_->on_request_done(request_observer(metrics, "client"));
    if (auto started = server_->start(); !started) throw std::runtime_error(started.error().detail);

    net::ClientOptions options;
    options.guard = net::AddressGuard{{*net::parse_network("127.0.0.0/8")}};
    options.ca_file = certificate_file();
    options.resolve.emplace(server_name, server_->local());
    client_ = std::make_unique<net::HttpClient>(io, std::move(options));
    thread_ = std::thread{[this] { io_->run(); }};
    const auto loaded = await(conduct_->load());
    if (!loaded) throw std::runtime_error(loaded.error().detail);
    const auto ready_now = await(api_->start());
    if (!ready_now) throw std::runtime_error(ready_now.error().detail);
}

asio::awaitable<Result<federation::Answer>> Rig::ask(protocol::ServerName server,
                                                     std::string target, std::string body)
{
    if (!answer_query) co_return fail(Code::unavailable, "nobody is there");
    co_return answer_query(server, target, body);
}

void Rig::stop()
{
    on_io([this] { client_->close_idle(); });
    asio::co_spawn(*io_, server_->stop(std::chrono::milliseconds{2000}), asio::use_future).get();
    asio::co_spawn(*io_, tasks_->stop(), asio::use_future).get();
    commit_->stop();
    on_io([this] {
        client_.reset();
        server_.reset();
    });
    work_.reset();
    io_->stop();
    thread_.join();
    channels.forget_listeners();
    api_.reset();
    peering_.reset();
    conduct_.reset();
    tiers_.reset();
    directory_.reset();
    media_.reset();
    people_.reset();
    commit_.reset();
    store_.reset();
    tasks_.reset();
    io_.reset();
}

void Rig::restart()
{
    stop();
    start();
}

Answer Rig::send(net::Fetch fetch)
{
    fetch.host = server_name;
    auto response = await(client_->fetch(std::move(fetch)));
    if (!response) {
        ADD_FAILURE() << "no answer: " << response.error().detail;
        return {};
    }
    return {response->status, response->fields, json::parse(response->body, nullptr, false),
            response->body};
}

Answer Rig::post_text(const std::string& path, const std::string& body, const std::string& type,
                      const std::string& token, const std::string& encoding)
{
    auto fetch = with_body("POST", path, body, type, token);
    if (!encoding.empty()) fetch.fields.emplace_back("Content-Encoding", encoding);
    return send(std::move(fetch));
}

Answer Rig::request(const std::string& method, const std::string& path, const json& body,
                    const std::string& token)
{
    return send(with_body(method, path, body.dump(), "application/json", token));
}

net::Fetch Rig::with_body(const std::string& method, const std::string& path,
                          const std::string& body, const std::string& type,
                          const std::string& token)
{
    net::Fetch fetch;
    fetch.method = method;
    fetch.target = path;
    fetch.body = body;
    if (!type.empty()) fetch.fields.emplace_back("Content-Type", type);
    if (!token.empty()) fetch.fields.emplace_back("Authorization", "Bearer " + token);
    return fetch;
}

Answer Rig::post(const std::string& path, const json& body, const std::string& token)
{
    return post_text(path, body.dump(), "application/json", token);
}

Answer Rig::get_with(const std::string& path, const net::Fields& fields)
{
    net::Fetch fetch;
    fetch.method = "GET";
    fetch.target = path;
    fetch.fields = fields;
    return send(std::move(fetch));
}

Answer Rig::get(const std::string& path, const std::string& token)
{
    net::Fetch fetch;
    fetch.target = path;
    if (!token.empty()) fetch.fields.emplace_back("Authorization", "Bearer " + token);
    return send(std::move(fetch));
}

Person Rig::person(const std::string& name)
{
    const auto answer = post("/api/v1/auth/register", credentials(name, "a fine password"));
    EXPECT_EQ(answer.status, 201) << answer.text;
    if (answer.status != 201) return {};
    return {answer.body["user"], answer.body["access_token"], answer.body["refresh_token"]};
}

std::string Rig::ticket(const Person& person)
{
    const auto answer = post("/api/v1/auth/ws-ticket", json::object(), person.access);
    EXPECT_EQ(answer.status, 201) << answer.text;
    return answer.body.value("ticket", "");
}

std::string uuid(int number)
{
    std::array<char, 40> text{};
    std::snprintf(text.data(), text.size(), "00000000-0000-4000-8000-%012d", number);
    return text.data();
}

std::string device_key(int number)
{
    std::string seed(32, '\0');
    seed[0] = static_cast<char>(number);
    return protocol::SigningKey::from_seed(seed)->public_key().x();
}

json credentials(const std::string& name, const std::string& password, int number)
{
    return {{"name", name},
            {"password", password},
            {"device", {{"id", uuid(number)}, {"key", device_key(number)}, {"name", "laptop"}}}};
}

}  // namespace entente::api::testing
