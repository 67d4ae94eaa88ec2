#include "tests/fault/commands.hpp"

#include <sstream>
#include <stdexcept>

namespace entente::fault {
namespace {

[[noreturn]] void misunderstood(const std::string& command)
{
    throw std::runtime_error("no command of a disk: " + command);
}

template <class Use>
void for_each_command(std::string_view commands, Use use)
{
    std::string text(commands);
    for (auto& letter : text)
        if (letter == ';') letter = '\n';
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        std::istringstream words(line);
        std::vector<std::string> parts;
        for (std::string word; words >> word;) parts.push_back(word);
        if (!parts.empty()) use(line, parts);
    }
}

Rule rule_in(const std::string& line, std::vector<std::string> words)
{
    if (words.size() < 3) misunderstood(line);
    Rule rule;
    rule.error = words[0] == "cut" ? power_cut : words[0] == "full" ? ENOSPC : EIO;
    rule.op = op_named(words[1]);
    if (!rule.op && words[1] != "any") misunderstood(line);
    rule.first = std::stoull(words[2]);
    std::size_t next = 3;
    if (rule.error != power_cut && words.size() > next) {
        rule.times = words[next] == "ever" ? for_ever : std::stoull(words[next]);
        ++next;
    }
    if (words.size() > next) rule.part = words[next];
    return rule;
}

}  // namespace

DiskOptions options_in(std::string_view commands)
{
    DiskOptions options;
    for_each_command(commands, [&](const std::string& line, const std::vector<std::string>& words) {
        if (words[0] != "seed" && words[0] != "survive") return;
        if (words.size() != 2) misunderstood(line);
        if (words[0] == "seed") options.seed = std::stoull(words[1]);
        if (words[0] == "survive") options.survival = std::stod(words[1]);
    });
    return options;
}

void obey(Disk& disk, std::string_view commands)
{
    for_each_command(commands, [&](const std::string& line, const std::vector<std::string>& words) {
        const auto& verb = words[0];
        if (verb == "seed" || verb == "survive") return;
        if (verb == "heal") {
            disk.heal();
        } else if (verb == "keep" && words.size() == 2) {
            disk.keep(words[1]);
        } else if (verb == "slow" && (words.size() == 2 || words.size() == 3)) {
            const std::chrono::milliseconds time(std::stoll(words[1]));
            disk.set_sync_time(time, words.size() == 3 ? words[2] : "");
        } else if (verb == "cut" && words.size() == 1) {
            disk.cut();
        } else if (verb == "space" && words.size() == 2 && words[1] == "free") {
            disk.set_space(std::nullopt);
        } else if (verb == "space" && words.size() == 2) {
            disk.set_space(std::stoull(words[1]));
        } else if (verb == "fail" || verb == "full" || verb == "cut") {
            disk.add(rule_in(line, words));
        } else {
            misunderstood(line);
        }
    });
}

}  // namespace entente::fault
