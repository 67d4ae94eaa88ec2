// The words by which a disk in another process is made to fail: in the environment before
// the start, over a pipe while it runs. One command a line, or parted by semicolons:
//
//   seed N                        of what survives a cut (before the start only)
//   survive SHARE                 0 … 1 of what wasn't synced (before the start only)
//   fail OP N [TIMES] [PART]      the N-th OP from now fails with EIO; TIMES may be `ever`
//   full OP N [TIMES] [PART]      with ENOSPC
//   cut OP N [PART]               the power goes at it
//   cut                           the power goes now
//   space OCTETS                  by which files may still grow; `space free`: any number
//   keep PART                     files whose path has it lose nothing by a cut
//   slow MS [PART]                each sync takes MS milliseconds more
//   heal                          nothing fails any more, and syncs are fast
//
// OP: open read write truncate sync sync_folder remove rename any. PART: of a file's path.
#pragma once

#include <string>
#include <string_view>

#include "tests/fault/disk.hpp"

namespace entente::fault {

// Throws std::runtime_error for what it can't read.
[[nodiscard]] DiskOptions options_in(std::string_view commands);
void obey(Disk& disk, std::string_view commands);

}  // namespace entente::fault
