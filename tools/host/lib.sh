# SPDX-License-Identifier: GPL-2.0-only
#
# What the host bed's shell scripts share: messages, the cache directory, and how
# a thing gets into it. Kept true here:
#
# - whatever carries its final name in the cache is complete. It is built in a
#   directory of its own beside it and renamed at the end, under a lock, so that
#   an interrupted build leaves nothing and two runs at a time build it once;
# - what a build starts does not outlive it. All of it carries the work
#   directory's path in its environment, by which it is found: at the build's
#   end, or, when the build was killed before it could, by the next one.
#
# Sourced by bash scripts that have set -eu and $me, the name in their messages.

cache=$(realpath -m "${VMIXEN_CACHE:-${XDG_CACHE_HOME:-${HOME:-~}/.cache}/vmixen}")

say() { echo "$me: $*" >&2; }

die() { say "$@"; exit 1; }

# need_room DIR MEGABYTES: stop early rather than with half an archive.
need_room() {
    local free
    free=$(df -Pm "$1" | awk 'NR == 2 { print $4 }')
    [ "$free" -ge "$2" ] || die "$1: $free MB free, $2 MB needed; make room${3:+ $3}"
}

# cache_lock NAME: hold the lock until this shell ends. Says so when it waits.
cache_lock() {
    mkdir -p "$cache" || die "$cache: cannot make the cache directory"
    exec 9>"$cache/.lock-$1"
    flock -n 9 || { say "waiting for another run that builds $1"; flock 9; }
}

# cache_work NAME MEGABYTES: sets $work, an empty directory in the cache that
# goes away with this shell, and what it has started with it. Call it under
# NAME's lock.
cache_work() {
    work=$cache/.work-$1
    trap work_end EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
    work_clear                          # left by a run that was killed
    need_room "$cache" "$2" "or set VMIXEN_CACHE"
    mkdir "$work"
    export VMIXEN_WORK=$work
}

# work_end: the last that this shell does. It says nothing: bash would tell what
# it was that we end.
work_end() {
    trap '' INT TERM HUP
    exec 2>/dev/null 8>&-
    work_clear
}

# work_clear: ends every program that was started for $work, and removes it. A
# subshell shows the environment that this shell began with, so neither it nor
# we are among them.
work_clear() {
    local found
    export -n VMIXEN_WORK
    while found=$(grep -alzxF "VMIXEN_WORK=$work" /proc/[0-9]*/environ 2>/dev/null |
        sed 's#/proc/\([0-9]*\)/.*#\1#') && [ -n "$found" ]; do
        # shellcheck disable=SC2086
        kill -KILL $found 2>/dev/null || true
        sleep 0.1
    done
    rm -rf "$work"
}

# patiently COMMAND ARG...: for what takes long. A signal to this shell acts at
# once instead of after the command, and the command does not hold the lock.
patiently() {
    "$@" </dev/null 8>&- 9>&- &
    wait $!
}

# every_half_minute COMMAND: calls it so, until this shell ends: nobody writes
# into the pipe, and its end of file is our end.
every_half_minute() {
    exec 8> >(
        exec >/dev/null 9>&-            # holds up no reader of ours
        while read -r -t 30 _ || [ $? -gt 128 ]; do "$1"; done
    )
}
