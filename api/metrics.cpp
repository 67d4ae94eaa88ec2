#include "api/metrics.hpp"

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

void write_histogram(std::string& out, const std::string& name, const std::string& labels,
                     const Histogram& histogram)
{
    const std::string prefix = labels.empty() ? "" : labels + ",";
    const auto bounds = histogram.bounds();
    std::uint64_t count = 0;
    for (std::size_t i = 0; i <= bounds.size(); ++i) {
        count += histogram.count_in(i);
        const auto bound = i < bounds.size() ? number(bounds[i]) : std::string{"+Inf"};
        write_line(out, name + "_bucket", prefix + "le=\"" + bound + "\"", std::to_string(count));
    }
    write_line(out, name + "_sum", labels, number(histogram.sum()));
    write_line(out, name + "_count", labels, std::to_string(count));
}

}  // namespace

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
    if (!found.own_counter) found.own_counter = std::make_unique<Counter>();
    found.counter = found.own_counter.get();
    return *found.own_counter;
}

Histogram& Metrics::histogram(const std::string& name, const std::string& help,
                              const std::string& labels)
{
    const std::lock_guard lock{mutex_};
    auto& found = series(name, help, "histogram", labels);
    if (!found.own_histogram) found.own_histogram = std::make_unique<Histogram>();
    found.histogram = found.own_histogram.get();
    return *found.own_histogram;
}

void Metrics::show(const std::string& name, const std::string& help, const std::string& labels,
                   const Counter& counter)
{
    const std::lock_guard lock{mutex_};
    series(name, help, "counter", labels).counter = &counter;
}

void Metrics::show(const std::string& name, const std::string& help, const std::string& labels,
                   const Histogram& histogram)
{
    const std::lock_guard lock{mutex_};
    series(name, help, "histogram", labels).histogram = &histogram;
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
            if (one->histogram) write_histogram(out, name, one->labels, *one->histogram);
            if (one->value) write_line(out, name, one->labels, number(one->value()));
        }
    }
    return out;
}

}  // namespace entente::api
