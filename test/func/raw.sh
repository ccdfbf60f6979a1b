#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Programs on raw sockets, with the kernel as the peer and as a router: raw.sh BUILD_DIR
set -u
weir_build=$1
weir_source=$(dirname "$0")/../..
# shellcheck source=test/func/lib.sh
. "$weir_source/test/func/lib.sh"

# Routers that answer as often as they are asked
answer_all() {
	local sh='echo 0 >/proc/sys/net/ipv4/icmp_ratelimit
		echo 0 >/proc/sys/net/ipv6/icmp/ratelimit'

	in_ns sh -c "$sh" && ip netns exec "$far_ns" sh -c "$sh"
}

# far_mtu BYTES: of the link from the router to the host
far_mtu() {
	ip -n "$weir_ns" link set far0 mtu "$1" && ip -n "$far_ns" link set far1 mtu "$1"
}

# runs STATUS PROGRAM ARG...: to its end, with the exit status that it should have
runs() {
	local want=$1 status

	weir_start "$weir_tmp/log" "$weir_build/app/$2" "$weir_tmp/conf" "${@:3}" && kernel_up ||
		return 1
	wait "$weir_pid"
	status=$?
	weir_pid=
	cat "$weir_tmp/log"
	[ $status -eq "$want" ]
}

said() {
	cat "$weir_tmp/log"
	grep -qE -- "$1" "$weir_tmp/log"
}

test_begin
trap far_clean_up EXIT
{
	cat "$weir_source/config/quickstart.conf"
	printf '\n[route far4]\nnet = 10.99.0.0/16\nport = tap0\ngateway = %s\n' $weir_kernel4
	printf '\n[route far6]\nnet = fd99::/16\nport = tap0\ngateway = %s\n' $weir_kernel6
} >"$weir_tmp/conf"
check "a router and a host behind it" far_make
check "which answer without limit" answer_all

for host in $weir_kernel4 $weir_kernel6; do
	check "ping $host" runs 0 weir-ping -u 60 -W 10 -c 5 -i 0.1 $host
	check "ping $host: each answer" said \
		"^64 bytes from $host: icmp_seq=5 ttl=64 time=[0-9.]+ ms$"
	check "ping $host: statistics" said \
		'^5 packets transmitted, 5 received, 0% packet loss, time [0-9]+ms$'
	check "ping $host: round trips" said '^rtt min/avg/max/mdev = ([0-9.]+/){3}[0-9.]+ ms$'
	check "ping $host: all given back" gave_all_back
	check "ping -f $host" runs 0 weir-ping -u 60 -W 10 -q -f -c 1000 $host
	check "ping -f $host: no loss" said '^1000 packets transmitted, 1000 received, 0% packet loss'
	check "ping -s 20000 $host, in fragments" runs 0 weir-ping -u 60 -W 10 -c 2 -i 0.1 -s 20000 $host
done
check "ping -t 1 beyond the router" runs 1 weir-ping -W 10 -t 1 -c 1 $far4
check "ping -t 1: the router tells" said "^From $weir_kernel4 icmp_seq=1 Time to live exceeded$"

check "a link behind the router that takes less" far_mtu 1300
for host in $far4 $far6; do
	check "ping -M do $host" runs 1 weir-ping -u 60 -W 10 -M do -s 1400 -c 3 -i 0.2 $host
	check "ping -M do $host: the router tells" said \
		"^From ($weir_kernel4|$weir_kernel6) icmp_seq=1 (Fragmentation needed|Packet too big)$"
	check "ping -M do $host: it is known then" said '^weir-ping: message too long, mtu=1300$'
	check "ping -M do $host: each is told of" said '^3 packets transmitted, 0 received, \+3 errors'
	check "ping -M want $host: in fragments" runs 1 weir-ping -u 60 -W 10 -M want -s 1400 -c 3 -i 0.2 $host
	check "ping -M want $host: but for the first" said '^3 packets transmitted, 2 received, \+1 errors'
done
check "the link as it was" far_mtu 1500

for host in $far4 $far6; do
	for how in -I -q3; do
		check "traceroute $how $host" runs 0 weir-traceroute -u 60 $how $host
		check "traceroute $how $host: the router" said \
			"^ 1  ($weir_kernel4|$weir_kernel6)(  [0-9.]+ ms){3}$"
		check "traceroute $how $host: the host" said "^ 2  $host(  [0-9.]+ ms){3}$"
	done
done
check "traceroute: all given back" gave_all_back
check "doc/raw.md: raw_ping" runs 0 raw_ping $weir_kernel4
check "doc/raw.md: raw_ping has its answer" said '^28 bytes, TTL 64$'
test_end
