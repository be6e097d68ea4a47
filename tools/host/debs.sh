# SPDX-License-Identifier: GPL-2.0-only
#
# Debian's packages for the host bed's shell scripts: of which release, from
# where, and how they are unpacked. Kept true here:
#
# - packages that only the cache needs are fetched with the machine's own mirror
#   and keys, but with lists and a state of their own: nothing is written to
#   /etc/apt or /var/lib/apt, no root is needed, lists that are out of date do no
#   harm, and what is installed or pinned on the machine decides nothing;
# - no message names the mirror, which is nobody's business.
#
# Sourced after lib.sh. The apt functions work in $work (cache_work).

# Debian's releases, their names, and the series of their Xen.
releases='11 bullseye 4.14
12 bookworm 4.17
13 trixie 4.20'

# releases_in_words: those, for messages.
releases_in_words() {
    awk '{ text = text (NR > 1 ? ", " : "") $3 " (Debian " $1 ")" } END { print text }' <<<"$releases"
}

# series_of NAME: the Xen series of a release by its name; release_of SERIES: the
# release's name. Nothing when there is none.
series_of() { awk -v name="$1" '$2 == name { print $3 }' <<<"$releases"; }
release_of() { awk -v series="$1" '$3 == series { print $2 }' <<<"$releases"; }

# machine_release [FILE]: the name of the release that this machine runs, by
# /etc/os-release; nothing when it does not say.
machine_release() { (VERSION_CODENAME='' && . "${1:-/etc/os-release}" && echo "$VERSION_CODENAME"); }

# choose_series: sets XEN_SERIES, as the environment has it or as the machine's
# release does, and $release, the release that has it.
choose_series() {
    machine=$(machine_release)
    if [ -z "${XEN_SERIES:-}" ]; then
        XEN_SERIES=$(series_of "$machine")
        [ -n "$XEN_SERIES" ] || die "this is neither Debian 11, 12 nor 13, whose Xen is known here;" \
            "XEN_SERIES= names one of these: $(releases_in_words)"
    fi
    release=$(release_of "$XEN_SERIES")
    [ -n "$release" ] || {
        say "XEN_SERIES=$XEN_SERIES: no such Xen in Debian; there are: $(releases_in_words)"
        exit 2
    }
}

# --- apt ----------------------------------------------------------------------

# apt_sources TYPE FROM TO FILE: prints those entries of a file of apt's sources
# that are the main archive of the release FROM, its updates or its security
# updates, turned to the release TO and to TYPE (deb or deb-src). Options stay,
# the mirror and its keys with them, but not which architectures there are; a
# keyring of one release gives way to that of all. FILE's name says its format.
apt_sources() {
    local program
    case $4 in
    *.list) program=$apt_list_awk ;;
    *.sources) program=$apt_sources_awk ;;
    *) return 0 ;;                      # apt does not read it, either
    esac
    sed '/^[[:space:]]*#/d
        s/debian-archive-[a-z]*-\(security-\)\{0,1\}\(automatic\|stable\)\.[a-z]*/debian-archive-keyring.gpg/' "$4" |
        awk -v type="$1" -v to="$3" \
            -v from="^($2|(old)*stable|testing|unstable|sid)(-updates|-security)?\$" "$program"
}

# deb [OPTION=VALUE ...] URI SUITE COMPONENT ...
apt_list_awk='
$1 ~ /^deb(-src)?$/ && !/cdrom:/ {
    sub(/^[ \t]*deb(-src)?[ \t]+/, "")
    options = ""
    if (match($0, /^\[[^]]*\][ \t]*/)) {
        options = substr($0, 1, RLENGTH)
        $0 = substr($0, RLENGTH + 1)
        gsub(/arch[+-]?=[^] ]* ?/, "", options)
    }
    if ($2 !~ from || !/ main( |$)/)
        next
    sub(/^[a-z]+/, to, $2)
    print type, options $1, $2, "main"
}'

