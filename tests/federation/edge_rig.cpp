#include "tests/federation/edge_rig.hpp"

#include <stdlib.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "storage/sqlite/database.hpp"

namespace entente::federation::testing_rig {

namespace {

Identity make_identity(const std::string& name, protocol::Random& random, Millis now)
{
    auto key = protocol::SigningKey::generate(random);
    auto recovery = protocol::SigningKey::generate(random);
    Identity identity{ServerName::trusted(name), std::move(key), recovery.public_key()};
    identity.from = now;
    identity.api = "https://" + name;
    identity.contact = "mailto:admin@" + name;
    identity.names.allow_test_names = true;
    return identity;
}

net::AddressGuard loopback_guard()
{
    std::vector<net::Network> networks;
    networks.push_back(net::parse_network("127.0.0.0/8").value());
    return net::AddressGuard{std::move(networks)};
}

}  // namespace

Folder::Folder()
{
    std::string pattern = (std::filesystem::temp_directory_path() / "entente-edge-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp");
    path_ = pattern;
}

Folder::~Folder()
{
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

const Certificate& certificate()
{
    static Folder folder;
    static const Certificate made = [] {
        Certificate files{folder.file("cert.pem"), folder.file("key.pem")};
        auto written =
            net::make_self_signed(files.certificate_file, files.key_file,
                                  {"a.test", "chat.a.test", "b.test", "c.test", "d.test"}, 30);
        if (!written) throw std::runtime_error(written.error().detail);
        return files;
    }();
    return made;
}

World::World()
{
    protocol::start_crypto();
    (void)certificate();
}

void World::run(asio::awaitable<void> task)
{
    bool done = false;
    asio::co_spawn(io, std::move(task), [&](const std::exception_ptr& thrown) {
        done = true;
        if (thrown) bug = thrown;
    });
    while (!done) io.run_one();
    if (bug) std::rethrow_exception(bug);
}

Node::Node(World& shared, const std::string& name)
    : world(shared),
      identity(make_identity(name, shared.random, shared.clock.now_ms())),
      guard(loopback_guard())
{
    discovery_options.names = identity.names;
    discovery_options.refetches_per_source = 1;
    listen();
}

Node::~Node()
{
    close();
    world.run(server_->stop(std::chrono::milliseconds{0}));
    world.run(listening_->stop());
}

void Node::listen()
{
    auto router = std::make_shared<net::Router>();
    net::Route document;
    document.method = "GET";
    document.pattern = "/.well-known/entente";
    document.handler = [this](const net::Request& request) { return serve_document(request); };
    router->add(std::move(document));
    net::Route inbox_route;
    inbox_route.method = "POST";
    inbox_route.pattern = "/federation/v1/inbox";
    inbox_route.max_body = identity.limits.bytes;
    inbox_route.handler = [this](net::Request& request) { return serve_inbox(request); };
    router->add(std::move(inbox_route));

    listening_ = std::make_unique<net::TaskGroup>(
        world.io.get_executor(), [this](std::exception_ptr bug) { world.bug = bug; });
    net::ListenerOptions options;
    options.address = {asio::ip::make_address("127.0.0.1"), 0};
    options.tls =
        net::TlsServerContext::load(certificate().certificate_file, certificate().key_file).value();
    server_ = std::make_unique<net::HttpServer>(*listening_, options, router, world.clock);
    auto started = server_->start();
    if (!started) throw std::runtime_error(started.error().detail);
    world.places[identity.name.str()] = server_->local();
    world.places["chat." + identity.name.str()] = server_->local();
}

void Node::open()
{
    tasks = std::make_unique<net::TaskGroup>(world.io.get_executor(),
                                             [this](std::exception_ptr bug) { world.bug = bug; });
    net::ClientOptions client_options;
    client_options.guard = guard;
    client_options.ca_file = certificate().certificate_file;
    client_options.resolve = world.places;
    http = std::make_unique<net::HttpClient>(world.io.get_executor(), client_options);

    commits = std::make_unique<storage::GroupCommit>(
        world.io.get_executor(),
        storage::make_sqlite_database(world.folder.file(identity.name.str() + ".db")),
        storage::GroupCommitOptions{}, [](const Error& error) { ADD_FAILURE() << error.detail; });
    auto started = commits->start();
    if (!started) throw std::runtime_error(started.error().detail);
    pins = std::make_unique<storage::PinStore>(*commits);
    ring = std::make_unique<trust::KeyRing>();
    auto held = world.run(pins->all());
    for (auto& pin : held.value()) ring->load(std::move(pin));
    discovery = std::make_unique<Discovery>(
        *tasks, *http, *ring, *pins, world.clock, discovery_options,
        [this](const ServerName& server, std::string_view what, std::string_view) {
            notices.push_back(server.str() + " " + std::string{what});
        });

    storage::RocksWindowOptions window;
    window.folder = world.folder.file(identity.name.str() + ".nonces");
    window.start = world.clock.now_s();
    window.boot_id = "one boot";
    nonces = storage::open_rocks_window(window).value();
    pool = std::make_unique<asio::thread_pool>(1);
    tiers = std::make_unique<trust::Tiers>(tier_config);
    enforcer = std::make_unique<trust::policy::Enforcer>(policies, world.clock);
    budgets = std::make_unique<trust::Budgets>(tier_config.table, budget_options);
    GateParts parts{identity, *discovery, *nonces,     pool->get_executor(), *commits,
                    *tiers,   *budgets,   world.clock, enforcer.get()};
    gate = std::make_unique<Gate>(parts);
    client = std::make_unique<SignedClient>(identity, *discovery, *http, world.clock, world.random);
}

void Node::close()
{
    if (!tasks) return;
    world.run(tasks->stop());
    if (http) http->close_idle();
    pool->join();
    client.reset();
    gate.reset();
    nonces->close();
    nonces.reset();
    discovery.reset();
    http.reset();
    commits->stop();
    pins.reset();
    commits.reset();
    ring.reset();
    tasks.reset();
}

asio::awaitable<net::Response> Node::serve_document(const net::Request& request)
{
    ++fetched;
    if (hold) {
        auto wait = hold->async_wait(asio::as_tuple(asio::use_awaitable));
        co_await std::move(wait);
    }
    bool is_delegate = request.field("host").value_or("").starts_with("chat.");
    if (is_delegate && served_by_delegate) co_return *served_by_delegate;
    if (!is_delegate && served) co_return *served;
    co_return text_response(200, protocol::write_server_document(document(identity)));
}

asio::awaitable<net::Response> Node::serve_inbox(net::Request& request)
{
    if (!inbox) co_return text_response(404, "");
    auto response = co_await inbox(request);
    co_return response;
}

net::Response text_response(int status, std::string body)
{
    net::Response response;
    response.status = status;
    response.body = std::move(body);
    return response;
}

}  // namespace entente::federation::testing_rig
