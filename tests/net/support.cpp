#include "tests/net/support.hpp"

#include <atomic>
#include <cstdlib>

#include <boost/asio/this_coro.hpp>

#include "net/plain_stream.hpp"
#include "net/socket_core.hpp"

namespace entente::net::test {

void run(asio::io_context& context, asio::awaitable<void> task)
{
    std::exception_ptr thrown;
    bool ended = false;
    const auto done = [&](std::exception_ptr exception) {
        thrown = std::move(exception);
        ended = true;
        context.stop();
    };
    context.restart();
    asio::co_spawn(context, std::move(task), done);
    context.run_for(20s);
    ASSERT_TRUE(ended) << "the test's coroutine did not end in time";
    if (thrown) std::rethrow_exception(thrown);
}

Folder::Folder()
{
    std::string pattern = (std::filesystem::temp_directory_path() / "entente-net-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
}

Folder::~Folder()
{
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

const Certificate& shared_certificate()
{
    static const Folder folder;
    static const Certificate certificate = [] {
        Certificate made{folder.file("certificate.pem"), folder.file("key.pem")};
        const auto done = make_self_signed(made.certificate, made.key, {"a.test", "b.test"}, 30);
        EXPECT_TRUE(done) << done.error().detail;
        return made;
    }();
    return certificate;
}

std::shared_ptr<TlsServerContext> shared_tls()
{
    const auto& files = shared_certificate();
    auto context = TlsServerContext::load(files.certificate, files.key);
    EXPECT_TRUE(context);
    return context.value_or(nullptr);
}

namespace {

Response text_response(std::string text)
{
    Response response;
    response.content_type = "text/plain";
    response.body = std::move(text);
    return response;
}

asio::awaitable<Response> hello(const Request&)
{
    co_return text_response("hello");
}
asio::awaitable<Response> echo(const Request& request)
{
    co_return text_response(request.body);
}
asio::awaitable<Response> item(const Request& request)
{
    co_return text_response(request.captures.at(0) + "|" + request.query);
}
asio::awaitable<Response> source(const Request& request)
{
    co_return text_response(request.source.to_string());
}
asio::awaitable<Response> throws(const Request&)
{
    throw std::runtime_error("a handler's bug");
    co_return Response();
}
asio::awaitable<Response> never(const Request&)
{
    while (true) co_await sleep_for(1h);
    co_return Response();
}
asio::awaitable<Response> big(const Request&)
{
    co_return text_response(std::string(1'048'576, 'x'));
}

}  // namespace

std::shared_ptr<Router> make_routes()
{
    auto router = std::make_shared<Router>();
    router->add({"GET", "/hello", 0, hello});
    router->add({"POST", "/echo", 1'000, echo});
    router->add({"GET", "/items/{id}", 0, item});
    router->add({"GET", "/source", 0, source});
    router->add({"GET", "/throw", 0, throws});
    router->add({"GET", "/never", 0, never});
    router->add({"GET", "/big", 0, big});
    return router;
}

namespace {

std::string what_of(const std::exception_ptr& thrown)
{
    try {
        std::rethrow_exception(thrown);
    } catch (const std::exception& exception) {
        return exception.what();
    }
}

}  // namespace

Served::Served(asio::io_context& context, ListenerOptions options,
               std::shared_ptr<const Router> router)
    : tasks(context.get_executor(),
            [this](const std::exception_ptr& thrown) { bugs.push_back(what_of(thrown)); }),
      server(tasks, std::move(options), std::move(router), clock)
{
    const auto started = server.start();
    EXPECT_TRUE(started) << started.error().detail;
}

asio::awaitable<void> Served::stop(std::chrono::milliseconds limit)
{
    co_await server.stop(limit);
    co_await tasks.stop();
}

ListenerOptions plain_listener()
{
    ListenerOptions options;
    options.address = {asio::ip::make_address("127.0.0.1"), 0};
    return options;
}

ListenerOptions tls_listener()
{
    auto options = plain_listener();
    options.tls = shared_tls();
    return options;
}

asio::awaitable<ConnectionPtr> connect_raw(asio::ip::tcp::endpoint endpoint)
{
    const auto executor = co_await asio::this_coro::executor;
    auto core = std::make_shared<SocketCore>(asio::ip::tcp::socket(executor));
    core->deadline_after(15s);
    auto connected = co_await core->connect(endpoint);
    EXPECT_TRUE(connected);
    co_return make_plain_connection(std::move(core));
}

asio::awaitable<std::string> read_to_end(Connection& connection)
{
    std::string text;
    std::string part(65'536, '\0');
    while (true) {
        auto count = co_await connection.read_some(part.data(), part.size());
        if (count && *count > 0) {
            text.append(part, 0, *count);
            continue;
        }
        EXPECT_TRUE(count || count.error().code != Code::timeout) << "the peer did not close";
        co_return text;
    }
}

constexpr std::size_t max_length_digits = 20;

asio::awaitable<std::string> read_answer(Connection& connection)
{
    std::string text;
    std::string part(65'536, '\0');
    std::size_t wanted = std::string::npos;
    while (text.size() < wanted) {
        auto count = co_await connection.read_some(part.data(), part.size());
        if (!count || *count == 0) break;
        text.append(part, 0, *count);
        if (wanted != std::string::npos) continue;
        const auto end = text.find("\r\n\r\n");
        const auto length = text.find("Content-Length: ");
        if (end == std::string::npos || length == std::string::npos) continue;
        wanted = end + 4 + std::stoul(text.substr(length + 16, max_length_digits));
    }
    co_return text;
}

asio::awaitable<std::string> talk(asio::ip::tcp::endpoint endpoint, std::string octets)
{
    auto connection = co_await connect_raw(endpoint);
    co_await connection->write(octets);
    co_return co_await read_to_end(*connection);
}

int status_of(const std::string& answer)
{
    return answer.starts_with("HTTP/1.1 ") ? std::stoi(answer.substr(9, 3)) : 0;
}

std::string body_of(const std::string& answer)
{
    const auto end = answer.find("\r\n\r\n");
    return end == std::string::npos ? "" : answer.substr(end + 4);
}

}  // namespace entente::net::test
