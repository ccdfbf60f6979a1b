#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The examples of doc/waiting.md, tcp.md, udp.md and multicast.md's sender, with the kernel as the
# peer: examples_wait.sh BUILD_DIR
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

# Most end by a signal, without a word.
stop() {
	weir_stop
	return 0
}

client() {
	in_ns timeout 120 python3 "$weir_source/test/func/wait_client.py" "$@"
}

# stream TEXT: it comes back
stream() {
	[ "$(echo -n "$1" | in_ns timeout 60 nc -N "${2:-$weir4}" 7)" = "$1" ]
}

said() {
	cat "$weir_tmp/log"
	grep -qxE -- "$1" "$weir_tmp/log"
}

answerer=

# answerer_start TEXT: answers the first datagram to port 7000 by it
answerer_start() {
	client answer 7000 "$1" >"$weir_tmp/answerer" &
	answerer=$!
	wait_for 20 test -s "$weir_tmp/answerer"
}

answerer_end() {
	wait $answerer && grep -qx "$1" "$weir_tmp/answerer"
}

# asks NAME ARG...: an example that ends by itself, answered by "from the kernel"
asks() {
	start "$@"
	answerer_start "from the kernel"
	check "$1 $3: is answered" wait_for 60 said "(.* says )?from the kernel"
	answerer_end "hello"
	check "$1 $3: asked for it" [ $? -eq 0 ]
	wait_for 20 is_gone "$weir_pid"
	weir_stop
	check "$1 $3: ends well" [ $? -eq 0 ]
}

test_begin

start select_server
check "select: a stream" stream "one stream"
check "select: another" stream "another"
check "select: UDP" client datagram $weir4 datagram
check "select: protocol 253" client raw $weir4
check "select: a stream still" stream "third"
stop

start poll_server
check "poll: a chat of three" client chat $weir4
weir_stop
check "poll: a signal is read from the kernel's descriptor" said "[0-3] clients at the end"

start epoll_level
check "epoll, level: a line" stream "a line"
check "epoll, level: eight at once, 1 MB each" client many $weir4 1000000
check "epoll, level: the kernel's timer" wait_for 20 said "0 clients"
stop

start epoll_edge
check "epoll, edge: nothing" client count $weir4 0 1
check "epoll, edge: 50 connections at once" client count $weir4 10000 50
check "epoll, edge: 3 MB" client count $weir4 3000000 2
stop

start tcp_server
check "TCP: a line" stream "a line"
check "TCP: eight at once" client many $weir4 100000
stop

start udp_server
check "UDP: IPv4" client datagram $weir4 datagram
check "UDP: IPv6" client datagram $weir6 datagram
check "UDP: in fragments" client datagram $weir4 "$(printf '%05000d' 7)"
stop

asks udp_client $weir_kernel4 7000 hello
asks send_to_all tap0 239.1.2.3 hello
asks send_to_all tap0 255.255.255.255 hello

in_ns timeout 60 nc -l -N 0.0.0.0 9999 <<<"from the kernel" >"$weir_tmp/got" &
listener=$!
start tcp_client $weir_kernel4 9999 "to the kernel"
check "tcp_client: prints the answer" wait_for 60 said "from the kernel"
wait $listener
check "tcp_client: its line arrived" grep -q "to the kernel" "$weir_tmp/got"
weir_stop
check "tcp_client: ends well" [ $? -eq 0 ]
test_end
