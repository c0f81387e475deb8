#!/bin/sh
# A bug planted into the service machine is found, told in few events, and these break the same rule again, but not without the bug.
cd "$(dirname "$0")/../.." || exit 2

fail() {
	echo "planted: $*"
	exit 1
}

export CELL='UP EXIT ignored'
told=$(build/host/sim-cell 2 1) && fail "nobody found '$CELL'"
events=$(echo "$told" | sed -n 's/.*--replay //p')
rule=$(echo "$told" | sed -n 's/^sim: of its .* are left: u[0-9]*//p')
n=$(echo "$told" | grep -c '^[0-9]')
case $n in [2-9]) ;; *) fail "not shrunk: $told" ;; esac
[ -n "$rule" ] || fail "no rule: $told"
again=$(build/host/sim-cell --replay "$events" 2>&1) && fail "$events breaks no rule"
echo "$again" | grep -q "^sim: .*$rule\$" || fail "$events breaks another rule than '$rule'"
unset CELL
build/host/sim --replay "$events" >build/host/planted.log 2>&1 || fail "$events breaks a rule without a bug"
rm -f "$events" build/host/planted.log
echo "planted: found, shrunk to $n events, and replayed"
