#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Every kind of NIC by uio_pci_generic, one after the other in one guest: uio.sh BUILD_DIR [KIND...]
set -u
weir_build=$1
weir_source=$(dirname "$0")/../..
# shellcheck source=test/nic/lib.sh
. "$weir_source/test/nic/lib.sh"

nic_begin
kinds=("${@:2}")
[ ${#kinds[@]} -gt 0 ] || kinds=(virtio-net-pci e1000e e1000 vmxnet3)
devices=() pci=() removed=
for i in "${!kinds[@]}"; do
	# Without this header frames pass as they are, and the kernel checks the sums the NIC has made.
	header=on
	[[ ${kinds[i]} != e1000* ]] || header=off
	tap "t$i" "10.77.$i.1" "fd77:$i::1" || exit 1
	bus=pcie.0 pci[i]=0000:00:0$((i + 4)).0 slot=$((i + 4))
	if [ "${kinds[i]}" = vmxnet3 ]; then # this one will be taken away, which needs a port that lets go
		devices+=(-device "pcie-root-port,id=rp0,bus=pcie.0,chassis=1,addr=$slot")
		bus=rp0 pci[i]=0000:01:00.0 slot=0 removed=$i
	fi
	devices+=(-netdev "tap,id=n$i,ifname=t$i,script=no,downscript=no,vnet_hdr=$header"
		-device "${kinds[i]},id=nic$i,bus=$bus,netdev=n$i,mac=52:54:00:00:00:0$i,addr=$slot")
	nic_conf "$i" "${pci[i]}" "10.77.$i.2" "fd77:$i::2" </dev/null
done
guest_boot 1 -- -M q35 "${devices[@]}" || exit 1
check "hugepages" guest "hugepages 128"
check "weir-check: no IOMMU" says 2 'no IOMMU: .*firmware.*intel_iommu=on' "weir-check /0.conf"

# The kernel's counters of packets with a wrong checksum: all 0.
sums_are_right() {
	in_ns nstat -asz '*InCsumErrors' | awk '/Errors/ { n++; print; bad += $2 } END { exit n == 0 || bad > 0 }'
}

for i in "${!kinds[@]}"; do
	check "${kinds[i]}: bound to uio_pci_generic" guest "bind ${pci[i]} uio_pci_generic"
	nic_try "${kinds[i]}" "$i" "10.77.$i.2" "fd77:$i::2"
done
check "weir-check: UIO is for root" says 2 'only root sees; run as root' "as_user weir-check /0.conf"

check "no packet came to the kernel with a wrong checksum" sums_are_right
[ -z "$removed" ] || nic_removal vmxnet3 "$removed"
guest_end
test_end
