// A cold copy of a simulated machine's data folder, as an operator would make and put back.
// Keys and the run-time folder are no part of it [LOG-5, LOG-10].
#pragma once

#include <map>
#include <string>

#include "tests/fault/disk.hpp"
#include "tests/sim/window.hpp"

namespace entente::sim {

class Backup {
 public:
    // Of all files in `folder`, and the window. Requires: no process runs, and the disk is sound.
    Backup(fault::Disk& disk, const std::string& folder, const WindowMemory& window);
    // In the place of what is there; the window stays as it is where only the database is put
    // back.
    void put_back(fault::Disk& disk, const std::string& folder, WindowMemory* window) const;

 private:
    std::map<std::string, std::string> files_;
    WindowMemory window_;
};

}  // namespace entente::sim
