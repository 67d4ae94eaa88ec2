#include "tests/sim/machine.hpp"

#include <algorithm>
#include <filesystem>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>

#include "daemon/identity_change.hpp"
#include "storage/account_store.hpp"
#include "storage/sqlite/database.hpp"
#include "tests/sim/ear.hpp"

namespace entente::sim {

namespace {

// No end of a process takes longer; where one does, something doesn't stop.
constexpr int steps_to_end = 100'000;
constexpr std::size_t outgoing = 256;
// What at most fifteen people at five servers come to, each with one wish at a time.
constexpr std::size_t most_jobs = 200;
constexpr std::size_t most_tasks = 200;
constexpr std::size_t most_peers = 4;

daemon::Config make_config(const MachineOptions& options)
{
    daemon::Config config;
    config.server.name = protocol::ServerName::trusted(options.name);
    config.server.data = options.folder + "/data";
    config.server.runtime = options.folder + "/run";
    config.federation.api = "https://" + options.name;
    config.storage.url = "sqlite:" + config.server.data + "/db";
    config.storage.readers = 1;
    // Else invitations would wait to be asked for, and a liar's fall slow it down.
    for (const auto* server : {"a.example", "b.example", "c.example", "d.example", "e.example"})
        config.trust.peers[server] = "trusted";
    return config;
}

daemon::Identity make_keys(const daemon::Config& config, protocol::Random& random)
{
    auto key = protocol::SigningKey::generate(random);
    const auto recovery = protocol::SigningKey::generate(random);
    return {config.server.name, std::move(key), 0, recovery.public_key(), {}, {}};
}

std::string what(const std::exception_ptr& bug)
{
    try {
        std::rethrow_exception(bug);
    } catch (const std::exception& error) {
        return error.what();
    } catch (...) {
        return "an unknown exception";
    }
}

asio::awaitable<void> stop_tasks(net::TaskGroup& tasks, bool& has_stopped)
{
    co_await tasks.stop();
    has_stopped = true;
}

}  // namespace

class Machine::Turn {
 public:
    explicit Turn(Machine& machine) : time_(machine.time_)
    {
        time_.set_current(machine.options_.number);
    }
    ~Turn() { time_.set_current(-1); }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;

 private:
    Timeline& time_;
};

struct Machine::Process {
    explicit Process(Machine& machine)
        : tasks(machine.io_.get_executor(),
                [&trace = machine.trace_, name = machine.name()](std::exception_ptr bug) {
                    trace.fault(name + ": a task ended by an exception: " + what(bug));
                }),
          client(machine.network_, machine.name(), machine.io_.get_executor()),
          ear(machine.trace_, machine.name()),
          policies(trust::policy::shipped_alone(), machine.clock_)
    {
    }

