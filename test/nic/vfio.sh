#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# NICs by vfio-pci behind an IOMMU: interrupts, a link that comes and goes, a device that is taken away:
# vfio.sh BUILD_DIR [KIND...]
set -u
weir_build=$1
weir_source=$(dirname "$0")/../..
# shellcheck source=test/nic/lib.sh
. "$weir_source/test/nic/lib.sh"

nic_begin
kinds=("${@:2}")
[ ${#kinds[@]} -gt 0 ] || kinds=(virtio-net-pci e1000e vmxnet3)
devices=()
for i in "${!kinds[@]}"; do
	extra=
	[ "${kinds[i]}" != virtio-net-pci ] || extra=,disable-legacy=on,iommu_platform=on
	tap "t$i" "10.77.$i.1" "fd77:$i::1" || exit 1
	devices+=(-device "pcie-root-port,id=rp$i,bus=pcie.0,chassis=$((i + 1)),addr=0x$((i + 4))"
		-netdev "tap,id=n$i,ifname=t$i,script=no,downscript=no"
		-device "${kinds[i]},id=nic$i,bus=rp$i,netdev=n$i,mac=52:54:00:00:00:0$i$extra")
	nic_conf "$i" "0000:0$((i + 1)):00.0" "10.77.$i.2" "fd77:$i::2" </dev/null
done
guest_boot 1 intel_iommu=on -- -M q35 -device intel-iommu,intremap=on,aw-bits=48 "${devices[@]}" ||
	exit 1
check "hugepages" guest "hugepages 128"

# sleeps: an idle worker turns seldom
sleeps() {
	local before after

	before=$(guest "weir-stat counters" | sed -n 's/^worker.turns *\([0-9]*\).*/\1/p')
	guest "sleep 1" >/dev/null
	after=$(guest "weir-stat counters" | sed -n 's/^worker.turns *\([0-9]*\).*/\1/p')
	echo "$before $after"
	[ $((after - before)) -lt 10000 ] # one that does not sleep turns a hundred thousand times and more
}

# a transfer that is under way when the link goes away for two seconds
survives() { # I
	local pid sum

	in_ns curl -sf -m 60 --limit-rate 4M "http://10.77.$1.2/size/16M" >"$weir_tmp/got" &
	pid=$!
	sleep 1
	monitor "set_link n$1 off"
	wait_for 10 stat_says "^nic0 .* down " || echo "the link's loss is not seen"
	sleep 1
	monitor "set_link n$1 on"
	wait "$pid" && [ "$(stat -c %s "$weir_tmp/got")" -eq $((16 << 20)) ] &&
		stat_says "^link.link_downs *[1-9]" counters
}

has_no_connection() {
	! stat_says 'ESTABLISHED|_WAIT' sockets
}

# the program stands still while more packets come than the NIC has descriptors
overrun() { # I
	guest 'kill -STOP $(cat /tmp/pid)'
	in_ns ping -q -f -c 3000 -l 3000 -W 1 -w 2 "10.77.$1.2" >/dev/null
	guest 'kill -CONT $(cat /tmp/pid)'
	in_ns ping -q -c 2 -W 5 "10.77.$1.2"
}

for i in "${!kinds[@]}"; do
	name=${kinds[i]}
	check "$name: bound to vfio-pci" guest "bind 0000:0$((i + 1)):00.0 vfio-pci"
	nic_try "$name" "$i" "10.77.$i.2" "fd77:$i::2"
	check "$name: starts again" guest "start /tmp/$i.log weir-httpd /$i.conf"
	check "$name: sleeps without work" sleeps
	check "$name: descriptors run out, then it answers" overrun "$i"
	check "$name: a connection outlives two seconds without link" survives "$i"
	check "$name: which then ends" wait_for 10 has_no_connection
	check "$name: answers afterwards" in_ns ping -q -c 1 -w 10 "10.77.$i.2"
	check "$name: ends well" guest "stop /tmp/$i.log"
done
nic_removal "${kinds[0]}" 0
guest_end
test_end
