#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# weir-echo in each of its styles, with the kernel as the client: echo.sh BUILD_DIR STYLE [SECONDS]
# SECONDS: of load in both directions at once (30)
set -u
weir_build=$1
style=$2
seconds=${3:-${WEIR_TEST_SECONDS:-30}}
weir_source=$(dirname "$0")/../..
# shellcheck source=test/func/lib.sh
. "$weir_source/test/func/lib.sh"

test_begin
test_start weir-echo --style "$style"

# nc -N closes its side when its input ends, and waits for the rest.
half_close() {
	head -c 3000000 /dev/urandom >"$weir_tmp/in"
	in_ns timeout 60 nc -N "$1" 7 <"$weir_tmp/in" >"$weir_tmp/out" && cmp "$weir_tmp/in" "$weir_tmp/out"
}

client() {
	in_ns python3 "$weir_source/test/func/echo_client.py" "$@"
}

for host in $weir4 $weir6; do
	check "half-close by nc -N, $host" half_close $host
	check "pieces of random sizes, $host" client $host random
	check "a client that reads late, $host" client $host slow
	check "datagrams, $host" client $host udp
done
check "$seconds s of load in both directions" client $weir4 load "$seconds"
test_stop
test_end
