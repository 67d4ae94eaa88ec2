// init, run, repro, peer, report.
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <thread>

#include <sys/stat.h>

#include "conformance/cli/lines.hpp"
#include "conformance/cli/options.hpp"
#include "conformance/judge/trial.hpp"
#include "conformance/reference/names.hpp"
#include "conformance/report/report.hpp"
#include "conformance/report/visible.hpp"
#include "conformance/wire/octets.hpp"

namespace entente::conformance {

namespace {

namespace fs = std::filesystem;

void write_file(const fs::path& path, const std::string& text, fs::perms perms)
{
    std::ofstream file(path, std::ios::binary);
    fs::permissions(path, perms);
    file << text;
    if (!file.flush()) throw UsageError(path.string() + " can't be written");
}

std::string template_of(const std::string& name)
{
    return "# The server that entente-conformance judges. docs/conformance/ explains every key.\n"
           "[target]\n"
           "name = \"" +
           name +
           "\"\n"
           "base = \"https://" +
           name +
           "\"         # its federation API\n"
           "connect = \"127.0.0.1:8448\"         # where that is; leave it out to ask DNS\n"
           "ca_file = \"\"                       # PEM, where the system doesn't know its "
           "authority\n"
           "\n"
           "[peers]\n"
           "# The runner's servers are <case>-<random>.<domain>. Map *.peers.test to `listen` in "
           "the\n"
           "# target, and let it trust authority.pem.\n"
           "domain = \"peers.test\"\n"
           "listen = \"127.0.0.1:9443\"\n"
           "authority_certificate = \"authority.pem\"\n"
           "authority_key = \"authority.key\"\n"
           "\n"
           "[accounts]\n"
           "# Entente's client API; other servers: leave it out and write [commands].\n"
           "client_api = \"https://" +
           name +
           "\"\n"
           "first = { user = \"alice@" +
           name +
           "\", password = \"\" }\n"
           "second = { user = \"bob@" +
           name +
           "\", password = \"\" }\n"
           "\n"
           "[hooks]\n"
           "# restart = \"systemctl restart my-server\"\n"
           "# kill9 = \"systemctl kill -s KILL my-server\"\n";
}

volatile std::sig_atomic_t interrupted = 0;

}  // namespace

std::uint64_t new_seed()
{
    std::uint64_t seed = 0;
    for (const char octet : fresh_octets(4)) seed = seed << 8U | static_cast<unsigned char>(octet);
    return seed;
}

TargetFile target_of(const RunCommand& command)
{
    auto file = read_target(command.target);
    file.vectors = command.vectors;
    if (!file.is_on_loopback() && command.i_own != file.name)
        throw TargetError(command.target + ": " + file.name +
                          " isn't on loopback; say that it is yours by --i-own " + file.name);
    return file;
}

Invocation invocation_of(const RunCommand& command)
{
    Invocation invocation{command.program, command.target, {}, {}};
    if (!command.i_own.empty()) invocation.options = " --i-own " + shell_word(command.i_own);
    for (const auto& file : command.vectors) invocation.vectors += " --vectors " + shell_word(file);
    return invocation;
}

int do_init(const InitCommand& command)
{
    if (!reference::is_server_name(command.name, reference::Flags({})))
        throw UsageError("--name " + visible(command.name) +
                         " is no server name [NAME-1]; write it as a.example: in lower case, "
                         "without https:// and without a port");
    const fs::path folder(command.folder);
    std::error_code error;
    fs::create_directories(folder, error);
    if (!fs::is_directory(folder))
        throw UsageError("--folder " + visible(command.folder) +
                         " is no folder, and can't be made one");
    for (const auto* name : {"target.toml", "authority.pem", "authority.key"})
        if (fs::exists(folder / name))
            throw UsageError((folder / name).string() + " is there already; nothing was changed");
    const auto authority = Authority::make("Authority of entente-conformance");
    const auto readable = fs::perms::owner_read | fs::perms::owner_write | fs::perms::group_read |
                          fs::perms::others_read;
    write_file(folder / "target.toml", template_of(command.name),
               fs::perms::owner_read | fs::perms::owner_write);
    write_file(folder / "authority.pem", authority.own().chain, readable);
    write_file(folder / "authority.key", authority.own().key,
               fs::perms::owner_read | fs::perms::owner_write);
    std::printf(
        "Written: target.toml, authority.pem, authority.key in %s\n"
        "Next: let the target trust authority.pem and find *.peers.test at 127.0.0.1:9443,\n"
        "put two accounts into target.toml, then\n"
        "  %s\n",
        folder.c_str(),
        Invocation{command.program, (folder / "target.toml").string(), {}, {}}
            .command("doctor")
            .c_str());
    return 0;
}

int do_run(const RunCommand& command)
{
    auto options = command.options;
    // Before anything is sent: a fault of the command line costs the target nothing.
    const auto outputs = parse_outputs(command.out);
    if (!command.expect_file.empty()) options.expected = read_expected(command.expect_file);
    const auto cases = select(options);
    if (cases.empty()) return no_case_fits(command);
    World world(target_of(command));
    std::fprintf(stderr, "seed %llu\n", static_cast<unsigned long long>(options.seed));
    std::size_t done = 0;
    const auto result = run(world, cases, options, [&](const Case& one, const Verdict& verdict) {
        // One sentence at the end says it of all of them.
        if (verdict.state == State::not_run) return;
        ++done;
        if (command.quiet && verdict.state == State::pass) return;
        std::fprintf(stderr, "[%3zu/%zu] %s\n", done, cases.size(),
                     verdict_line(one, verdict).c_str());
    });
    const auto not_run = result.count(State::not_run);
    if (result.target_died)
        std::fprintf(stderr, "the target has stopped answering, at %s: %zu cases weren't run\n",
                     result.died_at.c_str(), not_run);
    else if (not_run > 0)
        std::fprintf(stderr, "the target's accounts fail: %zu cases weren't run\n", not_run);
    const auto code = exit_of(result, options);
    const auto report = make_report(world, result, options, code, invocation_of(command));
    std::printf("%s\n", summary_of(report).c_str());
    for (const auto& output : outputs) write_output(output, report);
    return static_cast<int>(code);
}

int do_repro(const RunCommand& command, const std::string& id)
{
    const auto* one = find_case(id);
    if (one == nullptr) return do_explain(command, id);
    World world(target_of(command));
    const auto verdict = judge(world, *one, command.options.seed);
    std::printf("seed %llu; >>> is what the runner sent, <<< what came from the target\n",
                static_cast<unsigned long long>(command.options.seed));
    for (const auto& exchange : verdict.exchanges)
        std::fputs(exchange_lines(exchange).c_str(), stdout);
    if (verdict.exchanges_left_out > 0)
        std::printf("\n%zu further requests of the target aren't shown\n",
                    verdict.exchanges_left_out);
    std::printf("\n%s\n", verdict_line(*one, verdict).c_str());
    if (!verdict.assertion.empty()) std::printf("at \"%s\"\n", verdict.assertion.c_str());
    RunResult result;
    result.verdicts = {verdict};
    result.runner_bug = verdict.assertion == "runner";
    return static_cast<int>(exit_of(result, {}));
}

int do_peer(const RunCommand& command)
{
    World world(target_of(command));
    const auto origin = world.make_origin("peer");
    std::printf("%s serves its document and an inbox; Ctrl-C ends it\n", origin->name().c_str());
    std::signal(SIGINT, [](int) { interrupted = 1; });
    std::size_t shown = 0;
    while (interrupted == 0) {
        static_cast<void>(
            origin->wait_for([](const Received&) { return true; }, in(Millis(200)), shown));
        for (const auto all = origin->received(); shown < all.size(); ++shown)
            std::printf("\n%s\n", visible(serialise(all[shown].request), LineEnds::http).c_str());
        std::fflush(stdout);
    }
    return 0;
}

int do_report(const std::string& file, const std::vector<std::string>& out)
{
    const auto outputs = parse_outputs(out);
    const auto report = read_report(file);
    for (const auto& output : outputs) write_output(output, report);
    std::printf("%s\n", summary_of(report).c_str());
    return 0;
}

}  // namespace entente::conformance
