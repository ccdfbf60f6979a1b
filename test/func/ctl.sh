#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# weir-ctl changes addresses, routes and neighbours of weir-echo while the kernel is its peer and its
# router into a second namespace: ctl.sh BUILD_DIR
set -u
weir_build=$1
weir_source=$(dirname "$0")/../..
# shellcheck source=test/func/lib.sh
. "$weir_source/test/func/lib.sh"

prefix=weir-ctl-test-$$
ctl() {
	"$weir_build/app/weir-ctl" --prefix "$prefix" "$@"
}

# shows PATTERN ARG...: what weir-ctl prints has a line like that
shows() {
	local pattern=$1

	shift
	ctl "$@" >"$weir_tmp/shown" || return 1
	cat "$weir_tmp/shown"
	grep -qE -- "$pattern" "$weir_tmp/shown"
}

hides() {
	! shows "$@"
}

# refuses PATTERN ARG...: it fails and says so
refuses() {
	local pattern=$1 out

	shift
	out=$(ctl "$@" 2>&1 >/dev/null)
	[ $? -eq 1 ] && grep -qE -- "$pattern" <<<"$out" && return
	echo "$out"
	return 1
}

far() {
	ip netns exec "$far_ns" "$@"
}

answers() {
	"$1" ping -c 1 -W 1 "$2"
}

is_silent() {
	! answers "$@"
}

echoes() {
	[ "$(echo hello | far timeout 3 nc -N "$1" 7)" = hello ]
}

test_begin
trap 'far_clean_up; rmdir "/var/run/dpdk/$prefix" 2>/dev/null' EXIT
sed "s/^\[eal\]/[eal]\nfile_prefix = $prefix/" "$weir_source/config/quickstart.conf" >"$weir_tmp/conf"
weir_start "$weir_tmp/log" "$weir_build/app/weir-echo" "$weir_tmp/conf" && kernel_up || exit 1
check "a router and a host behind it" far_make

check "addresses: the configured one" shows "^tap0 +$weir4/24 +preferred" addr
check "an address more" ctl addr add 10.77.0.9/24 port tap0
check "an address more: listed" shows '^tap0 +10\.77\.0\.9/24 +preferred' addr list
check "an address more: answers" answers in_ns 10.77.0.9
check "an IPv6 address" ctl addr add fd77::9/64 port tap0
check "an IPv6 address: DAD ends" wait_for 5 shows '^tap0 +fd77::9/64 +preferred' addr
check "an IPv6 address: answers" wait_for 5 answers in_ns fd77::9
check "an address twice" refuses 'exists' addr add 10.77.0.9/24 port tap0
check "an address goes" ctl addr del 10.77.0.9 port tap0
check "an address goes: silent" is_silent in_ns 10.77.0.9

check "no route: silent" is_silent far $weir4
check "a route" ctl route add 10.99.0.0/16 via $weir_kernel4
check "a route: listed" shows "^10\.99\.0\.0/16 +$weir_kernel4 +tap0 +0 " route
check "a route: how a packet would go" shows "^$far4 via $weir_kernel4 port tap0 src $weir4" \
	route get $far4
check "a route: pinged through a router" wait_for 5 answers far $weir4
check "a route: echo through a router" echoes $weir4
check "an IPv6 default route" ctl route add default via $weir_kernel6
check "an IPv6 default route: echo" wait_for 5 echoes $weir6
check "a route that refuses" ctl route add blackhole $far4/32
check "a route that refuses: silent" is_silent far $weir4
check "a route that refuses goes" ctl route del $far4/32
check "a route that refuses goes: answers" answers far $weir4
check "the route goes" ctl route del 10.99.0.0/16
check "the route goes: silent" is_silent far $weir4
check "the route goes: not listed" hides '^10\.99' route
check "a gateway nobody reaches" refuses 'unreachable' route add default via 10.88.0.1

check "neighbours: the kernel" shows "^$weir_kernel4 +tap0 +02:00:00:00:77:01 " neigh
check "neighbours: flush" ctl neigh flush
check "neighbours: learnt again" answers in_ns $weir4
check "a static neighbour" ctl neigh add $weir_kernel4 lladdr 02:00:00:00:77:99 port tap0
check "a static neighbour: packets go astray" is_silent in_ns $weir4
check "a static neighbour goes" ctl neigh del $weir_kernel4 port tap0
check "a static neighbour goes: answers" answers in_ns $weir4

check "the port off" ctl port set tap0 down
check "the port off: silent" is_silent in_ns $weir4
check "the port on" ctl port set tap0 up
check "the port on: answers" wait_for 5 answers in_ns $weir4
check "the port's MTU" ctl port set tap0 mtu 1400
check "the port's MTU: listed" shows '^tap0 .* 1400$' port
check "what is wrong is said" refuses 'no port is called "tap9"' addr add 10.0.0.1/8 port tap9
test_stop
test_end
