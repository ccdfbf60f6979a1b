#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# ./quickstart from end to end, and broken off at several moments: it leaves the machine as it was.
# quickstart.sh BUILD_DIR
set -u
WEIR_BUILD=$(realpath "$1")
export WEIR_BUILD
weir_source=$(dirname "$0")/../..
# shellcheck source=test/func/lib.sh
. "$weir_source/test/func/lib.sh"
cd "$weir_source" || exit 1

if [ "$(id -u)" -ne 0 ]; then
	echo "skipped: needs root, for network namespaces"
	exit 77
fi
trap weir_clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
weir_tmp=$(mktemp -d)
export TMPDIR=$weir_tmp/tmp # quickstart's temporary files: none must stay
mkdir "$TMPDIR"

# What quickstart could leave behind; other programs may come and go meanwhile.
state() {
	ip netns list | grep -o '^weir-[0-9-]*'
	ip -o link | grep -o ' weir[0-9]*:'
	cat $weir_hugepages/nr_hugepages 2>/dev/null
	ls -A "$TMPDIR"
}

run_to_the_end() {
	./quickstart >"$weir_tmp/out" 2>&1 && grep -q '^Done' "$weir_tmp/out" || {
		cat "$weir_tmp/out"
		return 1
	}
}

is_as_before() {
	diff "$weir_tmp/before" <(state)
}

# broken_off PATTERN: Ctrl-C, which all processes of the terminal get, once its output matches
broken_off() {
	: >"$weir_tmp/out" # else the run before could match, before this one has begun
	setsid env --default-signal=INT ./quickstart --stay >"$weir_tmp/out" 2>&1 &
	local pid=$!

	if ! wait_for 120 grep -q "$1" "$weir_tmp/out"; then
		kill -TERM $pid
		cat "$weir_tmp/out"
		return 1
	fi
	kill -INT -- -$pid
	wait_for 30 is_gone $pid
}

state >"$weir_tmp/before"
check "it shows everything" run_to_the_end
check "nothing is left" is_as_before
check "it does so again" run_to_the_end
check "nothing is left" is_as_before
for at in 'netns add' 'weir-httpd .*--root' 'MiB down and up' 'stays up'; do
	check "broken off at: $at" broken_off "$at"
	check "nothing is left" is_as_before
done
test_end
