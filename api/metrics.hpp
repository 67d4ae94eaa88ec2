// Figures of the daemon in the Prometheus text format 0.0.4: counters and histograms that
// rooms keep, and values that are asked for when somebody scrapes. Serves nothing itself.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "net/figures.hpp"

namespace entente::api {

using net::Counter;
using net::Histogram;

class Metrics {
 public:
    // `labels` as they stand between the braces, `listener="client"`, or empty: constants
    // of ours, never what a stranger sent. The same name and labels give the same object.
    Counter& counter(const std::string& name, const std::string& help,
                     const std::string& labels = {});
    Histogram& histogram(const std::string& name, const std::string& help,
                         const std::string& labels = {});
    // What a room keeps itself; it outlives this.
    void show(const std::string& name, const std::string& help, const std::string& labels,
              const Counter& counter);
    void show(const std::string& name, const std::string& help, const std::string& labels,
              const Histogram& histogram);
    // Asked on the thread that calls text(). `type` is "gauge" or "counter".
    void ask(const std::string& name, const std::string& help, const std::string& type,
             const std::string& labels, std::function<double()> value);
    [[nodiscard]] std::string text() const;

 private:
    struct Series {
        std::string labels;
        std::unique_ptr<Counter> own_counter;
        std::unique_ptr<Histogram> own_histogram;
        const Counter* counter = nullptr;  // its own, or a room's
        const Histogram* histogram = nullptr;
        std::function<double()> value;
    };
    struct Family {
        std::string help;
        std::string type;
        std::vector<std::unique_ptr<Series>> series;
    };
    Series& series(const std::string& name, const std::string& help, const std::string& type,
                   const std::string& labels);

    mutable std::mutex mutex_;  // the list of families, not the values
    std::map<std::string, Family> families_;
};

}  // namespace entente::api
