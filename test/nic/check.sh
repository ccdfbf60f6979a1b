#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# weir-check and a program's start where something is missing, and the remedy in words: check.sh BUILD_DIR
set -u
weir_build=$1
weir_source=$(dirname "$0")/../..
# shellcheck source=test/nic/lib.sh
. "$weir_source/test/nic/lib.sh"

nic_begin
tap t0 10.77.0.1 fd77::1 || exit 1
nic_conf 0 0000:00:04.0 10.77.0.2 fd77::2 </dev/null
nic_conf absent 0000:00:09.0 10.77.0.2 fd77::2 </dev/null
guest_boot 1 intel_iommu=on -- -M q35 -device intel-iommu,intremap=on,aw-bits=48 \
	-netdev tap,id=n0,ifname=t0,script=no,downscript=no \
	-device virtio-net-pci,netdev=n0,mac=52:54:00:00:00:00,addr=0x4,disable-legacy=on,iommu_platform=on ||
	exit 1

check "no hugepages" says 2 'hugepage' "weir-check /0.conf"
check "no hugepages: the program says so, too" says 1 'hugepage' "weir-httpd /0.conf"
check "hugepages" guest "hugepages 128"
check "bound to the kernel's driver" says 2 'kernel driver virtio-pci; hand it over .*dpdk-devbind' \
	"weir-check /0.conf"
check "bound to the kernel's driver: the program" says 1 'vfio-pci' "weir-httpd /0.conf"
guest "bind 0000:00:04.0 none" >/dev/null
check "bound to no driver" says 2 'bound to no driver; modprobe vfio-pci; dpdk-devbind' "weir-check /0.conf"
check "no such device" says 2 'no such device' "weir-check /absent.conf"
guest "bind 0000:00:04.0 vfio-pci" >/dev/null
check "all is well" says 0 'bound to vfio-pci, IOMMU group' "weir-check /0.conf"
check "no permission" says 2 '/dev/vfio/[0-9]+ can.t be opened; run as root' \
	"as_user weir-check /0.conf"
guest_end
test_end
