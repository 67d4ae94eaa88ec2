#include "api/metrics.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <utility>

namespace entente::api {
namespace {

std::string number(double value)
{
    if (std::isnan(value)) return "NaN";
    char text[32];
    const int size = std::snprintf(text, sizeof text, "%.10g", value);
    return {text, static_cast<std::size_t>(size)};
}

void write_line(std::string& out, const std::string& name, const std::string& labels,
                const std::string& value)
{
    out += name;
    if (!labels.empty()) out += "{" + labels + "}";
    out += " " + value + "\n";
}

}  // namespace

void Histogram::observe(double seconds)
{
    std::size_t bucket = 0;
    while (bucket < bounds.size() && seconds > bounds[bucket]) ++bucket;
    buckets_[bucket].fetch_add(1, std::memory_order_relaxed);
    microseconds_.fetch_add(static_cast<std::uint64_t>(std::max(seconds, 0.0) * 1e6),
                            std::memory_order_relaxed);
}

void Histogram::write(std::string& out, const std::string& name, const std::string& labels) const
{
    const std::string prefix = labels.empty() ? "" : labels + ",";
    std::uint64_t count = 0;
    for (std::size_t i = 0; i <= bounds.size(); ++i) {
        count += buckets_[i].load(std::memory_order_relaxed);
        const auto bound = i < bounds.size() ? number(bounds[i]) : std::string{"+Inf"};
        write_line(out, name + "_bucket", prefix + "le=\"" + bound + "\"", std::to_string(count));
    }
    const auto sum = static_cast<double>(microseconds_.load(std::memory_order_relaxed)) / 1e6;
    write_line(out, name + "_sum", labels, number(sum));
    write_line(out, name + "_count", labels, std::to_string(count));
}

Metrics::Series& Metrics::series(const std::string& name, const std::string& help,
                                 const std::string& type, const std::string& labels)
{
    auto& family = families_[name];
    family.help = help;
    family.type = type;
    for (auto& known : family.series)
        if (known->labels == labels) return *known;
    family.series.push_back(std::make_unique<Series>());
    family.series.back()->labels = labels;
    return *family.series.back();
}

Counter& Metrics::counter(const std::string& name, const std::string& help,
                          const std::string& labels)
{
    const std::lock_guard lock{mutex_};
    auto& found = series(name, help, "counter", labels);
    if (!found.counter) found.counter = std::make_unique<Counter>();
    return *found.counter;
}

Histogram& Metrics::histogram(const std::string& name, const std::string& help,
                              const std::string& labels)
{
    const std::lock_guard lock{mutex_};
    auto& found = series(name, help, "histogram", labels);
    if (!found.histogram) found.histogram = std::make_unique<Histogram>();
    return *found.histogram;
}

void Metrics::ask(const std::string& name, const std::string& help, const std::string& type,
                  const std::string& labels, std::function<double()> value)
{
    const std::lock_guard lock{mutex_};
    series(name, help, type, labels).value = std::move(value);
}

std::string Metrics::text() const
{
    const std::lock_guard lock{mutex_};
    std::string out;
    for (const auto& [name, family] : families_) {
        out += "# HELP " + name + " " + family.help + "\n";
        out += "# TYPE " + name + " " + family.type + "\n";
        for (const auto& one : family.series) {
            if (one->counter)
                write_line(out, name, one->labels, std::to_string(one->counter->value()));
            if (one->histogram) one->histogram->write(out, name, one->labels);
            if (one->value) write_line(out, name, one->labels, number(one->value()));
        }
    }
    return out;
}

}  // namespace entente::api
