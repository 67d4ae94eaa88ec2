// What the bench says: lines for people as they come, figures for machines at the end, and
// what makes the whole void.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "tests/bench/inbox_load.hpp"
#include "tests/bench/run.hpp"

namespace entente::bench {

class Report {
 public:
    // A line at once.
    static void say(const char* format, ...) __attribute__((format(printf, 1, 2)));

    void figure(const std::string& key, double value);
    // Prints what a shape came to, and what is wrong with it.
    void run(const std::string& name, const RunFigures& figures);
    // The same of an inbox that was handed transactions of one size.
    void inbox(const InboxFigures& figures);
    // Prints it, and makes the bench fail.
    void condemn(const std::string& name, const std::string& why);

    // 0, or 1 where something was condemned.
    [[nodiscard]] int exit_code() const { return faults_.empty() ? 0 : 1; }
    // An object of all figures, and "void", a list of what was condemned.
    void write_json(const std::string& file) const;

 private:
    std::vector<std::pair<std::string, double>> figures_;
    std::vector<std::string> faults_;
};

}  // namespace entente::bench
