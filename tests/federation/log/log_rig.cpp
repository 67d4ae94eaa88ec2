#include "tests/federation/log/log_rig.hpp"

#include <stdlib.h>

#include "storage/account_store.hpp"
#include "storage/sqlite/database.hpp"
#include "trust/policy/shipped.hpp"

namespace entente::federation::log_rig {

namespace {

constexpr std::size_t all_events = 1'000'000;

Identity make_identity(const std::string& name, World& world)
{
    auto key = protocol::SigningKey::generate(world.random);
    auto recovery = protocol::SigningKey::generate(world.random);
    Identity identity{.name = ServerName::trusted(name),
                      .key = std::move(key),
                      .recovery = recovery.public_key()};
    identity.from = world.clock.now_ms();
    identity.api = "https://" + name;
    return identity;
}

}  // namespace

std::string SeededRandom::octets(std::size_t size)
{
    const std::lock_guard lock(mutex_);
    std::string made;
    for (std::size_t i = 0; i < size; ++i) made.push_back(static_cast<char>(generator_() & 0xff));
    return made;
}

Result<void> MemoryIndex::add_events(const std::vector<storage::IndexedEvent>& events,
                                     const std::optional<storage::IndexMark>& mark)
{
    const std::lock_guard lock(mutex_);
    for (const auto& event : events) events_.emplace(event.id, event.place);
    if (mark) mark_ = mark;
    return {};
}

Result<std::vector<storage::EventPlace>> MemoryIndex::find_event(const Hash& id)
{
    if (is_failing_) return fail(Code::unavailable, "the index can't be asked");
    const std::lock_guard lock(mutex_);
    std::vector<storage::EventPlace> found;
    const auto range = events_.equal_range(id);
    for (auto at = range.first; at != range.second; ++at) found.push_back(at->second);
    return found;
}

Result<std::optional<storage::IndexMark>> MemoryIndex::index_mark()
{
    const std::lock_guard lock(mutex_);
    return mark_;
}

Folder::Folder()
{
    std::string pattern = (std::filesystem::temp_directory_path() / "entente-log-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp");
    path_ = pattern;
}

Folder::~Folder()
{
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

Server::Server(World& shared, const std::string& name, std::size_t cached_channels)
    : world(shared), identity(make_identity(name, shared)), cached(cached_channels)
{
    open();
    auto made = write([](storage::WriteTransaction& transaction) -> Result<void> {
        for (const char* localpart : {"alice", "bob", "carol", "dave", "eve"}) {
            auto id = storage::create_user(transaction.db(), localpart, "hash",
                                           storage::AccountRole::user, 0);
            if (!id) return fail(id);
        }
        return {};
    });
    if (!made) throw std::runtime_error(made.error().detail);
}

void Server::open()
{
    tasks = std::make_unique<net::TaskGroup>(
        world.io.get_executor(), [](std::exception_ptr bug) { std::rethrow_exception(bug); });
    net::ClientOptions client;  // its guard allows no loopback: nothing can be fetched
    for (const char* name : {"a.example", "b.example", "c.example", "m.example"})
        client.resolve[name] = {asio::ip::make_address("127.0.0.1"), 1};
    http = std::make_unique<net::HttpClient>(world.io.get_executor(), client);
    commits = std::make_unique<storage::GroupCommit>(
        world.io.get_executor(),
        storage::make_sqlite_database(world.folder.file(identity.name.str() + ".db")),
        storage::GroupCommitOptions{}, [](const Error& error) { ADD_FAILURE() << error.detail; });
    index = std::make_unique<storage::EventIndex>(*places);
    store = std::make_unique<storage::ChannelLogStore>(index.get(), identity.names, cached,
                                                       [](const storage::CommittedRun&) {});
    commits->add(*store);
    standings = std::make_unique<trust::Tiers>(trust::TierConfig{mode, {}, {}, conduct_figures});
    accepted = std::make_unique<storage::AcceptedCounts>(
        [this](const ServerName& server, const trust::ServerStanding& standing) {
            conduct->counted(server, standing);
        });
    commits->add(*accepted);
    auto started = commits->start();
    if (!started) throw std::runtime_error(started.error().detail);
    auto caught_up = read([this](storage::Connection& db) -> Result<bool> {
        if (auto opened = index->open(db); !opened) return fail(opened);
        return index->catch_up(db, all_events);
    });
    if (!caught_up || !*caught_up) throw std::runtime_error("the index can't be caught up");
    conduct = std::make_unique<Conduct>(ConductParts{identity.name, *standings, *commits, *tasks,
                                                     conduct_log, world.clock,
                                                     [this](const std::vector<ServerName>& moved) {
                                                         if (on_moved) on_moved(moved);
                                                     }});
    auto loaded = world.run(conduct->load());
    if (!loaded) throw std::runtime_error(loaded.error().detail);

    pin_store = std::make_unique<storage::PinStore>(*commits);
    ring = std::make_unique<trust::KeyRing>();
    for (const auto& pinned : pins) ring->load(pinned);
    discovery = std::make_unique<Discovery>(*tasks, *http, *ring, *pin_store, world.clock,
                                            DiscoveryOptions{});
    verifier = std::make_unique<Verifier>(identity, *discovery, world.clock);
    notices = std::make_unique<Notices>();
    notices->add(heard);
    enforcer = std::make_unique<trust::policy::Enforcer>(policies, world.clock);
    home = std::make_unique<HomeLog>(
        identity, *store, world.clock, world.random,
        [this](const ServerName& server) { woken.push_back(server.str()); }, enforcer.get(),
        [this](const UserId& user) { asked_moderators.push_back(user.str()); });
    succession = std::make_unique<Succession>(
        SuccessionParts{identity, *store, *home, *notices, null_log, world.clock, world.random,
                        [this](const ServerName& server) { woken.push_back(server.str()); },
                        [this](const ChannelId& channel) { repair->free_when_ready(channel); }});
    FollowerEvents events;
    events.moved = [this](storage::WriteTransaction& transaction, storage::LiveChannel& channel,
                          const ServerName& before) {
        return succession->moved(transaction, channel, before);
    };
    events.acknowledged = [this](const ChannelId&, const ServerName& server, std::int64_t seq) {
        heard.delivered[server.str()] = seq;
    };
    events.owes = [this](const ServerName& server) { woken.push_back(server.str()); };
    events.forked = [this](const ChannelId& channel, const ServerName&, std::string_view kind) {
        forked.push_back(channel.str());
        fork_kinds.emplace_back(kind);
    };
    events.under_revoked_key = [this](const ChannelId&, const ServerName&, const KeyRef& key,
                                      std::int64_t seq) {
        late.push_back(key.server.str() + " " + std::to_string(seq));
    };
    events.lacks_floor = [this](const ChannelId& channel, const ServerName&, std::int64_t floor) {
        lacked.emplace_back(channel, floor);
    };
    events.thawed = [this](const ChannelId& channel) { thawed.push_back(channel.str()); };
    events.fork_proven = [this](const ServerName& of, const std::string& root,
                                const ChannelId& channel, std::int64_t seq) {
        conduct->forked(*ring, of, root, channel, seq);
    };
    waits = std::make_unique<LongWaits>(
        LongWaitsParts{*store, *commits, *notices, waits_log, world.clock});
    follower = std::make_unique<FollowerLog>(identity, *store, *waits, world.clock, events);
    direct = std::make_unique<Direct>(
        identity, *store, world.clock, [this](const UserId& who) { invited.push_back(who.str()); },
        enforcer.get());
    direct->handle(
        std::string(move_question_type),
        [this](storage::WriteTransaction& transaction, const VerifiedDirect& question,
               const ServerName& origin) {
            return succession->weigh(transaction, question, origin);
        },
        Direct::Repeat::is_asked_again);
    SettlementParts settling{identity, *verifier, *follower, *store,
                             *commits, *notices,  null_log,  world.clock};
    settling.believes = [this](const ChannelId& channel, const ServerName& server) {
        return repair->believes(channel, server);
    };
    settling.direct_refused = [this](storage::WriteTransaction& transaction,
                                     const storage::DirectRow& row, Code problem) -> Result<void> {
        return direct_refused ? direct_refused(transaction, row, problem) : Result<void>{};
    };
    settling.move_answered = [this](storage::WriteTransaction& transaction,
                                    const storage::DirectRow& row,
                                    const protocol::EventResult& result,
                                    const std::optional<protocol::Consent>& consent) {
        return succession->answered(transaction, row, result, consent);
    };
    settling.wake = [this](const ServerName& server) { woken.push_back(server.str()); };
    settlement = std::make_unique<Settlement>(std::move(settling));
    queries = std::make_unique<Queries>(identity, *commits, world.clock);
    repair = std::make_unique<Repair>(RepairParts{
        identity, *verifier, *home, *store, *commits, *notices, *tasks, repair_log, world.clock,
        [this](const ServerName& server, const ChannelId& channel) {
            asked.emplace_back(server.str(), channel);
        },
        [this](ServerName server, std::string target) {
            return ask_peer(std::move(server), std::move(target));
        }});
    devices = std::make_unique<DeviceCursors>(*commits);
    retention = std::make_unique<Retention>(identity, *store, *commits, world.clock);
    directory = std::make_unique<Directory>(
        DirectoryParts{identity.name, identity.names, *commits, world.clock,
                       [this](ServerName server, std::string target) {
                           return ask(std::move(server), std::move(target));
                       },
                       enforcer.get()});
    channels = std::make_unique<LocalChannels>(LocalChannelsParts{
        identity, *store, *home, *commits, *index, *notices, *devices, world.clock, world.random,
        [this](const ServerName& server) { woken.push_back(server.str()); }, LocalChannelsOptions{},
        succession.get(), enforcer.get()});
    budgets = std::make_unique<trust::Budgets>(tiers);
    inbox = std::make_unique<Inbox>(InboxParts{identity,
                                               *verifier,
                                               *home,
                                               *follower,
                                               *direct,
                                               *commits,
                                               *budgets,
                                               world.clock,
                                               refused,
                                               nullptr,
                                               {},
                                               conduct.get(),
                                               ring.get(),
                                               accepted.get(),
                                               enforcer.get()});
}

void Server::enforce(const std::string& rules)
{
    auto policy = trust::policy::parse_policy(R"({"version":1,"rules":[)" + rules + "]}");
    ASSERT_TRUE(policy) << policy.error().hint;
    auto sources = trust::policy::shipped_sources();
    sources.push_back({"own", 1, std::move(*policy)});
    policies->replace(trust::policy::Compiled::make(std::move(sources)).value());
}

void Server::close()
{
    if (!commits) return;
    world.io.restart();
    world.io.poll();
    commits->stop();
    // What waited for a commit goes to its end while all that it stands on is there.
    world.io.restart();
    world.io.poll();
    repair.reset();
    queries.reset();
    inbox.reset();
    channels.reset();
    settlement.reset();
    discovery.reset();
    pin_store.reset();
    conduct.reset();
    commits.reset();
    store.reset();
    index->flush();
    index.reset();
    http.reset();
    tasks.reset();
}

void Server::pin(const Server& other)
{
    trust::PinnedServer pinned;
    pinned.server = other.identity.name;
    pinned.api = other.identity.api;
    pinned.keys.push_back(
        {other.identity.key.public_key(), trust::KeyStatus::active, other.identity.from, 0, 0});
    pinned.recovery = other.identity.recovery;
    pins.push_back(pinned);
    ring->load(std::move(pinned));
}

UserId Server::user(const std::string& localpart) const
{
    return UserId::trusted(localpart + "@" + identity.name.str());
}

Actor Server::actor(const std::string& localpart)
{
    return Actor{user(localpart), std::nullopt,
                 protocol::make_uuid7(world.clock.now_ms(), world.random)};
}

ChannelId Server::create(const std::string& localpart, const std::string& history, bool is_public)
{
    NewChannel channel;
    channel.name = "garden";
    channel.history = history;
    channel.is_public = is_public;
    auto made = world.run(channels->create(actor(localpart), channel));
    if (!made) throw std::runtime_error(made.error().detail);
    return *made;
}

Result<Posted> Server::post(const std::string& localpart, const ChannelId& channel,
                            const std::string& text)
{
    return world.run(channels->post(actor(localpart), channel,
                                    "{\"text\":" + protocol::json_string(text) + "}"));
}

Result<Posted> Server::change(const std::string& localpart, const ChannelId& channel,
                              ChannelChange change)
{
    return world.run(channels->change(actor(localpart), channel, std::move(change)));
}

void Server::end_retentions()
{
    auto flushed = world.run(devices->flush());
    ASSERT_TRUE(flushed) << flushed.error().detail;
    for (int i = 0; i < 100; ++i) {
        auto more = world.run(retention->step());
        ASSERT_TRUE(more) << more.error().detail;
        if (!*more) return;
    }
    FAIL() << "contents are never all erased";
}

EventAndContent Server::event(const ChannelId& channel, const Wish& wish)
{
    EventAndContent made;
    made.content =
        "{\"salt\":" + protocol::json_string(protocol::to_base64url(world.random.octets(16)));
    if (wish.members != "{}")
        made.content += "," + wish.members.substr(1);
    else
        made.content += "}";
    protocol::EventDraft draft;
    draft.type = wish.type;
    draft.channel = channel;
    draft.sender = wish.sender;
    draft.txn = wish.txn.value_or(protocol::make_uuid7(world.clock.now_ms(), world.random));
    draft.at = world.clock.now_ms() + wish.at_offset;
    draft.content = made.content;
    draft.target = wish.target;
    made.event = protocol::write_event(draft);
    return made;
}

Result<Appended> Server::append(const EventAndContent& event)
{
    auto parsed = protocol::parse_channel_event(event.event, identity.names);
    if (!parsed) return fail(parsed);
    return write([this, made = *parsed, content = event.content](
                     storage::WriteTransaction& transaction) -> Result<Appended> {
        auto channel = store->find(transaction.db(), *made.channel);
        if (!channel) return fail(channel);
        return home->append(transaction, **channel, made, content);
    });
}

asio::awaitable<Result<std::string>> Server::ask_peer(ServerName server, std::string target)
{
    const auto peer = reachable.find(server.str());
    if (peer == reachable.end()) co_return fail(Code::unavailable, "nobody answers");
    auto answer = co_await peer->second->answer_log_query(identity, std::move(target));
    if (spoil) co_return spoil(server.str(), std::move(answer));
    co_return answer;
}

asio::awaitable<Result<std::string>> Server::answer_log_query(Identity asker, std::string target)
{
    constexpr std::string_view head = "/federation/v1/channels/";
    net::Request request;
    request.method = "GET";
    const auto end = target.find("/log?");
    request.captures.push_back(target.substr(head.size(), end - head.size()));
    request.query = target.substr(target.find('?') + 1);
    const Admitted admitted{asker.name, asker.key_ref(), tier, ""};
    auto response = co_await queries->log(request, admitted);
    if (response.status == 200) co_return std::move(response.body);
    auto problem = protocol::parse_problem(response.body).value_or(Error{});
    co_return Result<std::string>{tl::unexpect, std::move(problem)};
}

net::Response Server::receive_octets(const Server& origin, std::string body)
{
    net::Request request;
    request.method = "POST";
    request.body = std::move(body);
    Admitted admitted{origin.identity.name, origin.identity.key_ref(), tier, ""};
    admitted.octets_charged =
        budgets->charge_bytes(admitted.origin, tier, static_cast<std::int64_t>(request.body.size()),
                              world.clock.now_ms());
    admitted.signature_base = "what a request's signature covers";
    admitted.signature = (forger ? *forger : origin.identity.key).sign(admitted.signature_base);
    return world.run(inbox->receive(request, admitted));
}

protocol::TransactionResult Server::receive(const Server& origin,
                                            const protocol::OutgoingTransaction& transaction)
{
    auto response = receive_octets(origin, protocol::write_transaction(transaction));
    if (response.status != 200) throw std::runtime_error("the inbox answered " + response.body);
    auto result = protocol::parse_result(response.body, identity.names);
    if (!result) throw std::runtime_error(result.error().detail + " in " + response.body);
    return std::move(*result);
}

std::optional<LogImage> Server::image(const ChannelId& channel)
{
    auto image = read([&](storage::Connection& db) -> Result<LogImage> {
        auto row = storage::read_channel(db, channel);
        if (!row) return fail(row);
        LogImage found{row->seq, row->hash, "", row->frozen, row->floor};
        if (row->seq == 0) return found;
        auto state = storage::read_state(db, *row, identity.names);
        if (!state) return fail(state);
        found.state = protocol::state_json(*state);
        return found;
    });
    if (image) return *image;
    if (image.error().code != Code::not_found) throw std::runtime_error(image.error().detail);
    return std::nullopt;
}

std::vector<storage::StoredEntry> Server::entries(const ChannelId& channel, std::int64_t after)
{
    auto page = read([&](storage::Connection& db) -> Result<storage::LogPage> {
        auto row = storage::read_channel(db, channel);
        if (!row) return fail(row);
        return storage::read_log(db, *row, after,
                                 storage::PageLimits{all_entries, std::size_t{1} << 30});
    });
    return page.value().entries;
}

std::vector<std::string> Server::texts(const ChannelId& channel)
{
    constexpr std::string_view name = R"("text":")";
    std::vector<std::string> all;
    const auto row =
        read([&](storage::Connection& db) { return storage::read_channel(db, channel); }).value();
    for (std::int64_t after = row.floor; after < row.seq;) {
        for (const auto& stored : entries(channel, after)) {
            after = stored.seq;
            const auto content = stored.entry.content.value_or("");
            const auto at = content.find(name);
            if (at == std::string::npos) continue;
            const auto begin = at + name.size();
            all.push_back(content.substr(begin, content.find('"', begin) - begin));
        }
    }
    return all;
}

std::optional<storage::CursorRow> Server::cursor(const ChannelId& channel, const Server& server)
{
    using Cursor = std::optional<storage::CursorRow>;
    auto found = read([&](storage::Connection& db) -> Result<Cursor> {
        auto row = storage::read_channel(db, channel);
        if (!row) return fail(row);
        return storage::find_cursor(db, row->id, server.identity.name);
    });
    return found.value();
}

std::vector<storage::DirectRow> Server::outgoing_direct(const Server& to)
{
    return read([&](storage::Connection& db) {
               return storage::outgoing_direct(db, to.identity.name, 0, 100);
           })
        .value();
}

std::optional<storage::SubmissionRow> Server::submission(const Hash& id)
{
    return read([&](storage::Connection& db) { return storage::find_submission(db, id); }).value();
}

Servers::Servers(std::size_t cached_channels)
    : a(world, "a.example", cached_channels),
      b(world, "b.example", cached_channels),
      c(world, "c.example", cached_channels)
{
    for (auto* one : {&a, &b, &c}) {
        for (auto* other : {&a, &b, &c}) {
            if (one != other) one->pin(*other);
        }
    }
}

}  // namespace entente::federation::log_rig
