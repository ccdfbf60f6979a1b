#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# weir-check on machines that are directory trees: check.sh WEIR_CHECK SOURCE_DIR
# Needs no root; nothing is sent.
set -u

weir_check=$1
config=$2/config
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' INT TERM
n=0
failed=0

nic=sys/bus/pci/devices/0000:01:00.0

# put FILE TEXT: a file of the machine
put() {
	mkdir -p "$root/$(dirname "$1")"
	printf '%s\n' "$2" >"$root/$1"
}

# link FILE TARGET
link() {
	mkdir -p "$root/$(dirname "$1")"
	ln -sfn "$2" "$root/$1"
}

# A machine with everything: 8 CPUs, hugepages, an IOMMU, an Intel X520 bound to vfio-pci.
machine() {
	local pmds

	root=$tmp/$1
	put proc/self/status $'CapEff:\t000001ffffffffff\nCpus_allowed_list:\t0-7'
	put proc/self/limits 'Max locked memory         8388608              8388608              bytes'
	put proc/meminfo $'MemTotal:       16000000 kB\nMemAvailable:    8000000 kB'
	put proc/mounts 'hugetlbfs /dev/hugepages hugetlbfs rw 0 0'
	put sys/devices/system/cpu/online 0-7
	put sys/devices/system/cpu/isolated 2-5
	put sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages 1100
	put sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages 1024
	put sys/class/iommu/dmar0/uevent ''
	put sys/kernel/iommu_groups/7/type DMA
	link sys/kernel/iommu_groups/7/devices/0000:01:00.0 ../../../../bus/pci/devices/0000:01:00.0
	put $nic/class 0x020000
	put $nic/vendor 0x8086
	put $nic/device 0x10fb
	put $nic/numa_node 0
	link $nic/driver ../../../drivers/vfio-pci
	link $nic/iommu_group ../../../kernel/iommu_groups/7
	for cpu in 0 1 2 3 4 5 6 7; do
		mkdir -p "$root/sys/devices/system/cpu/cpu$cpu/node0"
	done
	put sys/class/net/weir2/flags 0x1003
	put dev/vfio/vfio ''
	put dev/vfio/7 ''
	put dev/net/tun ''
	mkdir -p "$root/dev/hugepages" "$root/run"
	pmds=$(echo "$(pkg-config --variable=libdir libdpdk)"/dpdk/pmds-*)
	link "${pmds#/}" "$pmds"
}

# expect NAME STATUS FILE [REGEX...]: the exit status, and a line for each regular expression
expect() {
	local name=$1 status=$2 file=$3 out got re

	shift 3
	n=$((n + 1))
	out=$("$weir_check" --root "$root" "$file" 2>&1)
	got=$?
	if [ $got -ne "$status" ]; then
		echo "FAIL $name: exit status $got, not $status"
		echo "$out"
		failed=$((failed + 1))
		return
	fi
	for re in "$@"; do
		if ! grep -qE -- "$re" <<<"$out"; then
			echo "FAIL $name: no line matches: $re"
			echo "$out"
			failed=$((failed + 1))
			return
		fi
	done
	echo "ok   $name"
}

# conf TEXT: a configuration; its path is $conf
conf() {
	conf=$tmp/test.conf
	printf '%s\n' "$1" >"$conf"
}

# ---- every example runs on a machine that has what it asks for ----

machine whole

# as_nic ADDRESS VENDOR DEVICE: the NIC once more, there, as another device
as_nic() {
	local devices=sys/bus/pci/devices

	cp -a "$root/$nic" "$root/$devices/$1"
	put "$devices/$1/vendor" "$2"
	put "$devices/$1/device" "$3"
}

for f in "$config"/*.conf; do
	case $f in # addresses and numbers as in the clouds
	*/ena.conf) as_nic 0000:00:06.0 0x1d0f 0xec20 ;;
	*/gve.conf) as_nic 0000:00:05.0 0x1ae0 0x0042 ;;
	esac
	expect "$(basename "$f") on a machine with everything" 0 "$f" 'this machine can run it'
done

# ---- wrong files ----

conf $'[tcp]\nsndbuf = x'
expect 'a wrong file' 1 "$conf" "^$conf: \[tcp\] sndbuf = x: allowed: bytes, 4K to 1024M$"
expect 'a missing file' 1 "$tmp/none" 'No such file or directory'

