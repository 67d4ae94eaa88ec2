#include <csignal>
#include <cstdio>
#include <exception>

#include <sodium.h>
#include <CLI/CLI.hpp>

#include "conformance/cli/options.hpp"
#include "conformance/report/visible.hpp"

namespace entente::conformance {

namespace {

// Reports have numbers below 2^53.
constexpr std::uint64_t max_seed = (std::uint64_t{1} << 53U) - 1;

constexpr const char* footer =
    "Exit codes: 0 all graded MUSTs pass, and --min-graded is met; 1 a failure, or a pass that "
    "was\n"
    "expected to fail; 2 usage; 3 incomplete: nothing matched, or fewer graded than --min-graded;\n"
    "4 a control or the doctor failed; 5 a fault of the runner; 6 the target died;\n"
    "7 this machine was too busy to measure some cases, and nothing else is wrong.\n"
    "docs/conformance/ is the guide.";

void add_target(CLI::App& verb, RunCommand& command)
{
    verb.add_option("--target", command.target, "The target's file, as init writes it")
        ->required()
        ->type_name("FILE");
    verb.add_option("--i-own", command.i_own,
                    "The target's name: needed where it isn't on loopback")
        ->type_name("NAME");
}

void add_vectors(CLI::App& verb, std::vector<std::string>& files)
{
    verb.add_option("--vectors", files,
                    "Ed25519 test vectors for the hook verify: Wycheproof's ed25519_test.json,\n"
                    "CCTV's ed25519vectors.json, or both, divided by a comma")
        ->delimiter(',')
        ->check(CLI::ExistingFile)
        ->type_name("FILE");
}

void add_seed(CLI::App& verb, RunOptions& options)
{
    options.seed = new_seed();
    verb.add_option("--seed", options.seed,
                    "What the runner draws follows from it; the report names it. Drawn where it "
                    "isn't given")
        ->check(CLI::Range(std::uint64_t{0}, max_seed))
        ->default_str("")
        ->type_name("N");
}

// One of some words. CLI11's own check tells of the numbers behind them.
template <typename Value>
CLI::Validator word(const std::map<std::string, Value>& words, const std::string& told)
{
    return {[&words, told](std::string& written) {
                const auto found = words.find(CLI::detail::to_lower(written));
                if (found == words.end()) return "there is no \"" + written + "\"; write " + told;
                written = std::to_string(static_cast<int>(found->second));
                return std::string();
            },
            told};
}

void add_choice(CLI::App& verb, RunOptions& options)
{
    static const std::map<std::string, Profile> profiles = {
        {"core", Profile::core}, {"hardened", Profile::hardened}, {"durable", Profile::durable}};
    static const std::map<std::string, Level> levels = {{"must", Level::must},
                                                        {"should", Level::should}};
    verb.add_option("--profile", options.profile,
                    "core; hardened: and HTTP, addresses, load; durable: and restarts")
        ->transform(word(profiles, "core, hardened, or durable, which is all"))
        ->default_str("core");
    verb.add_option("--level", options.level, "must: leave SHOULDs out")
        ->transform(word(levels, "must or should"))
        ->default_str("should");
    verb.add_option("--only", options.only,
                    "Cases whose ids fit: * and ?, patterns divided by commas")
        ->type_name("GLOB");
    verb.add_option("--skip", options.skip, "Leaves these out")->type_name("GLOB");
}

}  // namespace

int main_of(int argc, char** argv)
{
    CLI::App app(
        "entente-conformance: a hostile peer that finds out whether a server keeps the Entente\n"
        "federation protocol.",
        "entente-conformance");
    app.footer(footer);
    app.set_version_flag("--version", std::string("entente-conformance ") + runner_version);
    app.require_subcommand(1);
    int code = 0;
    const Program program{argc > 0 ? argv[0] : "entente-conformance"};

    InitCommand init;
    init.program = program.program;
    auto* init_verb = app.add_subcommand(
        "init", "Writes target.toml and the authority of the runner's peers into a folder");
    init_verb->add_option("--folder", init.folder, "Where")->type_name("DIR");
    init_verb->add_option("--name", init.name, "The target's server name")
        ->required()
        ->type_name("NAME");
    init_verb->callback([&] { code = do_init(init); });

    RunCommand doctor;
    doctor.program = program.program;
    auto* doctor_verb = app.add_subcommand(
        "doctor", "Finds out, step by step, whether the target can be judged at all");
    add_target(*doctor_verb, doctor);
    doctor_verb->add_flag("--hooks", doctor.hooks,
                          "Also tries the hooks that restart the target or set its clock");
    doctor_verb->callback([&] { code = do_doctor(doctor); });

    ListCommand list;
    list.program = program.program;
    list.options.profile = Profile::durable;
    auto* list_verb =
        app.add_subcommand("list", "One case a line: id, level, clause, what it proves");
    add_choice(*list_verb, list.options);
    list_verb->add_flag("--markdown", list.markdown, "As a table by groups");
    list_verb->callback([&] { code = do_list(list); });

    std::string explained;
    auto* explain_verb = app.add_subcommand("explain", "All that is to be said of a case");
    explain_verb->add_option("id", explained, "As list prints it")->required();
    explain_verb->callback([&] { code = do_explain(program, explained); });

    RunCommand run;
    run.program = program.program;
    auto* run_verb = app.add_subcommand("run", "Judges the target");
    add_target(*run_verb, run);
    add_choice(*run_verb, run.options);
    add_vectors(*run_verb, run.vectors);
    run_verb->add_option("--expect", run.expect_file, "Known failures: a line each, `id  # why`")
        ->type_name("FILE");
    run_verb
        ->add_option("--min-graded", run.options.min_graded,
                     "Fewer verdicts than this are no success")
        ->type_name("N");
    add_seed(*run_verb, run.options);
    run_verb
        ->add_option("--repeat", run.options.repeat,
                     "Judges each case so often: flaky is what fails and passes")
        ->check(CLI::Range(1, 1'000))
        ->default_str("1")
        ->type_name("N");
    run_verb->add_option("--jobs", run.options.jobs, "Cases at a time")
        ->check(CLI::Range(1, 16))
        ->default_str("1")
        ->type_name("N");
    run_verb->add_flag("--destructive", run.options.destructive,
                       "Also what may harm the target's data");
    run_verb
        ->add_option("--out", run.out,
                     "Reports: json=FILE, junit=FILE, tap=FILE, html=FILE, divided by commas")
        ->delimiter(',')
        ->type_name("KIND=FILE");
    run_verb->add_flag("--quiet", run.quiet, "No line for a case that passes");
    run_verb->callback([&] { code = do_run(run); });

    RunCommand repro;
    repro.program = program.program;
    std::string repeated;
    auto* repro_verb =
        app.add_subcommand("repro", "Runs one case and prints every octet that went both ways");
    repro_verb->add_option("id", repeated, "As list prints it")->required();
    add_target(*repro_verb, repro);
    add_seed(*repro_verb, repro.options);
    add_vectors(*repro_verb, repro.vectors);
    repro_verb->callback([&] { code = do_repro(repro, repeated); });

    RunCommand peer;
    auto* peer_verb = app.add_subcommand(
        "peer", "Serves one friendly peer and prints what the target asks it, until Ctrl-C");
    add_target(*peer_verb, peer);
    peer_verb->callback([&] { code = do_peer(peer); });

    std::string report;
    std::vector<std::string> report_out;
    auto* report_verb =
        app.add_subcommand("report", "Checks a JSON report's signature; writes other forms of it");
    report_verb->add_option("file", report, "As --out json=FILE wrote it")->required();
    report_verb->add_option("--out", report_out, "junit=FILE, tap=FILE, html=FILE")
        ->delimiter(',')
        ->type_name("KIND=FILE");
    report_verb->callback([&] { code = do_report(report, report_out); });

    SelftestCommand selftest;
    selftest.program = program.program;
    auto* selftest_verb = app.add_subcommand(
        "selftest",
        "Runs every case against a clean peer, its mutants and servers that say nothing");
    selftest_verb->add_option("--only", selftest.only, "Cases")->type_name("GLOB");
    selftest_verb->add_option("--jobs", selftest.jobs, "Peers at a time")
        ->check(CLI::Range(1, 16))
        ->default_str("2")
        ->type_name("N");
    add_vectors(*selftest_verb, selftest.vectors);
    selftest_verb->add_flag("--clean", selftest.clean, "The clean peer");
    selftest_verb->add_flag("--mutants", selftest.mutants, "The mutants");
    selftest_verb->add_flag("--nulls", selftest.nulls, "The null servers");
    selftest_verb->callback([&] { code = do_selftest(selftest); });

    // Not for people: the peers of selftest.
    ReferenceCommand reference;
    auto* reference_verb = app.add_subcommand("reference", "A reference peer")->group("");
    reference_verb->add_option("--folder", reference.folder)->required();
    reference_verb->add_option("--port", reference.port);
    reference_verb->add_option("--flags", reference.flags)->delimiter(',');
    reference_verb->callback([&] { code = do_reference(reference); });
    std::string asked_hook;
    auto* hook_verb = app.add_subcommand("reference-hook", "Asks a reference peer")->group("");
    hook_verb->add_option("name", asked_hook)->required();
    hook_verb->add_option("--folder", reference.folder)->required();
    hook_verb->callback([&] { code = do_reference_hook(reference, asked_hook); });

    // For the project's own tests; not in --help.
    auto* samples_verb = app.add_subcommand("samples", "")->group("");
    samples_verb->callback([&] { code = do_samples(); });

    // CLI11 would say only that a verb is missing.
    const auto is_it = [&](const CLI::App* verb) { return verb->get_name() == argv[1]; };
    if (argc > 1 && argv[1][0] != '-' && app.get_subcommands(is_it).empty()) {
        std::fprintf(stderr, "there is no verb %s; `%s --help` lists them\n",
                     visible(argv[1]).c_str(), shell_word(program.program).c_str());
        return static_cast<int>(Exit::usage);
    }
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        const bool asked = error.get_exit_code() == 0;
        app.exit(error);
        return asked ? 0 : static_cast<int>(Exit::usage);
    } catch (const UsageError& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return static_cast<int>(Exit::usage);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "entente-conformance: %s\n", error.what());
        return static_cast<int>(Exit::control_failed);
    }
    return code;
}

}  // namespace entente::conformance

int main(int argc, char** argv)
{
    if (sodium_init() < 0) return 5;
    // A peer that goes away is a failed write, not the end of the runner.
    std::signal(SIGPIPE, SIG_IGN);
    return entente::conformance::main_of(argc, argv);
}
