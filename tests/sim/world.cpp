#include "tests/sim/world.hpp"

#include <algorithm>

#include "protocol/message_signature.hpp"

namespace entente::sim {

namespace {

using std::chrono::seconds;

constexpr seconds longest_wait_for_quiet{2 * 3600};
// Looks at what rests, 2 s apart. Where a link goes on to who has lost something, what isn't lost
// may be yet to be tried again, as late as the peer has asked for.
constexpr int enough_quiet = 3;
constexpr int enough_quiet_with_links = 15;

const std::vector<std::string> names = {"a.example", "b.example", "c.example", "d.example",
                                        "e.example"};
const std::vector<std::string> localparts = {"ann", "ben", "cleo"};

}  // namespace

World::World(const RunOptions& options)
    : chance_(options.seed),
      trace_(time_, options.folder, options.printing),
      network_(time_, trace_, chance_.number()),
      turns_(time_, trace_, chance_, machines_),
      truth_(trace_)
{
    turns_.after_step([this](std::size_t index) { after_step(index); });
    turns_.after_move([this] {
        for (auto& machine : machines_) machine->check_bounds();
    });
    const auto count = 3 + chance_.below(10) / 4;  // 3, 4 or, seldom, 5
    const double survival = chance_.percent(50) ? 0.0 : chance_.percent(50) ? 0.5 : 0.9;
    // A choice of old that made no difference, drawn so that seeds mean what they meant.
    static_cast<void>(chance_.percent(70));
    for (std::size_t i = 0; i < count; ++i) {
        MachineOptions machine;
        machine.number = static_cast<int>(i);
        machine.name = names[i];
        machine.folder = options.folder + "/" + names[i];
        machine.seed = chance_.number();
        machine.survival = survival;
        machine.people.assign(localparts.begin(),
                              localparts.begin() + 1 + static_cast<int>(chance_.below(2)));
        machines_.push_back(std::make_unique<Machine>(machine, time_, network_, trace_));
        if (chance_.percent(30))
            machines_.back()->clock().offset_ms = chance_.between(-20'000, 20'000);
        const int wishes = static_cast<int>(chance_.between(4, 40));
        for (const auto& localpart : machine.people) {
            const auto user = protocol::UserId::trusted(localpart + "@" + machine.name);
            users_.push_back(user);
            people_.push_back(std::make_unique<Person>(*machines_.back(), user, chance_.number(),
                                                       wishes, trace_));
        }
    }
    if (chance_.percent(30)) make_liar();
    // Of a home that moved and is put back nothing can be said here.
    moves_channels_ = chance_.percent(40);
    for (auto& person : people_) {
        if (moves_channels_) person->may_move_channels(liar_name_);
    }
}

// The last machine: it is then the home of some channels and a follower of others.
void World::make_liar()
{
    auto& machine = *machines_.back();
    liar_name_ = machine.name();
    truth_.disbelieve(liar_name_);
    liar_ = std::make_unique<Liar>(machine.identity(), machine.clock(), trace_, chance_.number());
    liar_->lie(static_cast<std::uint64_t>(chance_.between(5, 60)));
    network_.spoil(
        liar_name_,
        [this](const std::string& to, const net::Request& request) {
            return liar_->instead_of(to, request);
        },
        [this](const net::Request& request, net::Response& response) {
            liar_->spoil(request, response);
        });
}

World::~World()
{
    time_.forget_all();
    for (auto& machine : machines_) {
        if (machine->is_running()) machine->kill();
    }
    time_.forget_all();
}

RunResult World::run()
{
    for (auto& machine : machines_) machine->boot();
    turns_.run_for(seconds(2));
    const auto duration = chance_.between(20'000, 240'000);
    plan_mishaps(duration);
    people_until_ = time_.elapsed_ms() + duration;
    people_live();
    turns_.run_for(milliseconds(duration));
    clean_up();
    if (!liar_ && !moves_channels_ && chance_.percent(20)) put_back();
    wait_until_quiet();

    if (trace_.faults().empty()) {
        for (auto& machine : machines_) {
            if (!machine->is_running()) continue;
            if (chance_.percent(50)) {
                machine->cut_power();
            } else {
                machine->stop();
            }
        }
        truth_.read(machines_);
        truth_.check(people_);
    }
    RunResult result;
    result.hash = trace_.hash();
    result.faults = trace_.faults();
    result.steps = turns_.steps();
    for (const auto& person : people_) result.told += person->told().size();
    result.entries = truth_.entries();
    result.endings = endings_;
    result.virtual_ms = time_.elapsed_ms();
    return result;
}

// --- people ------------------------------------------------------------------------------

// Everybody looks up at times of one's own, in the storm and behind it.
void World::people_live()
{
    for (auto& owned : people_) {
        auto* person = owned.get();
        auto look = std::make_shared<std::function<void()>>();
        // Kept by what is set to happen, which the end of the run forgets.
        *look = [this, person, weak = std::weak_ptr(look)] {
            person->act(channels_, users_, time_.elapsed_ms() < people_until_);
            const auto next =
                chance_.percent(80) ? chance_.between(10, 5'000) : chance_.between(10, 100);
            if (const auto again = weak.lock())
                time_.after(milliseconds(next), [again] { (*again)(); });
        };
        time_.after(milliseconds(chance_.between(0, 3'000)), [look] { (*look)(); });
    }
}

// --- mishaps -----------------------------------------------------------------------------

void World::plan_mishaps(protocol::Millis duration)
{
    const auto count = chance_.percent(10) ? 0 : chance_.between(1, 25);
    for (std::int64_t i = 0; i < count; ++i)
        plan_mishap(milliseconds(chance_.between(0, duration)));
}

void World::plan_mishap(milliseconds when)
{
    auto* machine = machines_[chance_.below(machines_.size())].get();
    auto* other = machines_[chance_.below(machines_.size())].get();
    const auto kind = chance_.below(13);
    const milliseconds length(chance_.between(500, 60'000));
    const auto steps = chance_.below(400);
    time_.after(when, [this, machine, other, kind, length, steps] {
        if (!is_stormy_) return;
        switch (kind) {
            case 0:
            case 1:
            case 2:
                steps_to_live_[machine] = steps;
                dies_with_power_[machine] = kind == 2;
                return;
            case 3:
                // At any call of the disk, in the middle of a commit too.
                machine->disk().add({std::nullopt, "", 1 + steps, 1, fault::power_cut});
                return;
            case 4:
            case 5:
                trace_.say("network", "cut between " + machine->name() + " and " + other->name());
                network_.cut(machine->name(), other->name());
                time_.after(length, [this] { network_.mend_all(); });
                return;
            case 6:
                trace_.say("network", machine->name() + " is cut off");
                for (auto& each : machines_) network_.cut(machine->name(), each->name());
                time_.after(length, [this] { network_.mend_all(); });
                return;
            case 7:
            case 8: {
                trace_.say("network", "bad weather");
                network_.set_weather({15, 15, 10, 10, kind == 8 ? 5U : 0U});
                time_.after(length, [this] { network_.set_weather({}); });
                return;
            }
            case 9: {
                const auto jump = chance_.between(-900'000, 900'000);
                trace_.say(machine->name(), "its clock jumps by " + std::to_string(jump));
                truth_.allow_jumps();
                machine->clock().offset_ms += jump;
                time_.after(length, [this, machine, jump] {
                    if (is_stormy_) machine->clock().offset_ms -= jump;
                });
                return;
            }
            case 10:
                trace_.say(machine->name(), "its disk is full");
                machine->disk().set_space(steps * 100);
                time_.after(length, [machine] { machine->disk().set_space(std::nullopt); });
                return;
            case 11:
                machine->rotate_key();
                if (steps % 2 == 0) time_.after(length, [machine] { machine->revoke_old_key(); });
                return;
            default:
                trace_.say(machine->name(), "its disk fails a call");
                machine->disk().add(
                    {chance_.percent(50) ? std::optional(fault::Op::sync) : std::nullopt, "",
                     1 + steps / 8, 1, EIO});
                return;
        }
    });
}

void World::lose(Machine& machine, bool with_power)
{
    ++endings_;
    steps_to_live_.erase(&machine);
    if (with_power) {
        machine.cut_power();
    } else {
        machine.kill();
    }
    boot_later(machine);
}

void World::boot_later(Machine& machine)
{
    const milliseconds rest(chance_.percent(90) ? chance_.between(50, 20'000)
                                                : chance_.between(20'000, 120'000));
    time_.after(rest, [this, &machine] {
        if (machine.is_running() || (!is_stormy_ && is_liar(machine))) return;
        if (chance_.percent(30)) backups_.insert_or_assign(&machine, machine.back_up());
        machine.boot();
    });
}

void World::end(Machine& machine)
{
    switch (chance_.below(3)) {
        case 0: return machine.kill();
        case 1: return machine.cut_power();
        default: return machine.stop();
    }
}

// [LOG-5] With everybody there to be asked: who alone held what came last and was away for
// longer than the home waits would be a fork.
void World::put_back()
{
    turns_.run_for(seconds(150));  // whoever is down is up again
    auto& machine = *machines_[chance_.below(machines_.size())];
    if (!machine.is_ready()) return;
    if (!backups_.contains(&machine) || chance_.percent(50)) {
        end(machine);
        backups_.insert_or_assign(&machine, machine.back_up());
        machine.boot();
    }
    const auto live_on = [this] {
        const milliseconds time(chance_.between(5'000, 40'000));
        people_until_ = time_.elapsed_ms() + time.count();
        for (auto& person : people_) person->wish_for_more(10);
        turns_.run_for(time);
    };
    live_on();
    end(machine);
    // What it said before must not be heard later: it would have said two things.
    network_.forget_sent_by(machine.name());
    const auto before = truth_.knowledge(machine);
    machine.put_back(backups_.at(&machine), chance_.percent(50), chance_.percent(30));
    truth_.excuse(machine.name(), before, truth_.knowledge(machine));
    for (auto& person : people_) {
        if (&person->machine() == &machine)
            person->forget_all();
        else
            person->doubt(machine.name());
    }
    machine.boot();
    live_on();
    turns_.run_for(seconds(60));
    // Who has lost something is found by the hour's heartbeat at the latest [LOG-8].
    for (auto& each : machines_) each->ask_all_followers();
}

void World::clean_up()
{
    trace_.say("world", "the storm is over");
    is_stormy_ = false;
    steps_to_live_.clear();
    network_.set_weather({});
    network_.mend_all();
    for (auto& machine : machines_) {
        machine->disk().heal();
        machine->disk().set_space(std::nullopt);
        machine->clock().offset_ms = chance_.percent(70) ? 0 : chance_.between(-20'000, 20'000);
        // It has said enough; what it owes and is owed stays.
        if (is_liar(*machine) && machine->is_running()) machine->kill();
    }
}

// --- time --------------------------------------------------------------------------------

const std::set<protocol::ChannelId>& World::stuck_at(const protocol::ServerName& server) const
{
    static const std::set<protocol::ChannelId> none;
    const auto found = std::ranges::find(machines_, server.str(), &Machine::name);
    return found == machines_.end() ? none : (*found)->stuck();
}

bool World::is_quiet() const
{
    const auto rests = [&](const std::unique_ptr<Machine>& machine) {
        if (is_liar(*machine)) return true;
        if (!machine->is_ready() || machine->queued() > 0) return false;
        const auto lost = truth_.lost_to(machine->name());
        if (lost.empty()) return machine->links() == 0;
        return machine->debts() && std::ranges::all_of(*machine->debts(), [&](const Debt& debt) {
                   // What waits for the clock alone goes on, also to who has lost something.
                   const bool goes_on = debt.to.str() != liar_name_ && !debt.submissions.empty();
                   return (lost.contains(debt.to.str()) && !goes_on) ||
                          is_owed_stuck_logs_only(debt, stuck_at(debt.to));
               });
    };
    const auto waits = [&](const std::unique_ptr<Person>& person) {
        return person->is_waiting() && !is_liar(person->machine());
    };
    return network_.under_way() == 0 && std::all_of(machines_.begin(), machines_.end(), rests) &&
           std::none_of(people_.begin(), people_.end(), waits);
}

// [SIG-4] A replay window that lost something takes no request from before its start.
bool World::is_everybody_heard() const
{
    return std::all_of(machines_.begin(), machines_.end(), [&](const auto& listener) {
        return std::all_of(machines_.begin(), machines_.end(), [&](const auto& speaker) {
            const auto now = speaker->clock().now_s();
            return listener->window().believes(now, now + protocol::max_lifetime_s);
        });
    });
}

void World::wait_until_quiet()
{
    const auto end = time_.in(longest_wait_for_quiet);
    // What is owed to who has lost something may wait for ever, and isn't looked at below; so
    // first everybody takes what the others send.
    while (!is_everybody_heard() && time_.now() < end) turns_.run_for(seconds(10));
    const auto has_links = [](const std::unique_ptr<Machine>& machine) {
        return machine->links() > 0;
    };
    int quiet = 0;
    int enough = enough_quiet;
    while (quiet < enough && time_.now() < end && !turns_.has_given_up()) {
        for (auto& machine : machines_) machine->see_what_is_owed(liar_name_);
        turns_.run_for(seconds(2));
        quiet = is_quiet() ? quiet + 1 : 0;
        enough = std::any_of(machines_.begin(), machines_.end(), has_links)
                     ? enough_quiet_with_links
                     : enough_quiet;
    }
    if (quiet >= enough) return;
    trace_.fault("no quiet comes");
    for (const auto& machine : machines_) {
        if (is_liar(*machine)) continue;
        if (!machine->is_ready()) trace_.fault(machine->name() + " isn't ready");
        if (machine->links() > 0)
            trace_.fault(machine->name() + " has links: " + std::to_string(machine->links()));
        if (machine->queued() > 0) trace_.fault(machine->name() + " has jobs queued");
    }
    for (const auto& person : people_) {
        if (person->is_waiting() && !is_liar(person->machine()))
            trace_.fault(person->user().str() + " waits for an answer");
    }
}

void World::after_step(std::size_t index)
{
    auto& machine = *machines_[index];
    if (!machine.is_running()) return;
    if (machine.is_doomed()) return lose(machine, machine.has_lost_power());
    const auto armed = steps_to_live_.find(&machine);
    if (armed == steps_to_live_.end()) return;
    if (armed->second-- == 0) lose(machine, dies_with_power_[&machine]);
}

RunResult run_seed(const RunOptions& options)
{
    World world(options);
    return world.run();
}

}  // namespace entente::sim