    net::TaskGroup tasks;
    SimulatedClient client;
    Ear ear;
    trust::policy::Enforcer policies;
    std::unique_ptr<daemon::Stores> stores;
    std::unique_ptr<daemon::FederationStack> federation;
    net::Router router;
    bool is_ready = false;
};

Machine::Machine(MachineOptions options, Timeline& time, Network& network, Trace& trace)
    : options_(std::move(options)),
      time_(time),
      network_(network),
      trace_(trace),
      chance_(options_.seed),
      log_(trace, options_.name),
      clock_(time),
      random_(options_.seed + 1),
      disk_({options_.seed + 2, options_.survival, [this] { doomed_ = has_lost_power_ = true; }}),
      vfs_(disk_, "simulated-" + options_.name),
      config_(make_config(options_)),
      keys_(make_keys(config_, random_)),
      identity_(daemon::federation_identity(config_, keys_)),
      work_(io_.get_executor())
{
    std::filesystem::create_directories(config_.server.data);
}

Machine::~Machine()
{
    if (process_) kill();
}

daemon::StoragePlatform Machine::platform()
{
    daemon::StoragePlatform platform;
    platform.sqlite_vfs = vfs_.name();
    platform.boot_id = "boot " + std::to_string(boots_);
    platform.open_window = [this](const storage::RocksWindowOptions& options)
        -> Result<std::unique_ptr<storage::ReplayMemory>> {
        return open_simulated_window(window_, options);
    };
    platform.turns = [this](std::function<void()> turn, milliseconds after) {
        give_turn(std::move(turn), after);
    };
    return platform;
}

// Mostly at once, so that what is ready decides the order; now and then the disk is slow.
void Machine::give_turn(std::function<void()> turn, milliseconds after)
{
    if (options_.turn_time) {
        after += *options_.turn_time;
    } else if (chance_.percent(10)) {
        after += milliseconds(chance_.between(1, 200));
    }
    if (after.count() == 0) {
        asio::post(io_, std::move(turn));
        return;
    }
    time_.after(after, [this, life = life_, turn = std::move(turn)] {
        if (process_ && life_ == life) asio::post(io_, turn);
    });
}

void Machine::boot()
{
    const Turn turn(*this);
    ++life_;
    doomed_ = false;
    trace_.say(name(), "starts");
    process_ = std::make_unique<Process>(*this);
    auto& process = *process_;
    daemon::Stores::Hooks hooks;
    hooks.committed = [&process](storage::CommittedRun& run) {
        if (process.federation) process.federation->committed(run);
    };
    hooks.fatal = [this, life = life_](const Error& error) {
        if (life != life_ || !process_) return;
        trace_.say(name(), "can't go on: " + error.detail);
        if (error.code == Code::internal) trace_.fault(name() + ": " + error.detail);
        doomed_ = true;
    };
    auto stores = daemon::Stores::open(config_, platform(), io_.get_executor(), clock_.now_s(),
                                       std::move(hooks));
    if (!stores) {
        trace_.say(name(), "doesn't start: " + stores.error().detail);
        doomed_ = true;
        return;
    }
    process.stores = std::move(*stores);
    process.federation = std::make_unique<daemon::FederationStack>(daemon::FederationStack::Parts{
        config_, identity_, *process.stores, process.tasks, io_.get_executor(), io_.get_executor(),
        log_, clock_, random_, outgoing, process.policies, &process.client});
    process.federation->channels().listen(process.ear);
    process.federation->add_routes(process.router);
    process.tasks.spawn(start(process));
}

asio::awaitable<void> Machine::start(Process& process)
{
    auto job = [this](storage::WriteTransaction& transaction) -> Result<void> {
        auto& db = transaction.db();
        for (const auto& person : options_.people) {
            auto known = storage::find_user(db, person);
            if (known) continue;
            if (known.error().code != Code::not_found) return fail(known);
            auto made =
                storage::create_user(db, person, "-", storage::AccountRole::user, clock_.now_ms());
            if (!made) return fail(made);
        }
        return {};
    };
    auto people = co_await process.stores->commits().write(std::move(job));
    if (people) people = co_await process.federation->start();
    if (!people) {
        trace_.say(name(), "doesn't start: " + people.error().detail);
        doomed_ = true;
        co_return;
    }
    process.is_ready = true;
    network_.listen(name(), [this, life = life_](net::Request request, Answer answer) {
        if (process_ && life == life_) serve(std::move(request), std::move(answer));
    });
    trace_.say(name(), "is ready");
}

bool Machine::is_ready() const
{
    return process_ && process_->is_ready && !doomed_;
}

void Machine::serve(net::Request request, Answer answer)
{
    const Turn turn(*this);
    process_->tasks.spawn(run(*process_, std::move(request), std::move(answer)));
}

// What net/http_session does between a request and its answer.
asio::awaitable<void> Machine::run(Process& process, net::Request request, Answer answer)
{
    auto match = process.router.match(request.method, request.path);
    net::Response response;
    if (match.route == nullptr) {
        response =
            net::problem_response(Error{Code::not_found, "no route", {}, 0}, clock_.now_ms());
    } else if (request.body.size() > match.route->max_body) {
        response = net::problem_response(Error{Code::too_large, "", {}, 0}, clock_.now_ms());
    } else {
        request.captures = std::move(match.captures);
        response = co_await match.route->handler(request);
    }
    // The dead say nothing.
    if (process_.get() == &process && !doomed_) answer(std::move(response));
}

bool Machine::step()
{
    const Turn turn(*this);
    return io_.poll_one() > 0;
}

void Machine::feel_time()
{
    const Turn turn(*this);
    // A timer that is over already comes first among those that have fired, and makes Asio
    // look at the time at once. It is looked at anew until it has come, since how fast that
    // goes is the machine's own affair.
    net::MonotonicTimer timer(io_);
    bool has_come = false;
    timer.expires_at(net::MonotonicClock::time_point::min());
    timer.async_wait([&has_come](boost::system::error_code) { has_come = true; });
    while (!has_come) io_.poll_one();
}

void Machine::kill()
{
    trace_.say(name(), "is killed");
    window_.orphan();
    disk_.heal();
    disk_.add({std::nullopt, "", 1, fault::for_ever, EIO});
    end_process();
    disk_.heal();
}

void Machine::cut_power()
{
    trace_.say(name(), "loses its power");
    window_.cut(chance_);
    disk_.heal();
    disk_.cut();
    end_process();
    disk_.power_on();
    std::filesystem::remove_all(config_.server.runtime);  // in memory, as /run is
    doomed_ = has_lost_power_ = false;
    ++boots_;
}

// Its disk is dead and nobody hears it: what its coroutines still do on their way out is
// seen by nobody.
void Machine::end_process()
{
    const Turn turn(*this);
    network_.fall_silent(name());
    auto process = std::move(process_);
    if (!process) return;
    bool has_stopped = false;
    asio::co_spawn(io_, stop_tasks(process->tasks, has_stopped), asio::detached);
    for (int steps = 0; !has_stopped && steps < steps_to_end; ++steps) {
        if (io_.poll_one() == 0) break;
    }
    if (!has_stopped) trace_.fault(name() + ": its tasks don't end");
    if (process->stores) process->stores->commits().stop();
    drain();
    process->federation.reset();
    process->stores.reset();
    drain();
    doomed_ = false;
}

// Completions that nobody waits for any more.
void Machine::drain()
{
    while (io_.poll_one() > 0) {
    }
}

void Machine::stop()
{
    trace_.say(name(), "stops");
    end_process();
}

Backup Machine::back_up()
{
    trace_.say(name(), "is backed up");
    disk_.heal();  // what was to fail next is the server's affair
    return {disk_, config_.server.data, window_};
}

void Machine::put_back(const Backup& backup, bool with_window, bool is_rebooted)
{
    trace_.say(name(), std::string("is put back") + (with_window ? ", the window too" : "") +
                           (is_rebooted ? ", on a machine that has just started" : ""));
    window_.orphan();
    disk_.heal();
    backup.put_back(disk_, config_.server.data, with_window ? &window_ : nullptr);
    if (!is_rebooted) return;
    std::filesystem::remove_all(config_.server.runtime);
    ++boots_;
}

void Machine::rotate_key()
{
    use_keys("rotates its key", daemon::rotate(keys_, nullptr, random_, clock_.now_ms()));
}

void Machine::revoke_old_key()
{
    if (keys_.old_keys.empty()) return;
    const daemon::RevocationOrder order{keys_.old_keys.back().key.thumbprint(), {}, ""};
    use_keys("revokes its old key", daemon::revoke(keys_, order, nullptr, clock_.now_ms()));
}

// Read by reference wherever they are used, as in the daemon.
void Machine::use_keys(std::string_view what, const Result<void>& changed)
{
    if (!changed) return;
    trace_.say(name(), what);
    identity_ = daemon::federation_identity(config_, keys_);
}

void Machine::spawn(asio::awaitable<void> task)
{
    const Turn turn(*this);
    process_->tasks.spawn(std::move(task));
}

federation::Channels& Machine::channels()
{
    return process_->federation->channels();
}

std::size_t Machine::links() const
{
    return process_ && process_->federation ? process_->federation->links().running() : 0;
}

void Machine::check_bounds()
{
    if (!is_ready()) return;
    const auto check = [this](const char* what, std::size_t count, std::size_t most) {
        if (count > most)
            trace_.fault(name() + " has " + std::to_string(count) + " " + what + ", more than " +
                         std::to_string(most));
    };
    const auto& discovery = process_->federation->discovery();
    check("jobs waiting", queued(), most_jobs);
    check("tasks", process_->tasks.size(), most_tasks);
    check("links", links(), most_peers);
    check("fetches under way", discovery.figures().under_way, most_peers);
    check("servers remembered", discovery.figures().remembered, most_peers);
}

void Machine::ask_all_followers()
{
    if (is_ready()) spawn(ask_all(*process_));
}

asio::awaitable<void> Machine::ask_all(Process& process)
{
    static_cast<void>(co_await process.federation->links().ask_all());
}

void Machine::see_what_is_owed(std::string_view liar)
{
    debts_.reset();
    if (is_ready()) spawn(look_up_owed(*process_, std::string(liar)));
}

asio::awaitable<void> Machine::look_up_owed(Process& process, std::string liar)
{
    auto& commits = process.stores->commits();
    auto stuck =
        co_await commits.read([&liar](storage::Connection& db) { return read_stuck(db, liar); });
    if (stuck) stuck_ = std::move(*stuck);
    auto debts = co_await commits.read(
        [self = config_.server.name](storage::Connection& db) { return read_debts(db, self); });
    if (debts) debts_ = std::move(*debts);
}

std::size_t Machine::queued() const
{
    if (!process_ || !process_->stores) return 0;
    const auto figures = process_->stores->commits().figures();
    return figures.queued + figures.queued_reads;
}

Result<std::unique_ptr<storage::Database>> Machine::open_database()
{
    auto database = storage::make_sqlite_database(config_.storage.sqlite_path(),
                                                  storage::sqlite_migrations(), vfs_.name());
    auto writer = database->open_writer();
    if (!writer) return fail(writer);
    return database;
}

}  // namespace entente::sim
