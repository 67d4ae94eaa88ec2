#!/usr/bin/env bash
# Boots the systemd of a Debian root in namespaces of its own and stays until it ends; whoever kills
# this kills all of it. Its network is a loopback of its own. Usage: boot.sh ROOT, as root.
set -euo pipefail
# Of the new systemd only cgroup v2 without controllers is needed; what the machine has is left alone.
exec unshare --mount --pid --uts --ipc --net --cgroup --fork --kill-child bash -euc '
    root=$1
    mount --make-rprivate /
    mount --bind "$root" "$root"
    mount -t proc proc "$root/proc"
    mount -t sysfs -o ro sysfs "$root/sys"
    mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
    mount -t tmpfs -o mode=755 tmpfs "$root/run"
    mount -t tmpfs tmpfs "$root/tmp"
    mount -t tmpfs -o mode=755 tmpfs "$root/dev"
    for device in null zero full random urandom tty; do
        touch "$root/dev/$device"
        mount --bind "/dev/$device" "$root/dev/$device"
    done
    mkdir "$root/dev/pts" "$root/dev/shm"
    mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts "$root/dev/pts"
    ln -s pts/ptmx "$root/dev/ptmx"
    ln -s /proc/self/fd "$root/dev/fd"
    # Not chroot: in one, no unit could have a user namespace of its own.
    cd "$root"
    pivot_root . .
    umount -l .
    exec env -i container=entente PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd
' boot "$1"