expect 'an unknown option' 1 --none '^usage: weir-check'
expect 'the reference' 0 --keys '^\[port NAME\]' '^  sndbuf = 256K' '^  device = \(needed\)'
expect 'help' 0 --help '^usage: weir-check'

# ---- hugepages ----

machine no-hugepages
put sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages 0
expect 'no free hugepages for a NIC' 2 "$config/nic.conf" \
	'^FAULT hugepages: 0 MB free, .* echo 2124 > /sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages$'
expect 'no free hugepages, auto' 0 "$config/quickstart.conf" '^NOTE +hugepages: .*runs without'
rm -r "$root/sys/kernel/mm/hugepages"
expect 'a kernel without hugepages' 2 "$config/nic.conf" '^FAULT hugepages: this kernel has none'

machine no-mount
put proc/mounts 'proc /proc proc rw 0 0'
conf $'[eal]\nhugepages = yes\nin_memory = no'
expect 'no hugetlbfs' 2 "$conf" '^FAULT hugepages: no hugetlbfs is mounted.*mount -t hugetlbfs'

machine memory
conf $'[eal]\nhugepages = no\nmemory = 64\n[pools]\nmbufs = 100000'
expect 'pools larger than memory' 2 "$conf" '^FAULT memory: \[pools\] mbufs = 100000'
conf $'[eal]\nhugepages = no\nmemory = 16000'
expect 'memory that is not there' 2 "$conf" '^FAULT memory: 7812 MB available'

# ---- CPUs and NUMA ----

machine cpus
conf $'[workers]\ncount = 2\ncpus = 2,9'
expect 'a CPU that does not exist' 2 "$conf" '^FAULT cpu 9: this machine has no such CPU'
put proc/self/status $'CapEff:\t000001ffffffffff\nCpus_allowed_list:\t0-1'
expect 'a CPU that is not allowed' 2 "$conf" '^FAULT cpu 2: this process may not use it'
conf $'[workers]\ncount = 2\ncpus = 0,0\nidle = poll'
expect 'pollers that share a CPU' 0 "$conf" '^NOTE +cpu 0: 2 workers poll on it'
conf $'[workers]\ncpus = 1\nidle = poll'
expect 'a CPU that is not isolated' 0 "$conf" '^NOTE +cpu 1: other programs.*isolcpus=1'

machine numa
rmdir "$root/sys/devices/system/cpu/cpu3/node0"
mkdir "$root/sys/devices/system/cpu/cpu3/node1"
expect 'a worker on another node than the NIC' 0 "$config/nic.conf" \
	'^NOTE +pci 0000:01:00.0: on NUMA node 0, but worker 1 runs on CPU 3 of node 1'

# ---- PCI devices ----

machine missing
rm -r "${root:?}/$nic"
expect 'a device that is not there' 2 "$config/nic.conf" '^FAULT pci 0000:01:00.0: no such device'

machine not-a-nic
put $nic/class 0x010802
expect 'a device that is no NIC' 2 "$config/nic.conf" '^FAULT pci .*not a network device \(class 010802\)'

machine kernel-driver
link $nic/driver ../../../drivers/ixgbe
mkdir -p "$root/$nic/net/eth7"
expect 'bound to the kernel driver' 2 "$config/nic.conf" \
	'^FAULT pci .*kernel driver ixgbe.*loses eth7.*dpdk-devbind.py --bind=vfio-pci 0000:01:00.0$'

machine unbound
rm "$root/$nic/driver"
expect 'bound to nothing' 2 "$config/nic.conf" '^FAULT pci .*bound to no driver.*dpdk-devbind.py'

machine no-iommu
rm -r "$root/$nic/iommu_group" "$root/sys/kernel/iommu_groups" "$root/sys/class/iommu"
expect 'vfio-pci without an IOMMU' 2 "$config/nic.conf" '^FAULT pci .*no IOMMU group \(no IOMMU: .*intel_iommu=on'

machine no-iommu-mode
rm -r "$root/sys/class/iommu"
put sys/module/vfio/parameters/enable_unsafe_noiommu_mode Y
mv "$root/dev/vfio/7" "$root/dev/vfio/noiommu-7"
expect 'vfio-pci in no-IOMMU mode' 0 "$config/nic.conf" '^OK +pci .*bound to vfio-pci'