# Paragraphs of "Field: value"; a line that begins with a space goes on.
apt_sources_awk='
BEGIN { RS = ""; FS = "\n" }
{
    split("", value)
    kept = suites = ""
    for (i = 1; i <= NF; i++) {
        line = $i
        if (sub(/^[^ \t:]+:/, "", line))
            name = tolower(substr($i, 1, index($i, ":") - 1))
        value[name] = value[name] " " line
        if (name !~ /^(types|suites|components|architectures)$/)
            kept = kept $i "\n"
    }
    count = split(value["suites"], suite, /[ \t]+/)
    for (i = 1; i <= count; i++)
        if (suite[i] ~ from) {
            sub(/^[a-z]+/, to, suite[i])
            suites = suites " " suite[i]
        }
    if (suites != "" && value["components"] ~ / main( |$)/ && tolower(value["enabled"]) !~ /no/)
        printf "Types: %s\nSuites:%s\nComponents: main\n%s\n", type, suites, kept
}'

# apt_begin deb|deb-src RELEASE [ARCHITECTURE]: fresh lists of the release, from
# the machine's own mirror; with those of another architecture, too.
apt_begin() {
    local file part n=0
    apt_release=$2
    apt_more=${3:-}
    mkdir -p "$work/apt/parts" "$work/apt/none" "$work/apt/lists/partial" \
        "$work/apt/cache/archives/partial"
    : >"$work/apt/status"
    for file in /etc/apt/sources.list /etc/apt/sources.list.d/*; do
        [ -f "$file" ] || continue
        n=$((n + 1))
        part=$work/apt/parts/$n.${file##*.}
        apt_sources "$1" "$(machine_release)" "$2" "$file" >"$part"
        [ -s "$part" ] || rm "$part"
    done
    [ -n "$(ls "$work/apt/parts")" ] ||
        die "no source in /etc/apt is Debian's own archive of this release, so that none is known for $2"
    # One source that fails does no harm; what counts is what is found.
    patiently apt_do apt-get update >"$work/apt/log" 2>&1 || true
    compgen -G "$work/apt/lists/*Release" >/dev/null || apt_die "$(apt_why <"$work/apt/log")"
}

# apt_do COMMAND ARG...: an apt command on those lists.
apt_do() {
    local cmd=$1
    shift
    "$cmd" -q -o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts="$work/apt/parts" \
        -o Dir::Etc::preferences=/dev/null -o Dir::Etc::preferencesparts="$work/apt/none" \
        -o Dir::State::status="$work/apt/status" -o Dir::State::lists="$work/apt/lists" \
        -o Dir::Cache="$work/apt/cache" -o APT::Default-Release= \
        -o Acquire::Languages=none -o Acquire::Retries=3 -o APT::Sandbox::User= \
        ${apt_more:+-o "APT::Architectures::=$(dpkg --print-architecture)" -o "APT::Architectures::=$apt_more"} \
        "$@"
}

# apt_fetch WHAT PACKAGE...: downloads the packages into $work/debs; WHAT is for
# the message, which tells how much that is.
apt_fetch() {
    local what=$1
    shift
    mkdir -p "$work/debs"
    say "downloading $what: $(apt_do apt-get download --print-uris "$@" 2>/dev/null |
        awk '{ size += $3 } END { printf "%d packages, %.0f MB", NR, size / 1e6 }')"
    patiently apt_download "$@" || apt_die "the packages cannot be downloaded"
}

apt_download() {
    set -o pipefail
    cd "$work/debs" || exit
    apt_do apt-get -o APT::Status-Fd=1 download "$@" 2>&1 | apt_progress "$work/apt/log"
}

# apt_progress LOG [SECONDS]: takes what apt-get writes with APT::Status-Fd=1, says
# how far it is, at most so often, and appends the rest to LOG.
apt_progress() {
    local line kind percent pause=${2:-10}
    local next=$((SECONDS + pause))
    while IFS= read -r line; do
        case $line in
        dlstatus:* | pmstatus:*)
            [ $SECONDS -ge $next ] || continue
            next=$((SECONDS + pause))
            IFS=: read -r kind _ percent _ <<<"$line"
            [ "$kind" = dlstatus ] && kind=downloaded || kind=installed
            say "  $kind ${percent%.*} %"
            ;;
        *) printf '%s\n' "$line" >>"$1" ;;
        esac
    done
}

# apt_why: reads what `apt-get update` wrote when no list came, and says in a
# sentence why.
apt_why() {
    local log
    log=$(cat)
    case $log in
    *NO_PUBKEY* | *'not signed'* | *SIG\ * | *'Missing key'*)
        echo "the lists of Debian $apt_release are signed with keys that this machine does not have;" \
            "is the package debian-archive-keyring up to date?" ;;
    *'does not have a Release file'* | *404*)
        echo "this machine's mirror has no Debian $apt_release" ;;
    *) echo "no package list could be fetched; is there a network?" ;;
    esac
}

# megabytes WORDS: reads what apt-get says that it would do; prints the MB of the
# line with these words.
megabytes() {
    sed -n "s/,//g; s/.*$1 \\([0-9.]*\\) \\([kMG]\\{0,1\\}\\)B .*/\\1 \\2/p" |
        awk '{ printf "%.0f", $1 * ($2 == "G" ? 1000 : $2 == "M" ? 1 : $2 == "k" ? 0.001 : 0.000001) }'
}

