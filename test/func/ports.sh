#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# weir-httpd on ports other than a tap, with the kernel as the client: ports.sh BUILD_DIR [MIB]
# MIB: how much goes each way over each port (64)
set -u
weir_build=$1
mib=${2:-64}
weir_source=$(dirname "$0")/../..
# shellcheck source=test/func/lib.sh
. "$weir_source/test/func/lib.sh"

test_begin
root=$weir_tmp/root
mkdir -p "$root"
head -c "${mib}M" /dev/urandom >"$root/file"
sum=$(sha256sum <"$root/file")
wire_pid=

clean_up() {
	[ -n "$wire_pid" ] && kill "$wire_pid" 2>/dev/null && wait "$wire_pid"
	weir_clean_up
}
trap clean_up EXIT

down_is_equal() {
	[ "$(in_ns curl -sf -m 120 "http://$1/file" | sha256sum)" = "$sum" ]
}

up_is_equal() {
	in_ns curl -sf -m 120 -T "$root/file" "http://$1/up" &&
		[ "$(sha256sum <"$root/up")" = "$sum" ]
}

# try PORT IPV4 IPV6
try() {
	local host

	for host in "$2" "$3"; do
		check "$1: ping $host" in_ns ping -q -c 3 -i 0.2 -W 5 "$host"
	done
	for host in "$2" "[$3]"; do
		check "$1: $mib MiB down from $host, checksum equal" down_is_equal "$host"
		check "$1: $mib MiB up to $host, checksum equal" up_is_equal "$host"
		rm -f "$root/up"
	done
}

# start CONFIGURATION
start() {
	weir_start "$weir_tmp/log" "$weir_build/app/weir-httpd" "$weir_source/config/$1.conf" \
		--root "$root" || exit 1
}

# give_address INTERFACE IPV4 IPV6: the kernel's side
give_address() {
	ip -n "$weir_ns" link set "$1" up &&
		ip -n "$weir_ns" address add "$2/24" dev "$1" &&
		ip -n "$weir_ns" address add "$3/64" dev "$1" nodad
}

# ---- af_packet: one end of a veth pair, the kernel on the other ----

ip -n "$weir_ns" link add weir2 type veth peer name weir2-peer || exit 1
ip -n "$weir_ns" link set weir2 up
give_address weir2-peer 10.79.0.1 fd79::1 || exit 1
in_ns ethtool -K weir2-peer tx off >/dev/null # what the kernel sends has its checksums
start af_packet
try af_packet 10.79.0.2 fd79::2
test_stop

# ---- memif: shared memory to weir-wire, which joins it to a tap ----

is_joined() {
	grep -q '<->' "$weir_tmp/wire"
}

start memif-server
ip netns exec "$weir_ns" "$weir_build/app/weir-wire" --no-huge --no-pci --no-shconf --no-telemetry \
	-m 256 --lcores "0@($(taskset -cp $$ | sed 's/.*: //'))" --vdev net_tap0,iface=weir3 \
	--vdev net_memif0,role=client,id=0,socket=weir-memif -- --a net_tap0 --b net_memif0 \
	>"$weir_tmp/wire" 2>&1 &
wire_pid=$!
wait_for 20 is_joined || { cat "$weir_tmp/wire"; exit 1; }
# Without it the tap has the MAC address of weir-wire's side.
ip -n "$weir_ns" link set weir3 address 02:00:00:00:80:03
give_address weir3 10.80.0.3 fd80::3 || exit 1
try memif 10.80.0.1 fd80::1
test_stop
test_end
