// The parts that transactions, results and answers have in common, read from parsed
// JSON: proofs, seals, checkpoints, slices, snapshots, and the bookkeeping of which
// signed roots they point at. For the .cpp files of this folder only.
#pragma once

#include <vector>

#include "protocol/dom.hpp"
#include "protocol/slice.hpp"
#include "protocol/transaction.hpp"

namespace entente::protocol::reading {

// Which entries of `roots` proofs point at (section 4: an unused root, an index beyond
// them and a path over 32 break the whole body).
class RootUse {
 public:
    explicit RootUse(std::size_t roots) : used_(roots) {}

    // Takes note of a proof as it stands in `holder`, whether or not the item it belongs
    // to can be read: what a bad item points at is in use. `malformed` for a breach
    // that fails the whole.
    [[nodiscard]] Result<void> note(dom::Element holder);
    // An item whose proof can't be found might have used any root, so none is called
    // unused any more: a bad item would fail its neighbours.
    void note_unknown() { unknown_ = true; }
    [[nodiscard]] Result<void> finish() const;

 private:
    std::vector<bool> used_;
    bool unknown_ = false;
};

// `roots`, absent as empty; `malformed` where it isn't a list of strings.
[[nodiscard]] Result<std::vector<std::string>> read_roots(dom::Object body);

[[nodiscard]] Result<Proof> read_proof(dom::Object holder);
[[nodiscard]] Result<Seal> read_seal(dom::Object seal);
// The member `checkpoint` of `holder`.
[[nodiscard]] Result<Checkpoint> read_checkpoint(dom::Object holder);
// {"seq","hash"}: the hash is empty with seq 0 and only there.
[[nodiscard]] Result<Position> read_position(dom::Object position, std::string_view seq_name);
[[nodiscard]] Result<Slice> read_slice(dom::Element element, NameRules rules);
// Notes every proof of a slice, however broken the rest of it is.
[[nodiscard]] Result<void> note_slice(RootUse& use, dom::Element element);
[[nodiscard]] Result<Snapshot> read_snapshot(dom::Element element, NameRules rules);

// 1 and up.
[[nodiscard]] Result<std::int64_t> read_epoch(dom::Object object);

}  // namespace entente::protocol::reading
