// Whether the log keeps its pace as it grows: `./dev bench --storage`. What is measured is
// the real store (storage_load.hpp); no network, no server. Exits with 1 where a requirement
// isn't met, or where this program was the bottleneck.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <stdlib.h>
#include <unistd.h>
#include <CLI/CLI.hpp>

#include "tests/bench/measure.hpp"
#include "tests/bench/storage_load.hpp"
#include "tests/e2e/support/tls_socket.hpp"

namespace entente::bench {

namespace {

namespace fs = std::filesystem;

constexpr const char* about =
    R"(Whether the log keeps its pace as it grows, on SQLite and RocksDB.

A store is loaded with 10^4, 10^6 and 10^7 messages and measured at each size.

Method: messages of 300 octets of text by 48 members of 4 servers, with txn, seal, proof and
checkpoint, through ChannelLogStore and the group commit, as the inbox writes them: in each
commit 8 of 64 channels get a run of 20 messages, every commit is on the disk before its
writer goes on, two are under way at any time. Loading goes the same way with larger batches:
all 64 channels in each commit, with runs of 20 as well, and a quiet channel with a run of one
message.

Write speed is measured in pairs: a burst on the large store and the same burst on a fresh one
of 10^4 messages, one right behind the other, so that what else the machine does hits both.
Both have had such a burst before, and a second in which their WAL could be brought into the
database. How far writes fall is the median of the pairs. At 10^4 only fresh stores are
written to.

A page is the 50 entries below a random entry of a random channel, read by a reader thread
with the channel's row and the reader's standing, as GET messages?before= does; the p99 is the
median of the p99s of several series. "cold" pages are read after the system was told to
forget the database file; they and the quiet channel's, whose pages take 50 runs, are told but
not required to be anything.

Required: writes fall by less than 15 % from 10^4 to each size; the p99 of a page stays under
5 ms. Data is in --folder, or $TMPDIR or /tmp, and removed at the end.)";

constexpr std::int64_t sizes[] = {10'000, 1'000'000, 10'000'000};
constexpr double max_fall_percent = 15;
constexpr double max_page_p99_ms = 5;
constexpr int page_series = 9;
// A maker of messages that isn't this many times faster than the store measures itself.
constexpr double least_headroom = 1.5;

struct Options {
    std::int64_t max = sizes[2];
    std::string json;
    std::string folder;
    int rounds = 30;
    std::int64_t burst = 100;  // commits
    std::size_t pages = 1000;  // a series
};

struct Speed {
    double seconds = 0;
    double cpu_seconds = 0;
    std::int64_t messages = 0;
    [[nodiscard]] double per_second() const { return static_cast<double>(messages) / seconds; }
    [[nodiscard]] double cpu_us() const
    {
        return cpu_seconds * 1e6 / static_cast<double>(messages);
    }
};

struct Figures {
    std::int64_t size = 0;
    Speed load, writes, small_writes;
    double fall_percent = 0;
    double page_p50_ms = 0, page_p99_ms = 0;
    double cold_p50_ms = 0, cold_p99_ms = 0;
    double quiet_p50_ms = 0, quiet_p99_ms = 0;
    double database_octets = 0, window_octets = 0;  // per message
    double window_mib = 0;
    double lookup_p50_ms = 0, lookup_p99_ms = 0;
    double rebuild_seconds = 0;
    double resident_mib = 0;
};

template <class Work>
Speed timed(StoreUnderLoad& store, Work work)
{
    Speed speed;
    const auto before = store.messages();
    const auto wall = wall_now();
    const auto cpu = process_cpu_now(::getpid());
    work();
    speed.seconds = static_cast<double>(wall_now() - wall) / 1e9;
    speed.cpu_seconds = static_cast<double>(process_cpu_now(::getpid()) - cpu) / 1e9;
    speed.messages = store.messages() - before;
    return speed;
}

void add(Speed& sum, const Speed& part)
{
    sum.seconds += part.seconds;
    sum.cpu_seconds += part.cpu_seconds;
    sum.messages += part.messages;
}

// A folder of our own below `parent`, gone at the end.
class ScratchFolder {
 public:
    explicit ScratchFolder(const fs::path& parent)
    {
        path_ = parent / "entente-storage-bench-XXXXXX";
        if (::mkdtemp(path_.data()) == nullptr)
            throw e2e::Broken("no folder can be made in " + parent.string());
    }
    ~ScratchFolder()
    {
        std::error_code ignored;
        fs::remove_all(path_, ignored);
    }
    ScratchFolder(const ScratchFolder&) = delete;
    ScratchFolder& operator=(const ScratchFolder&) = delete;
    [[nodiscard]] const std::string& path() const { return path_; }

 private:
    std::string path_;
};

// How many messages a second this program can make at most.
double makers_speed()
{
    MessageMaker maker;
    const auto channel =
        protocol::ChannelId::trusted("0192f0c1-7b1a-7c3d-8e4f-0123456789ab@a.test");
    const auto begun = thread_cpu_now();
    std::size_t made = 0;
    for (int i = 0; i < 1000; ++i) made += maker.make(channel, messages_per_run).messages.size();
    return static_cast<double>(made) * 1e9 / static_cast<double>(thread_cpu_now() - begun);
}

// A burst on both, one right behind the other, each first as often as the other.
void measure_pair(const Options& options, StoreUnderLoad& store, StoreUnderLoad& small,
                  bool small_first, Figures& figures, std::vector<double>& parts)
{
    Speed of_store;
    Speed of_small;
    const auto burst_on_small = [&] {
        of_small = timed(small, [&] { small.write(options.burst); });
    };
    if (small_first) burst_on_small();
    of_store = timed(store, [&] { store.write(options.burst); });
    if (!small_first) burst_on_small();
    parts.push_back(of_store.per_second() / of_small.per_second());
    add(figures.writes, of_store);
    add(figures.small_writes, of_small);
}

void measure_writes(const Options& options, const std::string& folder, StoreUnderLoad& store,
                    Figures& figures)
{
    std::vector<double> parts;
    for (int i = 0; i < options.rounds; ++i) {
        const ScratchFolder fresh(folder);
        StoreUnderLoad small(fresh.path());
        small.load_up_to(sizes[0]);
        // As the large one has had: a WAL that was never full is slower, since its file grows.
        small.write(options.burst);
        StoreUnderLoad::pause();
        if (figures.size == sizes[0]) {
            add(figures.writes, timed(small, [&] { small.write(options.burst); }));
        } else {
            measure_pair(options, store, small, i % 2 == 0, figures, parts);
        }
    }
    if (!parts.empty()) figures.fall_percent = 100 * (1 - median(parts));
}

void measure_pages(const Options& options, StoreUnderLoad& store, Figures& figures)
{
    using Where = StoreUnderLoad::Where;
    std::vector<double> middles;
    std::vector<double> tails;
    for (int i = 0; i < page_series; ++i) {
        const auto times = store.pages(Where::busy, options.pages);
        middles.push_back(quantile(times, 0.5));
        tails.push_back(quantile(times, 0.99));
    }
    figures.page_p50_ms = median(middles);
    figures.page_p99_ms = median(tails);
    const auto quiet = store.pages(Where::quiet, options.pages);
    figures.quiet_p50_ms = quantile(quiet, 0.5);
    figures.quiet_p99_ms = quantile(quiet, 0.99);
    const auto lookups = store.lookups(options.pages);
    figures.lookup_p50_ms = quantile(lookups, 0.5);
    figures.lookup_p99_ms = quantile(lookups, 0.99);
    store.forget_cached();
    const auto cold = store.pages(Where::busy, options.pages / 5);
    figures.cold_p50_ms = quantile(cold, 0.5);
    figures.cold_p99_ms = quantile(cold, 0.99);
}

Figures measure(const Options& options, const std::string& folder, StoreUnderLoad& store,
                std::int64_t size)
{
    Figures figures;
    figures.size = size;
    figures.load = timed(store, [&] { store.load_up_to(size); });
    store.rest();
    figures.database_octets = store.database_octets() / static_cast<double>(store.messages());
    figures.window_octets = store.window_octets() / static_cast<double>(store.messages());
    figures.window_mib = store.window_octets() / (1024 * 1024);
    measure_pages(options, store, figures);
    figures.resident_mib = resident_kib(::getpid()) / 1024;
    figures.rebuild_seconds = store.rebuild_index();
    measure_writes(options, folder, store, figures);
    return figures;
}

void print(const Figures& figures)
{
    std::printf("\n%lld messages\n", static_cast<long long>(figures.size));
    if (figures.load.messages > 0)
        std::printf("  loaded %lld at %.0f a second, %.1f us of CPU each\n",
                    static_cast<long long>(figures.load.messages), figures.load.per_second(),
                    figures.load.cpu_us());
    std::printf("  writes         %8.0f a second, %.1f us of CPU each\n",
                figures.writes.per_second(), figures.writes.cpu_us());
    if (figures.size != sizes[0])
        std::printf(
            "  at 10^4, between %6.0f a second, %.1f us of CPU each: they fall by %.1f %%\n",
            figures.small_writes.per_second(), figures.small_writes.cpu_us(), figures.fall_percent);
    std::printf("  page of 50     p50 %.2f ms, p99 %.2f ms\n", figures.page_p50_ms,
                figures.page_p99_ms);
    std::printf("    cold         p50 %.2f ms, p99 %.2f ms\n", figures.cold_p50_ms,
                figures.cold_p99_ms);
    if (figures.quiet_p50_ms > 0)
        std::printf("    of 50 runs   p50 %.2f ms, p99 %.2f ms\n", figures.quiet_p50_ms,
                    figures.quiet_p99_ms);
    std::printf("  database       %.0f octets a message\n", figures.database_octets);
    std::printf("  RocksDB        %.1f octets a message, %.1f MiB\n", figures.window_octets,
                figures.window_mib);
    std::printf("  event by its id p50 %.2f ms, p99 %.2f ms; the index is made anew in %.1f s\n",
                figures.lookup_p50_ms, figures.lookup_p99_ms, figures.rebuild_seconds);
    std::printf("  resident       %.1f MiB\n", figures.resident_mib);
    std::fflush(stdout);
}

std::vector<std::string> faults_of(const Figures& figures, double maker)
{
    std::vector<std::string> faults;
    const auto at = " at " + std::to_string(figures.size) + " messages";
    if (figures.fall_percent >= max_fall_percent) faults.push_back("writes fall too far" + at);
    if (figures.page_p99_ms >= max_page_p99_ms) faults.push_back("a page takes too long" + at);
    if (maker < least_headroom * figures.writes.per_second())
        faults.push_back("making the messages is the bottleneck" + at);
    return faults;
}

std::string json_of(const std::vector<Figures>& all, const std::vector<std::string>& faults)
{
    std::string out = "{\"sizes\":[";
    for (const auto& figures : all) {
        const auto member = [&out](const char* name, double value) {
            char text[64];
            std::snprintf(text, sizeof text, ",\"%s\":%.3f", name, value);
            out += text;
        };
        if (out.back() == '}') out += ',';
        out += "{\"messages\":" + std::to_string(figures.size);
        member("writes_per_second", figures.writes.per_second());
        member("cpu_us_per_message", figures.writes.cpu_us());
        member("small_writes_per_second", figures.small_writes.per_second());
        member("fall_percent", figures.fall_percent);
        member("page_p50_ms", figures.page_p50_ms);
        member("page_p99_ms", figures.page_p99_ms);
        member("cold_page_p50_ms", figures.cold_p50_ms);
        member("cold_page_p99_ms", figures.cold_p99_ms);
        member("page_of_50_runs_p99_ms", figures.quiet_p99_ms);
        member("database_octets_per_message", figures.database_octets);
        member("rocksdb_octets_per_message", figures.window_octets);
        member("rocksdb_mib", figures.window_mib);
        member("event_by_id_p50_ms", figures.lookup_p50_ms);
        member("event_by_id_p99_ms", figures.lookup_p99_ms);
        member("index_rebuild_seconds", figures.rebuild_seconds);
        member("rss_mib", figures.resident_mib);
        out += '}';
    }
    out += "],\"faults\":[";
    for (const auto& fault : faults) out += (out.back() == '[' ? "\"" : ",\"") + fault + '"';
    return out + "]}\n";
}

int run(const Options& options)
{
    const auto parent =
        options.folder.empty() ? fs::temp_directory_path() : fs::path(options.folder);
    const ScratchFolder folder(parent);
    const auto maker = makers_speed();
    std::printf("storage in %s; messages are made at %.0f a second at most\n", parent.c_str(),
                maker);
    std::vector<Figures> all;
    std::vector<std::string> faults;
    {
        StoreUnderLoad store(folder.path() + "/store");
        for (const auto size : sizes) {
            if (size > options.max) break;
            all.push_back(measure(options, folder.path(), store, size));
            print(all.back());
            for (auto& fault : faults_of(all.back(), maker)) faults.push_back(std::move(fault));
        }
    }
    for (const auto& fault : faults) std::printf("FAILED: %s\n", fault.c_str());
    if (!options.json.empty()) {
        std::ofstream file(options.json);
        file << json_of(all, faults);
        if (!file.flush()) throw e2e::Broken("cannot write " + options.json);
    }
    return faults.empty() ? 0 : 1;
}

}  // namespace

}  // namespace entente::bench

int main(int argc, char** argv)
{
    entente::bench::Options options;
    CLI::App app(entente::bench::about, "entente-storage-bench");
    app.add_option("--max", options.max, "stop before a size larger than this")
        ->check(CLI::Range(std::int64_t{10'000}, std::int64_t{10'000'000}));
    app.add_option("--json", options.json, "write the figures to this file");
    app.add_option("--folder", options.folder, "where the data goes")
        ->check(CLI::ExistingDirectory);
    app.add_option("--rounds", options.rounds, "bursts on each store")->check(CLI::Range(1, 1000));
    app.add_option("--burst", options.burst, "commits in a burst")
        ->check(CLI::Range(std::int64_t{1}, std::int64_t{1'000'000}));
    app.add_option("--pages", options.pages, "pages in a series")
        ->check(CLI::Range(std::size_t{10}, std::size_t{1'000'000}));
    CLI11_PARSE(app, argc, argv);
    try {
        return entente::bench::run(options);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "entente-storage-bench: %s\n", error.what());
        return 2;
    }
}
