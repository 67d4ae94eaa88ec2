#include "federation/gate/gate.hpp"

#include <utility>

#include "federation/event_policy.hpp"
#include "federation/gate/answers.hpp"
#include "federation/long_octets.hpp"
#include "federation/run_blocking.hpp"
#include "net/source_key.hpp"
#include "protocol/ascii.hpp"

namespace entente::federation {

namespace {

// RFC 3986's pchar without the escapes: what stands in a path segment as itself.
bool stands_literally(char octet)
{
    if ((octet >= 'a' && octet <= 'z') || (octet >= 'A' && octet <= 'Z')) return true;
    if (octet >= '0' && octet <= '9') return true;
    return std::string_view{"-._~!$&'()*+,;=:@"}.find(octet) != std::string_view::npos;
}

}  // namespace

Result<void> check_path(std::string_view path)
{
    for (std::size_t at = 0; at < path.size(); ++at) {
        if (path[at] != '%') continue;
        auto high = at + 1 < path.size() ? protocol::hex_value(path[at + 1]) : -1;
        auto low = at + 2 < path.size() ? protocol::hex_value(path[at + 2]) : -1;
        if (high < 0 || low < 0) return refuse(Code::malformed, "a bad escape in the path");
        if (stands_literally(static_cast<char>(high * 16 + low))) {
            return refuse(Code::malformed, "an octet of the path is escaped without need");
        }
        at += 2;
    }
    return {};
}

Gate::Gate(GateParts parts) : parts_(parts), volatile_nonces_(storage::make_memory_window()) {}

asio::awaitable<Result<Admitted>> Gate::admit(net::Request& request, bool volatile_nonce)
{
    auto examined = co_await examine(request, volatile_nonce);
    co_return std::move(examined.admitted);
}

// Section 3's order. Up to the signature everything is a claim that anyone can make, so it
// is charged to the source address alone; from there on it is the origin's own doing.
asio::awaitable<Gate::Examined> Gate::examine(net::Request& request, bool volatile_nonce)
{
    const auto source = net::source_key(request.source);
    auto* const figures = parts_.figures;
    net::Stopwatch watch(figures != nullptr ? &figures->gate : nullptr);
    auto signature = co_await verify(request, source);
    if (!signature) {
        watch.stop();
        count_refusal(signature.error());
        co_return Examined{fail(signature), {}};
    }
    auto field = signature->field;
    auto admitted = co_await let_in(request, std::move(*signature), volatile_nonce, source);
    watch.stop();
    if (!admitted) count_refusal(admitted.error());
    co_return Examined{std::move(admitted), std::move(field)};
}

void Gate::count_refusal(const Error& error)
{
    if (parts_.figures == nullptr) return;
    parts_.figures->gate_refused[static_cast<std::size_t>(error.code)].add();
}

asio::awaitable<Result<protocol::RequestSignature>> Gate::verify(net::Request& request,
                                                                 std::string source)
{
    auto sizes = check_sizes(request);
    if (!sizes) co_return fail(sizes);
    auto signature = check_syntax(request);
    if (!signature) co_return fail(signature);
    auto destination = protocol::check_destination(request.fields, parts_.identity.name);
    if (!destination) co_return fail(destination);
    auto window = protocol::check_window(*signature, parts_.clock.now_s());
    if (!window) co_return fail(window);
    auto claimed_tier = check_tier(signature->key.server);
    if (!claimed_tier) co_return fail(claimed_tier);
    auto budget = parts_.budgets.spend_source(source, parts_.clock.now_ms());
    if (!budget) co_return fail(budget);

    auto key = co_await parts_.discovery.request_key(signature->key, request.source);
    if (!key) co_return fail(key);
    auto digest = co_await check_digest(request, std::move(source));
    if (!digest) co_return fail(digest);
    if (!key->verifies(signature->signature, signature->base)) {
        co_return refuse(Code::signature_invalid, "the signature doesn't verify");
    }
    auto pinned = co_await parts_.discovery.prove(signature->key);
    if (!pinned) co_return fail(pinned);
    co_return signature;
}

asio::awaitable<Result<Admitted>> Gate::let_in(const net::Request& request,
                                               protocol::RequestSignature signature,
                                               bool volatile_nonce, std::string source)
{
    // Queries' nonces take memory, which what is over the budget must not fill. So none is spent
    // for a query that nobody will answer: let in later, within its lifetime and the budget, it
    // is still read once. Nothing is charged before the nonce is spent, or a replay would use up
    // the budget of whose it is.
    auto admitted = admitted_as(signature);
    if (volatile_nonce) {
        auto has_room =
            parts_.budgets.check_request(admitted.origin, admitted.tier, parts_.clock.now_ms());
        if (!has_room) co_return fail(has_room);
    }

    // A replay is no new word of the origin: until the nonce is spent the address pays.
    auto fresh = co_await spend_nonce(std::move(signature), volatile_nonce);
    if (!fresh) co_return fail(fresh);
    parts_.budgets.refund_source(source, parts_.clock.now_ms());
    auto allowed =
        parts_.budgets.spend_request(admitted.origin, admitted.tier, parts_.clock.now_ms());
    if (!allowed) co_return fail(allowed);
    // Whatever it holds: the octets are here.
    admitted.octets_charged = charge_octets(admitted, request.body);
    allowed = ask_policies(
        parts_.policies,
        {trust::policy::Action::request_make, admitted.origin, admitted.tier, parts_.identity.name,
         trust::policy::ResourceKind::server, request.path, source, request.body.size()});
    if (!allowed) co_return fail(allowed);
    // Within the budget alone: it has this server call the address that the origin names.
    parts_.discovery.heard_from(admitted.origin);
    if (proven_) proven_(admitted.origin);
    co_return admitted;
}

Result<void> Gate::check_sizes(const net::Request& request) const
{
    if (request.body.size() > parts_.identity.limits.bytes) {
        return refuse(Code::too_large, "the body is over transaction_bytes");
    }
    return {};
}

Result<protocol::RequestSignature> Gate::check_syntax(const net::Request& request) const
{
    auto path = check_path(request.path);
    if (!path) return fail(path);
    protocol::RequestParts parts{request.method, request.target, request.fields, request.body};
    return protocol::read_request_signature(parts, parts_.identity.names);
}

// On the name that is claimed: that anyone can ask who is blocked is accepted.
Result<trust::Tier> Gate::check_tier(const ServerName& claimed) const
{
    auto tier = parts_.tiers.tier_of(claimed, parts_.clock.now_ms());
    if (tier == trust::Tier::blocked) return refuse(Code::blocked, "this server is blocked here");
    if (claimed == parts_.identity.name) {
        return refuse(Code::forbidden, "this server sends itself no requests");
    }
    return tier;
}

// Of a large body on a reader, one for each source address at a time: megabytes take the
// I/O thread ten milliseconds, and nothing is proven yet.
asio::awaitable<Result<void>> Gate::check_digest(net::Request& request, std::string source)
{
    if (request.body.size() <= long_octets)
        co_return protocol::check_digest(request.fields, request.body);
    // Shared: whoever waits may be gone before the job is.
    auto body = std::make_shared<std::string>(std::move(request.body));
    auto job = [body, fields = request.fields](storage::Connection&) {
        return protocol::check_digest(fields, *body);
    };
    storage::Cause cause{"from " + source, body->size()};
    auto checked = co_await parts_.commits.read(std::move(job), std::move(cause));
    // Of a wait that was cancelled the job may still be reading it.
    if (checked) request.body = std::move(*body);
    co_return checked;
}

asio::awaitable<Result<void>> Gate::spend_nonce(protocol::RequestSignature signature,
                                                bool volatile_nonce)
{
    if (volatile_nonce) {
        co_return volatile_nonces_->spend(signature.key, signature.nonce, signature.created,
                                          signature.expires);
    }
    auto work = [window = &parts_.nonces, spent = std::move(signature)] {
        return window->spend(spent.key, spent.nonce, spent.created, spent.expires);
    };
    auto result = co_await run_blocking(parts_.pool, std::move(work));
    co_return result;
}

Admitted Gate::admitted_as(const protocol::RequestSignature& signature) const
{
    const auto* pin = parts_.discovery.ring().find(signature.key.server);
    Admitted admitted;
    admitted.origin = signature.key.server;
    admitted.key = signature.key;
    admitted.tier = parts_.tiers.tier_of(admitted.origin, pin != nullptr && pin->conflict,
                                         parts_.clock.now_ms());
    admitted.signature_field = signature.field;
    admitted.signature = signature.signature;
    admitted.signature_base = signature.base;
    return admitted;
}

net::Handler Gate::guard(SignedHandler handler, bool volatile_nonce, Cost cost)
{
    return [this, handler = std::move(handler), volatile_nonce, cost](net::Request& request) {
        return pass(request, handler, volatile_nonce, cost);
    };
}

Result<void> Gate::charge(const Admitted& admitted, Cost cost)
{
    const auto now = parts_.clock.now_ms();
    switch (cost) {
        case Cost::none: return {};
        case Cost::look_up:
            return parts_.budgets.spend_look_up(admitted.origin, admitted.tier, now);
        case Cost::media: return parts_.budgets.spend_media(admitted.origin, admitted.tier, now);
    }
    return {};
}

std::int64_t Gate::charge_octets(const Admitted& admitted, const std::string& body)
{
    return parts_.budgets.charge_bytes(admitted.origin, admitted.tier,
                                       static_cast<std::int64_t>(body.size()),
                                       parts_.clock.now_ms());
}

asio::awaitable<net::Response> Gate::pass(net::Request& request, SignedHandler handler,
                                          bool volatile_nonce, Cost cost)
{
    auto examined = co_await examine(request, volatile_nonce);
    auto& admitted = examined.admitted;
    if (admitted) {
        if (auto paid = charge(*admitted, cost); !paid) admitted = fail(paid);
    }
    if (admitted) {
        auto response = co_await handler(request, *admitted);
        // How large it is nobody knew before: the next request waits for that.
        charge_octets(*admitted, response.body);
        co_return signed_answer(parts_.identity, *admitted, std::move(response), parts_.clock);
    }
    auto problem = net::problem_response(admitted.error(), parts_.clock.now_ms());
    if (examined.proven_by.empty()) co_return problem;
    co_return signed_answer(parts_.identity, std::string_view{examined.proven_by},
                            std::move(problem), parts_.clock);
}

asio::awaitable<Result<void>> Gate::sweep()
{
    auto now = parts_.clock.now_s();
    auto forgotten = volatile_nonces_->sweep(now);
    if (!forgotten) co_return forgotten;
    auto work = [window = &parts_.nonces, now] { return window->sweep(now); };
    auto result = co_await run_blocking(parts_.pool, std::move(work));
    co_return result;
}

void Gate::on_proven(std::function<void(const ServerName&)> observer)
{
    proven_ = std::move(observer);
}

}  // namespace entente::federation
