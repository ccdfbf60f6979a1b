#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The examples of messages and of callbacks, with the kernel as the peer: examples_async.sh BUILD_DIR
set -u
weir_build=$1
weir_source=$(dirname "$0")/../..
# shellcheck source=test/func/lib.sh
. "$weir_source/test/func/lib.sh"

# start NAME ARG...: an example, and the kernel's side
start() {
	weir_start "$weir_tmp/log" "$weir_build/app/$1" "$weir_source/config/quickstart.conf" "${@:2}" &&
		kernel_up || exit 1
}

# They end by a signal, without a word.
stop() {
	weir_stop
	return 0
}

echo_of() {
	head -c "$1" /dev/urandom >"$weir_tmp/in"
	in_ns timeout 60 nc -N $weir4 7 <"$weir_tmp/in" >"$weir_tmp/out" &&
		cmp "$weir_tmp/in" "$weir_tmp/out"
}

many_at_once() {
	local pids=() pid

	for _ in 1 2 3 4 5 6 7 8; do
		in_ns timeout 60 nc -N $weir4 7 <"$weir_tmp/in" | cmp - "$weir_tmp/in" &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do
		wait "$pid" || return 1
	done
}

datagram() {
	[ "$(echo -n "$1" | in_ns timeout 2 nc -u -w 1 $weir4 7)" = "$2" ]
}

# what TEXT: the answer of a stream to it
stream() {
	[ "$(echo -n "$1" | in_ns timeout 10 nc -N $weir4 7)" = "$2" ]
}

answers() {
	wait_for 20 is_gone "$weir_pid" && grep -qx "from the kernel" "$weir_tmp/log"
}

test_begin

start async_server
check "async_server: a line" echo_of 100
check "async_server: 3 MB back" echo_of 3000000
check "async_server: eight at once" many_at_once
stop

ns_listen() {
	in_ns timeout 60 nc -l -N 9999 <<<"from the kernel" >"$weir_tmp/got" &
	listener=$!
}
weir_start "$weir_tmp/log" "$weir_build/app/async_client" "$weir_source/config/quickstart.conf" \
	$weir_kernel4 9999 "to the kernel" && kernel_up || exit 1
ns_listen # its SYN is sent again until somebody listens
check "async_client: prints the answer" answers
check "async_client: its line arrived" grep -q "to the kernel" "$weir_tmp/got"
weir_stop
wait "$listener"

start callback_buffer
check "callback_buffer: a stream" stream hello "5 bytes"
check "callback_buffer: a datagram" datagram seven77 "7 bytes"
stop

start callback_mbuf
check "callback_mbuf: a line" echo_of 100
check "callback_mbuf: 3 MB back" echo_of 3000000
check "callback_mbuf: a datagram" datagram again again
stop
test_end
