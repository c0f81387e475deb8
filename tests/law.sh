#!/bin/sh
# What the design forbids, told by the binaries and the sources themselves. One line for each violation, exit 1 on
# any; lines that begin with "warning" are advice. Run by `make law`, after a build.
#
#     tests/law.sh [ROOT]       ROOT: the tree to judge, default this one
set -u
LC_ALL=C
export LC_ALL
cd "${1:-$(dirname "$0")/..}" || exit 2

PID1=build/debug/oomph
STRIPPED=build/bin/oomph
LIB=build/musl/liboomph.a
# Bytes of the stripped PID 1. 23,000 of them are for its defence: relocations and what seals them, and a canary behind every array;
# 18,000 to come back from its own faults and to be upgraded.
SIZE_MAX=185000
FILE_LINES=400          # tables aside
FUNCTION_LINES=60

# The tiers of lib/: a room includes rooms of its own tier and of lower ones. ROOM_part is a part of ROOM.
tier() {
	case ${1%%_*} in
	limits | str) echo 0 ;;
	unitfile | unitname | words | directives | values | glyph | exec | kmsg | procstat | sigtrace | names | notify | expand | unit | condition | calendar | logline | logfile | logpick | logread | timestamp) echo 1 ;;
	syslogmsg | journalmsg | logjson | logtarget | logqueue) echo 1 ;;
	graph | plan | service | restart | shared | verdict | attrib | admit | system | logsplit | logpolicy) echo 2 ;;
	core | state | crash | machine | depend | life | ending | outcome | evidence | wound | request | incident) echo 3 ;;
	proto | say) echo 4 ;;  # what is shown of a core: packets and words carry its structs as they are
	*) echo none ;;
	esac
}

# Headers that bring types, constants and the mem* functions only.
SYSTEM_HEADERS='stdbool.h stddef.h stdint.h string.h limits.h errno.h signal.h'
# All that lib/ may leave undefined; a compiler may call the first four on its own, and the last two are its stack protector's.
LIB_MAY_CALL='memcpy memmove memset memcmp memchr strlen __stack_chk_fail __stack_chk_guard'

# As seen in musl: the heap, everything that writes through FILE, and what calls the one or the other.
HEAP='malloc|calloc|realloc|free|aligned_alloc|memalign|posix_memalign|reallocarray|strn?dup|__libc_(malloc|calloc|realloc|free).*|__malloc_.*|__simple_malloc|alloc_slot'
STDIO='v?(f|s|sn|as|d|w|fw|sw)?printf|printf_core|fmt_fp|v?[fs]?w?scanf|f(d|re|mem)?open|fopen.*|fclose|f(read|write|gets|puts|getc|putc|flush|seek)o?|puts|putchar|putc|getline|getdelim|perror|__stdio_(read|write|seek|close)|__(fdopen|fwritex|towrite|toread|overflow|uflow|ofl_add)|__std(in|out|err)_FILE|std(in|out|err)'
CALLERS='opendir|scandir|glob|getpw.*|getgr.*|initgroups|setenv|putenv|unsetenv|syslog|openlog|getaddrinfo|posix_spawn_file_actions_.*|qsort_s|localtime|strftime|setlocale|dlopen|atexit'

tally=$(mktemp) || exit 2
trap 'rm -f "$tally"' EXIT

broken() {
	echo "law: $*"
	echo >>"$tally"
}

is_among() {
	case " $2 " in
	*" $1 "*) ;;
	*) return 1 ;;
	esac
}

# ---- binaries ----

# Weak names with a leading __ are musl's empty stand-ins for what was *not* linked (src/exit/exit.c, src/process/fork.c).
pid1_has_no_heap() {
	nm "$PID1" | awk '{ type = $(NF - 1); name = $NF } !(type ~ /[VWvw]/ && name ~ /^__/) { print name }' | sort -u |
		grep -Ex "$HEAP|$STDIO|$CALLERS" | while read -r name; do
			broken "$PID1 contains $name: PID 1 has neither heap nor stdio"
		done
}

pid1_is_small() {
	size=$(stat -c %s "$STRIPPED")
	[ "$size" -le "$SIZE_MAX" ] || broken "$STRIPPED has $size bytes, more than $SIZE_MAX"
}

# is_hardened PROGRAM: see HARDEN and LINK in the Makefile, and SECURITY.md.
is_hardened() {
	file=$(readelf -hldW "build/bin/$1")
	has() { echo "$file" | grep -Eq "$1"; }
	has 'Type: +DYN' || broken "$1 cannot lie anywhere: it is no PIE"
	has ' INTERP |\(NEEDED\)' && broken "$1 is not static"
	has 'TEXTREL' && broken "$1 has relocations in its text"
	has ' GNU_RELRO ' || broken "$1 has no RELRO"
	has 'FLAGS.* NOW' || broken "$1 is not bound at once"
	has ' GNU_STACK .* RW +0x' || broken "$1 has an executable stack"
	has ' LOAD .* RWE ' && broken "$1 has memory to write and to execute"
	for name in seal __stack_chk_fail; do
		nm "build/debug/$1" | grep -qi " t $name\$" || broken "$1 has no $name"
	done
}

programs_are_hardened() {
	for p in build/bin/*; do is_hardened "${p##*/}"; done
}

