#pragma once

// A case: one sentence that a target keeps or breaks, and how that is found out. Ids are stable and
// never renumbered.

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace entente::conformance {

class Trial;

enum class Level { must, should };

// Each holds the ones before it.
enum class Profile { core, hardened, durable };

// One check that a mutant of the reference peer leaves out, and the assertion by which a case must
// notice.
struct Mutant {
    std::string flag;
    std::string assertion;
};

struct Case {
    std::string id{};
    // "signature", "window" …: the prefix of the id says the same. Set by the catalogue.
    std::string group{};
    // Of the specification: "SIG-1".
    std::string clause{};
    Level level = Level::must;
    Profile profile = Profile::core;
    // One sentence, as of a target that keeps it: "A signature that leaves out @path is refused".
    std::string proves{};
    std::function<void(Trial&)> run{};
    std::vector<Mutant> mutants{};
    // The advisory, issue or RFC section that it descends from; empty where there is none.
    std::string descends_from{};
    // Hooks of the target's file without which it isn't applicable.
    std::vector<std::string> hooks{};
    // Harms the target for a while (load, restarts): runs alone, behind all others, and only with
    // --destructive where `destructive`.
    bool alone = false;
    // Waits for 5 s and more until the target gives something up, and hardly asks it anything
    // meanwhile: begins with the run, and doesn't count among its jobs.
    bool waits = false;
    bool destructive = false;
    // Passes where nothing forbidden happens; a null server must not pass it.
    bool negative = true;
};

// All of them, in the order of their ids.
[[nodiscard]] const std::vector<Case>& catalogue();
[[nodiscard]] const Case* find_case(std::string_view id);
// What the cases of a group have in common, for who reads them for the first time.
[[nodiscard]] std::string_view about_group(std::string_view name);

[[nodiscard]] std::string_view name_of(Level level);
[[nodiscard]] std::string_view name_of(Profile profile);

// Whether `id` fits a pattern of `*` and `?`; patterns divided by commas are alternatives.
[[nodiscard]] bool fits(std::string_view id, std::string_view patterns);

}  // namespace entente::conformance
