#!/usr/bin/env python3
"""Draws a flame graph (SVG) of what perf has recorded.

  perf record -e cpu-clock -F 400 --call-graph dwarf,8192 -p PID,PID -- sleep 6
  perf script | tests/bench/flame.py "title" >flame.svg

Width is time on the CPU, upwards is the called; the lowest row is the threads. Frames that
say nothing (Asio's and the standard library's plumbing) are left out, so that the graph
shows the daemon's own parts. Hover over a frame for its whole name and share.
"""
import re
import sys
from html import escape

WIDTH, ROW, FONT, LEAST = 1600, 16, 11, 0.004
NOISE = re.compile(r"^(boost::|std::|void boost::|void std::|operator\(\)|_ZN|__libc_start|_start$"
                   r"|start_thread|clone|main$|\[unknown\]|0x|tl::|decltype|entry_SYSCALL|do_syscall)")
COLOURS = [("entente::", "#e8a33d"), ("sqlite3", "#7fb069"), ("rocksdb::", "#5b8e7d"),
           ("SSL_", "#6a9fd4"), ("EVP_", "#6a9fd4"), ("SHA", "#6a9fd4"), ("crypto_", "#6a9fd4"),
           ("simdjson", "#c97b84")]


def stacks(lines):
    thread, frames = None, []
    for line in lines:
        if not line.strip():
            if thread:
                yield [thread] + frames[::-1]
            thread, frames = None, []
        elif not line[0].isspace():
            thread = line.split()[0]
        else:
            name = line.strip().split(" ", 1)[-1].rsplit(" (", 1)[0]
            is_kernel = "[kernel" in line or "kallsyms" in line
            name = re.sub(r"\+0x[0-9a-f]+$", "", name)
            name = name.replace("(anonymous namespace)::", "").split("(")[0]
            if not NOISE.match(name):
                frames.append("k:" + name if is_kernel else name)
    if thread:
        yield [thread] + frames[::-1]


def add(tree, stack):
    tree[0] += 1
    for name in stack:
        tree = tree[1].setdefault(name, [0, {}])
        tree[0] += 1


def depth_of(tree, total):
    if tree[0] / total < LEAST:
        return 0
    return 1 + max((depth_of(child, total) for child in tree[1].values()), default=0)


def colour(name):
    if name.startswith("k:"):
        return "#b8b8c8"
    for start, shade in COLOURS:
        if start in name:
            return shade
    return "#d9cbb0"


def draw(tree, name, left, level, total, height, out):
    share = tree[0] / total
    if share < LEAST:
        return
    width, top = share * WIDTH, height - (level + 1) * ROW
    text = name[2:] if name.startswith("k:") else name
    short = text.replace("entente::", "")
    room = int(width / (FONT * 0.58)) - 1
    shown = short if len(short) <= room else short[:max(room - 1, 0)] + "…" if room > 3 else ""
    out.append(f'<g><title>{escape(text)}: {share * 100:.1f} %</title>'
               f'<rect x="{left:.1f}" y="{top}" width="{max(width - 0.4, 0.2):.1f}" '
               f'height="{ROW - 1}" fill="{colour(name)}"/>'
               f'<text x="{left + 2:.1f}" y="{top + ROW - 5}">{escape(shown)}</text></g>')
    for child_name, child in sorted(tree[1].items()):
        draw(child, child_name, left, level + 1, total, height, out)
        left += child[0] / total * WIDTH


def main():
    tree = [0, {}]
    for stack in stacks(sys.stdin):
        add(tree, stack)
    if tree[0] == 0:
        sys.exit("flame.py: no samples; is this the output of perf script?")
    total, title = tree[0], sys.argv[1] if len(sys.argv) > 1 else "CPU time"
    height = (depth_of(tree, total) + 2) * ROW
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
           f'font-family="sans-serif" font-size="{FONT}">',
           f'<rect width="{WIDTH}" height="{height}" fill="#fffdf8"/>',
           f'<text x="4" y="12">{escape(title)} ({total} samples)</text>']
    draw(tree, "all", 0.0, 0, total, height, out)
    print("\n".join(out + ["</svg>"]))


if __name__ == "__main__":
    main()