lib_calls_nobody() {
	own=$(nm -g --defined-only "$LIB" 2>/dev/null | awk 'NF == 3 { printf "%s ", $3 }')
	# "archive:member: U name"
	nm -uA "$LIB" 2>/dev/null | while IFS=: read -r _ member rest; do
		name=${rest##* }
		is_among "$name" "$LIB_MAY_CALL $own" || broken "lib: $member calls $name"
	done
}

# Constants with addresses in them are written once, by relocation (.data.rel.ro), and sealed.
lib_has_no_state() {
	# "archive:member:name |value|class|type|size|line|section"
	nm -A -f sysv "$LIB" 2>/dev/null | awk -F'|' '$3 ~ /^ *[bBdDCsSgG] *$/ && $7 !~ /^\.data\.rel\.ro/ { sub(" *$", "", $1); print $1 }' |
		while IFS=: read -r _ member name; do
			broken "lib: $member has writable data: $name"
		done
}

# ---- sources ----

# Every #include of the files given, as "file:line header".
includes() {
	grep -HnoE '^[[:space:]]*#[[:space:]]*include[[:space:]]*[<"][^">]*[">]' "$@" /dev/null |
		sed -E 's/^([^:]*:[0-9]*):.*include[[:space:]]*/\1 /'
}

lib_tiers() {
	for f in lib/*.[ch]; do
		room=${f#lib/}
		room=${room%.[ch]}
		own=$(tier "$room")
		[ "$own" != none ] || broken "$f: the room $room has no tier in tests/law.sh"
		includes "$f" | while read -r at header; do
			lib_include "$at" "$header" "$own"
		done
	done
}

lib_include() {
	case $2 in
	\<*)
		name=${2#<}
		name=${name%>}
		is_among "$name" "$SYSTEM_HEADERS" || broken "$1: lib may not include $2"
		;;
	*)
		name=${2#\"}
		name=${name%.h\"}
		name=${name#lib/}
		its=$(tier "$name")
		[ "$its" != none ] || broken "$1: lib may include rooms of lib only, not $2"
		[ "$its" = none ] || [ "$3" = none ] || [ "$its" -le "$3" ] ||
			broken "$1: tier $3 may not include $2 of tier $its"
		;;
	esac
}

# A folder under init/ is one process: it knows lib/ and itself.
init_folders() {
	for f in init/*.c init/*/*.[ch]; do
		includes "$f" | while read -r at header; do
			name=${header#\"}
			name=${name%\"}
			case $header in
			\<*) continue ;;
			esac
			[ -e "${f%/*}/$name" ] || [ -e "lib/${name#lib/}" ] ||
				broken "$at: init may include lib and its own folder only, not $header"
		done
	done
}

# Layout as in the tree: a function is from a { to a } in the first column, a table ends with }; there.
budgets() {
	awk -v file_max="$FILE_LINES" -v function_max="$FUNCTION_LINES" '
		function tell() { if (lines > file_max) printf "warning: %s has %d lines without its tables\n", name, lines }
		FNR == 1 { tell(); name = FILENAME; lines = 0; open_at = 0; in_table = 0 }
		/^[^ \t#\/].*= *\{$/ { in_table = 1 }
		!in_table { lines++ }
		/^};/ { in_table = 0 }
		/^\{/ { open_at = FNR; what = last }
		/^}/ && open_at {
			if (FNR - open_at - 1 > function_max)
				printf "warning: %s:%d: %d lines: %s\n", FILENAME, open_at, FNR - open_at - 1, what
			open_at = 0
		}
		{ last = $0 }
		END { tell() }' lib/*.[ch] init/*.c init/*/*.[ch]
}

scripts_are_clean() {
	shellcheck -f gcc .ci/run tests/law.sh tests/sim/planted.sh tools/debian tools/fuzz tools/setup | grep -v ': note:' | while read -r line; do broken "$line"; done
}

# Each row of SECURITY.md names a test, as `folder/file::name`, and each test is there.
threats_are_tested() {
	grep '^| ' SECURITY.md | grep -v ' shown by |$' | grep -Ev '`[a-z]+/test_[a-z_]+\.(py|c)::' | while read -r row; do broken "SECURITY.md: no test: $row"; done
	grep -Eo '`[a-z]+/test_[a-z_]+\.(py|c)::[a-z0-9_]+`' SECURITY.md | tr -d '`' | sort -u | while read -r test; do
		grep -qsE "^(def|static void) ${test##*::}\(" "tests/${test%%::*}" || broken "SECURITY.md: there is no ${test##*::} in tests/${test%%::*}"
	done
}

manuals_are_clean() {
	for page in man/*.[1-8]; do
		[ ! -e "$page" ] || mandoc -T lint -W error "$page" | while read -r line; do broken "$line"; done
	done
}

for f in "$PID1" "$STRIPPED" "$LIB"; do
	[ -e "$f" ] || broken "$f is not built"
done
if [ ! -s "$tally" ]; then
	pid1_has_no_heap
	pid1_is_small
	programs_are_hardened
	lib_calls_nobody
	lib_has_no_state
fi
lib_tiers
init_folders
scripts_are_clean
manuals_are_clean
threats_are_tested
budgets

n=$(wc -l <"$tally")
[ "$n" -eq 0 ] || { echo "law: $n broken"; exit 1; }
echo "law: kept"