# apt_scrub: a filter for apt's messages that takes the mirror out.
apt_scrub() {
    sed -E "s#[a-z+]+:/[^ ]*/##g; s# ?\[IP:[^]]*\]##g; s#(resolv[a-z]+) '[^']*'#\1 the mirror#g
        s# to [^ ]+:[0-9]+:?( \([0-9a-f.:]+\))?# to the mirror#g"
}

# apt_die TEXT: what apt complained about, then TEXT.
apt_die() {
    grep -E '^([EW]:|dpkg:)' "$work/apt/log" | apt_scrub | tail -n 5 >&2 || true
    die "$@"
}

# --- what is in a package -------------------------------------------------------

# merged_tree DIR: an empty tree in which /bin, /lib and so on are in /usr, as in
# every Debian from 12 on; packages of all releases unpack into it alike.
merged_tree() {
    local name
    for name in bin sbin lib lib64; do
        mkdir -p "$1/usr/$name"
        ln -s "usr/$name" "$1/$name"
    done
}

# unpack_debs TREE DEB...: unpacks packages; prints the name and version of each.
unpack_debs() {
    local tree=$1 deb
    shift
    for deb; do
        # dpkg-deb -x would put a folder in the place of a link.
        dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$tree" --keep-directory-symlink --no-same-owner
        dpkg-deb -W --showformat='${Package} ${Architecture} ${Version}\n' "$deb"
    done
}

# lib_packages PACKAGE...: prints the packages and, of what they depend on, the
# libraries, theirs, too, and so on.
lib_packages() {
    local known='' more=$*
    while [ "$more" != "$known" ]; do
        known=$more
        # shellcheck disable=SC2086
        more=$({ printf '%s\n' $known; apt_do apt-cache depends $known |
            sed -n 's/^ *Depends: \(lib[^ ]*\|zlib1g\)$/\1/p'; } | sort -u)
    done
    echo "$known"
}

# module_file TREE NAME: the file of a kernel module; nothing and success when it
# is built into the kernel, failure when there is none. Its name may have - for _.
module_file() {
    local name file
    name=$(echo "$2" | sed 's/[-_]/[-_]/g')
    file=$(find "$1/usr/lib/modules" -name "$name.ko" -o -name "$name.ko.*" | head -n 1)
    if [ -n "$file" ]; then
        echo "$file"
    else
        grep -q "/$name\.ko$" "$1"/usr/lib/modules/*/modules.builtin
    fi
}

# uncompressed FILE: its content, whatever it is compressed with, by its name.
uncompressed() {
    case $1 in
    *.xz) xz -dc "$1" ;;
    *.zst) zstd -dcq "$1" ;;
    *.gz) gzip -dc "$1" ;;
    *) cat "$1" ;;
    esac
}
