#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The kernel pings Weir: ping.sh BUILD_DIR
set -u
weir_build=$1
weir_source=$(dirname "$0")/../..
# shellcheck source=test/func/lib.sh
. "$weir_source/test/func/lib.sh"

test_begin
test_start weir-httpd

# ping_all COUNT ARG...: every one is answered
ping_all() {
	local count=$1 out

	shift
	# -W: the machine may be busy; an answer that is late is not a loss
	out=$(in_ns ping -q -c "$count" -W 5 "$@") || return 1
	echo "$out"
	grep -q " $count received, 0% packet loss" <<<"$out"
}

# shows TEXT PROGRAM ARG...: TEXT is in what it says
shows() {
	local text=$1 out

	shift
	out=$(in_ns "$@") || return 1
	echo "$out"
	grep -qE -- "$text" <<<"$out"
}

for host in $weir4 $weir6; do
	check "tracepath $host" shows 'Resume: pmtu 1500 hops 1 back 1' tracepath -n $host
	check "traceroute -I $host" shows "^ 1 +$host " traceroute -I -n $host
	check "traceroute -U $host" shows "^ 1 +$host " traceroute -U -n $host
	check "ping $host" ping_all 5 -i 0.2 $host
	check "ping -f $host: 5000 without loss" ping_all 5000 -f $host
	check "ping -s 1472 $host" ping_all 5 -i 0.2 -s 1472 $host
	check "ping -s 0 $host" ping_all 5 -i 0.2 -s 0 $host
	check "ping -s 8000 $host, in fragments" ping_all 5 -i 0.2 -s 8000 $host
	check "ping -s 20000 $host, in more fragments" ping_all 5 -i 0.2 -s 20000 $host
done
test_stop
test_end
