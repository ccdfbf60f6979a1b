#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# weir-load over memif to weir-httpd and weir-echo, each at one end:
# load.sh BUILD_DIR
set -u
weir_build=$1
weir_source=$(dirname "$0")/../..
# shellcheck source=test/func/lib.sh
. "$weir_source/test/func/lib.sh"

test_begin
socket=weir-load-$$

# conf SIDE: of both ends, in a file of its own, sleeping when idle: CPUs may be few
conf() {
	sed "s/weir-memif/$socket/; s/^\[port/[workers]\nidle = sleep\n&/" \
		"$weir_source/config/memif-$1.conf" >"$weir_tmp/$1.conf"
}

# load CONF OPTION... ADDRESS: half a second of it, its result in $weir_tmp/json
load() {
	in_ns timeout 100 "$weir_build/app/weir-load" "$1" --seconds 0.5 --warmup 0.1 --json "${@:2}" \
		>"$weir_tmp/json"
}

# has CONDITION: of the result r
has() {
	python3 -c "import json; r = json.load(open('$weir_tmp/json')); t = r['latency_us']
assert $1, r"
}

fails() {
	! load "$client" "$@"
}

# Like a server that collects garbage.
stumble() {
	while kill -STOP "$weir_pid"; do
		sleep 0.2
		kill -CONT "$weir_pid"
		sleep 0.1
	done
}

# try NAME CONF OPTION...: answers, and no errors
try() {
	check "$1" load "${@:2}"
	check "$1: answers" has "r['answers'] > 0 and r['errors'] == 0"
	check "$1: percentiles in their order" \
		has "0 < t['p50'] <= t['p90'] <= t['p99'] <= t['p99.9'] <= t['p99.99'] <= t['max']"
}

conf server
conf client
client=$weir_tmp/client.conf

weir_start "$weir_tmp/log" "$weir_build/app/weir-httpd" "$weir_tmp/server.conf" || exit 1
try "HTTP" "$client" --protocol http --path /size/64 --conns 8 10.80.0.1
try "HTTP, 4 KiB, pipelined, IPv6" "$client" --protocol http --path /size/4K --conns 4 --depth 4 \
	"[fd80::1]:80"
try "HTTP, the server closes" "$client" --protocol http --path /size/64 --close server --conns 4 10.80.0.1
check "a page that is not there is an error" fails --protocol http --path /nothing 10.80.0.1
test_stop

weir_start "$weir_tmp/log" "$weir_build/app/weir-echo" "$weir_tmp/server.conf" || exit 1
try "TCP echo" "$client" --conns 8 --depth 4 10.80.0.1
try "TCP echo, larger than a window" "$client" --size 65536 --depth 4 10.80.0.1
try "the client closes" "$client" --close client --conns 4 10.80.0.1
try "open loop" "$client" --conns 8 --rate 2000 10.80.0.1
check "open loop: all that was due is counted" \
	has "r['answers'] + r['unanswered'] >= 2000 * r['seconds'] - 1"
stumble &
stumbler=$!
check "open loop, the server stops for two thirds of the time" load "$client" --rate 1000 10.80.0.1
kill $stumbler
wait $stumbler 2>/dev/null
kill -CONT "$weir_pid"
check "requests due in the meantime count as late" has "t['p90'] > 20000"
try "UDP echo" "$client" --protocol udp --conns 4 --depth 4 10.80.0.1
test_stop
test_end
