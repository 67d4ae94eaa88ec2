#include "tests/bench/growth.hpp"

#include <algorithm>
#include <filesystem>
#include <future>
#include <random>
#include <thread>

#include "tests/bench/measure.hpp"
#include "tests/bench/peer.hpp"

namespace entente::bench {

namespace {

// Filling is as quick as it can be; what is measured are transactions of a middle size.
constexpr std::size_t filling_batch = 1000, filling_requests = 50;
constexpr std::size_t measured_batch = 100, measured_requests = 300;
constexpr std::size_t pages = 2000, page_entries = 50;
// A page is asked for while the disk still merges what was written: first it may settle.
constexpr int settling_seconds = 2;

class Growth {
 public:
    void fill_to(std::size_t size)
    {
        auto next = prepare(size);
        while (held_ < size) {
            const auto requests = next.get();
            const auto batch = batch_for(size);
            const auto after = held_ + requests.size() * batch;
            // The next are signed while these are sent.
            next = prepare_from(after, size);
            peer_.send(requests, batch);
            held_ = after;
        }
    }
    GrowthFigures measure()
    {
        GrowthFigures figures;
        figures.messages = held_;
        const auto requests = peer_.requests(measured_requests, measured_batch);
        const auto pid = peer_.server().pid();
        const auto begin = wall_now(), cpu = process_cpu_now(pid);
        peer_.send(requests, measured_batch);
        const auto written = static_cast<double>(measured_requests * measured_batch);
        figures.writes_per_second = written / static_cast<double>(wall_now() - begin) * 1e9;
        figures.cpu_us_per_write = static_cast<double>(process_cpu_now(pid) - cpu) / 1e3 / written;
        held_ += measured_requests * measured_batch;
        std::this_thread::sleep_for(std::chrono::seconds(settling_seconds));
        const auto times = read_pages();
        figures.page_p50_ms = quantile(times, 0.5);
        figures.page_p99_ms = quantile(times, 0.99);
        figures.stored_mib = stored_mib();
        return figures;
    }

 private:
    using Requests = std::vector<std::string>;

    [[nodiscard]] static std::size_t batch_for(std::size_t size)
    {
        return std::min(filling_batch, size);
    }
    std::future<Requests> prepare(std::size_t size) { return prepare_from(held_, size); }
    std::future<Requests> prepare_from(std::size_t from, std::size_t size)
    {
        const auto batch = batch_for(size);
        const auto missing = size > from ? (size - from + batch - 1) / batch : 0;
        return std::async(std::launch::async, [this, batch, missing] {
            return peer_.requests(std::min(missing, filling_requests), batch);
        });
    }
    std::vector<double> read_pages()
    {
        auto& alice = peer_.alice();
        alice.refresh();
        std::mt19937_64 random(held_);
        std::uniform_int_distribution<std::size_t> anywhere(0, held_ - page_entries);
        std::vector<double> times;
        for (std::size_t i = 0; i < pages; ++i) {
            const auto path = "/channels/" + peer_.channel() +
                              "/messages?after=" + std::to_string(anywhere(random)) +
                              "&limit=" + std::to_string(page_entries);
            const auto begin = wall_now();
            const auto octets = alice.fetch(path);
            times.push_back(static_cast<double>(wall_now() - begin) / 1e6);
            check_page(octets);
        }
        return times;
    }
    static void check_page(const std::string& octets)
    {
        std::size_t entries = 0;
        for (auto at = octets.find("\"seq\":"); at != std::string::npos;
             at = octets.find("\"seq\":", at + 1))
            ++entries;
        if (entries != page_entries) throw e2e::Broken("a page isn't whole");
    }
    [[nodiscard]] double stored_mib()
    {
        namespace fs = std::filesystem;
        std::uintmax_t octets = 0;
        for (const auto& file : fs::recursive_directory_iterator(peer_.server().folder() + "/data"))
            if (file.is_regular_file()) octets += file.file_size();
        return static_cast<double>(octets) / (1024 * 1024);
    }

    Peer peer_;
    std::size_t held_ = 0;
};

}  // namespace

void measure_growth(const std::vector<std::size_t>& sizes,
                    const std::function<void(const GrowthFigures&)>& tell)
{
    Growth growth;
    for (const auto size : sizes) {
        growth.fill_to(size);
        tell(growth.measure());
    }
}

}  // namespace entente::bench
