# SPDX-License-Identifier: GPL-2.0-only
#
# What the host bed's shell scripts share: the cache directory, messages, how a
# thing gets into the cache, and how a package gets there. Kept true here:
#
# - whatever carries its final name in the cache is complete. It is built in a
#   directory of its own beside it and renamed at the end, under a lock, so that
#   an interrupted build leaves nothing and two runs at a time build it once;
# - packages that only the cache needs are fetched with the machine's own apt
#   sources and keys but private lists: nothing is written to /etc/apt or
#   /var/lib/apt, no root is needed, and lists that are out of date do no harm.
#
# Sourced by bash scripts that have set -eu and $me, the name in their messages.

# The Xen that the bed is made for; Debian's package names carry it.
XEN_SERIES=4.17

cache=${VMIXEN_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/vmixen}

say() { echo "$me: $*" >&2; }

die() { echo "$me: $*" >&2; exit 1; }

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
# goes away with this shell. Call it under NAME's lock.
cache_work() {
    need_room "$cache" "$2" "or set VMIXEN_CACHE"
    rm -rf "$cache/.work-$1"            # left by a run that was killed
    work=$cache/.work-$1
    mkdir "$work"
    trap 'rm -rf "$work"' EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
}

# --- packages ---------------------------------------------------------------

# apt_begin deb|deb-src [ARCHITECTURE]: fresh lists of the machine's own sources,
# in $work; with those of another architecture too, whatever the sources say.
apt_begin() {
    local file n=0
    apt_more=${2:-}
    mkdir -p "$work/apt/parts" "$work/apt/lists/partial" "$work/apt/cache/archives/partial"
    for file in /etc/apt/sources.list /etc/apt/sources.list.d/*; do
        n=$((n + 1))
        case $file in
        *.list) [ ! -f "$file" ] || sed -nE \
            "/cdrom:/d; s/^[[:space:]]*deb(-src)?([[:space:]])/$1\\2/p" "$file" |
            sort -u >"$work/apt/parts/$n.list" ;;
        *.sources) sed -E "s/^Types:.*/Types: $1/" "$file" >"$work/apt/parts/$n.sources" ;;
        esac
    done
    [ -z "$apt_more" ] || find "$work/apt/parts" -type f -exec \
        sed -i -E '/^Architectures:/d; s/\[arch=[^] ]*\]//; s/arch=[^] ]*//' {} +
    # A third party's source without deb-src makes update fail, which does no
    # harm; what counts is whether the package is found.
    apt_do apt-get update >"$work/apt/log" 2>&1 || true
}

# apt_do COMMAND ARG...: an apt command on those lists.
apt_do() {
    local cmd=$1
    shift
    "$cmd" -q -o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts="$work/apt/parts" \
        -o Dir::State::lists="$work/apt/lists" -o Dir::Cache="$work/apt/cache" \
        -o Acquire::Languages=none -o Acquire::Retries=3 -o APT::Sandbox::User= \
        ${apt_more:+-o "APT::Architectures::=$(dpkg --print-architecture)" -o "APT::Architectures::=$apt_more"} \
        "$@"
}

# apt_errors: what apt complained about, without the mirror's address.
apt_errors() {
    grep '^[EW]:' "$work/apt/log" | sed -E 's#(https?|ftp)://[^ ]*/##g' | tail -n 5 >&2 || true
}