machine shared-group
put sys/bus/pci/devices/0000:01:00.1/class 0x020000
link sys/bus/pci/devices/0000:01:00.1/driver ../../../drivers/ixgbe
link sys/kernel/iommu_groups/7/devices/0000:01:00.1 ../../../../bus/pci/devices/0000:01:00.1
expect 'another device of the IOMMU group in use' 2 "$config/nic.conf" \
	'^FAULT pci .*0000:01:00.1 \(ixgbe\) is in the same IOMMU group 7'

machine no-permission
rm "$root/dev/vfio/7"
expect 'no access to the IOMMU group' 2 "$config/nic.conf" "^FAULT pci .*/dev/vfio/7 can't be opened"

machine memlock
put proc/self/status $'CapEff:\t0000000000000000\nCpus_allowed_list:\t0-7'
expect 'too little locked memory' 2 "$config/nic.conf" '^FAULT pci .*limited to 8 MB, \[eal\] memory = 2048'

machine uio
link $nic/driver ../../../drivers/uio_pci_generic
expect 'uio_pci_generic as root' 0 "$config/nic.conf" '^OK +pci .*bound to uio_pci_generic'
put proc/self/status $'CapEff:\t0000000000000000\nCpus_allowed_list:\t0-7'
expect 'uio_pci_generic without privileges' 2 "$config/nic.conf" '^FAULT pci .*only root sees'

machine shared-driver
put $nic/vendor 0x15b3
put $nic/device 0x1017
link $nic/driver ../../../drivers/mlx5_core
expect 'a driver that shares with the kernel' 0 "$config/nic.conf" '^OK +pci .*shared with the kernel driver mlx5_core'

machine unknown-device
put $nic/device 0x0001
expect 'a device DPDK has no driver for' 2 "$config/nic.conf" '^FAULT pci .*no driver for 8086:0001'

# ---- virtual devices ----

machine vdevs
conf $'[eal]\nvdev = net_tep0\n[port p]\ndevice = net_tep0'
expect 'a driver that does not exist' 2 "$conf" '^FAULT net_tep0: DPDK has no driver'
conf $'[eal]\nvdev = net_tap0,iface\n[port p]\ndevice = net_tap0'
expect 'parameters without a value' 2 "$conf" '^FAULT net_tap0: .*key=value'
conf $'[port p]\ndevice = net_tap0'
expect 'a device that nothing makes' 2 "$conf" '^FAULT port p: nothing makes the device net_tap0'
rm "$root/sys/class/net/weir2/flags"
rmdir "$root/sys/class/net/weir2"
expect 'no interface for af_packet' 2 "$config/af_packet.conf" '^FAULT net_af_packet0: no interface weir2'
put sys/class/net/weir2/flags 0x1002
expect 'an interface that is down' 0 "$config/af_packet.conf" '^NOTE +net_af_packet0: interface weir2 is down'
put sys/class/net/weir0/flags 0x1003
expect 'a tap name that is taken' 2 "$config/quickstart.conf" '^FAULT net_tap0: an interface weir0 of another kind'
put sys/class/net/weir0/tun_flags 0x1002
expect 'a tap that is there' 0 "$config/quickstart.conf" '^NOTE +net_tap0: a tap weir0 is there'
rm "$root/dev/net/tun"
expect 'no /dev/net/tun' 2 "$config/quickstart.conf" '^FAULT net_tap0: /dev/net/tun is missing; modprobe tun'
put proc/self/status $'CapEff:\t0000000000000000\nCpus_allowed_list:\t0-7'
expect 'no CAP_NET_ADMIN' 2 "$config/tap.conf" '^FAULT net_tap0: needs the capability cap_net_admin'
expect 'no CAP_NET_RAW' 2 "$config/af_packet.conf" '^FAULT net_af_packet0: needs the capability cap_net_raw'
conf $'[eal]\nvdev = net_memif0,role=server,socket=/none/x.sock,socket-abstract=no\n[port p]\ndevice = net_memif0'
expect 'a socket directory that is missing' 2 "$conf" '^FAULT net_memif0: /none/x.sock .*directory /none is missing'

machine no-plugins
pmds=$(echo "$(pkg-config --variable=libdir libdpdk)"/dpdk/pmds-*)
rm "$root/${pmds#/}"
expect 'no plugin directory' 2 "$config/null.conf" '^FAULT net_null0: DPDK has no driver .*No such file'

echo "$n tests, $failed failed"
[ "$failed" -eq 0 ]
