#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# virtio with four queues, and what a configuration can ask of a NIC: queues.sh BUILD_DIR
set -u
weir_build=$1
weir_source=$(dirname "$0")/../..
# shellcheck source=test/nic/lib.sh
. "$weir_source/test/nic/lib.sh"

nic_begin
tap t0 10.77.0.1 fd77::1 multi_queue || exit 1
tap t1 10.77.1.1 fd77:1::1 || exit 1
in_ns ip link set t1 mtu 9000

nic_conf queues 0000:00:04.0 10.77.0.2 fd77::2 <<'EOT'
[workers]
count = 4
cpus = 0,1,0,1
EOT
nic_conf software 0000:00:05.0 10.77.1.2 fd77:1::2 <<'EOT'
mtu = 1500
offloads_off = rx_checksum, tx_checksum, tso, lro, rss, multi_seg, vlan
EOT
nic_conf jumbo 0000:00:05.0 10.77.1.2 fd77:1::2 <<'EOT'
mtu = 9000
EOT
nic_conf vlan 0000:00:05.0 10.77.1.2 fd77:1::2 <<'EOT'
vlan = 5
EOT
nic_conf promiscuous 0000:00:05.0 10.77.1.2 fd77:1::2 <<'EOT'
promiscuous = yes
EOT

guest_boot 2 intel_iommu=on -- -M q35 -device intel-iommu,intremap=on,aw-bits=48 \
	-netdev tap,id=n0,ifname=t0,script=no,downscript=no,queues=4 \
	-device virtio-net-pci,netdev=n0,mac=52:54:00:00:00:00,addr=0x4,disable-legacy=on,iommu_platform=on,mq=on,vectors=10,rss=on,hash=on \
	-netdev tap,id=n1,ifname=t1,script=no,downscript=no \
	-device virtio-net-pci,netdev=n1,mac=52:54:00:00:00:01,addr=0x5,disable-legacy=on,iommu_platform=on,host_mtu=9000 ||
	exit 1
check "hugepages" guest "hugepages 160"
check "bound to vfio-pci" guest "bind 0000:00:04.0 vfio-pci && bind 0000:00:05.0 vfio-pci"

# ---- four queues ----

# every worker has some of 64 connections, and each gets its packets by its own queue
are_spread() {
	local out

	out=$(guest "weir-stat workers")
	echo "$out"
	[ "$(awk '$1 ~ /^[0-3]$/ && $4 > 0' <<<"$out" | wc -l)" -eq 4 ]
}

is_rss() {
	stat_says "^ *offloads: .*rss" ports
}

begin queues
check "queues: the NIC spreads" is_rss
nic_http queues 10.77.0.2 fd77::2
frame=$(mean_frame tx)
check "queues: the NIC cuts segments (frames of $frame bytes sent)" [ "$frame" -gt 2000 ]
frame=$(mean_frame rx)
check "queues: and joins them (frames of $frame bytes received)" [ "$frame" -gt 2000 ]
in_ns python3 - <<'EOT' &
import socket, time
held = [socket.create_connection(("10.77.0.2", 80), timeout=20) for i in range(64)]
time.sleep(8)
EOT
holder=$!
sleep 3
check "queues: 64 connections are spread over four workers" are_spread
wait $holder
handed=$(counter fate.handed_over)
check "queues: hardly a packet changes its worker (${handed:-0})" [ "${handed:-0}" -lt 200 ]
end queues

# Connections that Weir opens: each worker chooses ports whose answers the NIC's key and table bring back to it.
# With another key than the NIC's they go to workers that know nothing of them.
ip netns exec "$weir_ns" python3 "$weir_source/test/nic/echo_server.py" 7 & # not in_ns, which would be the one to end
server=$!
trap 'kill $server 2>/dev/null; guest_kill; weir_clean_up' EXIT
check "client: starts" guest "start /tmp/client.log nic_client /queues.conf 7 64 10.77.0.1 fd77::1"
for host in 10.77.0.1 fd77::1; do
	check "client: 64 connections to $host get their bytes back" \
		guest "cat /tmp/client.log; grep '^$host: 64 of 64' /tmp/client.log"
done
check "client: they are spread over four workers" are_spread
handed=$(counter fate.handed_over)
check "client: no packet changes its worker (${handed:-0})" [ "${handed:-0}" -eq 0 ]
kill $server
end client

# ---- what one NIC is asked for ----

is_bare() {
	local out

	out=$(guest "weir-stat ports")
	echo "$out"
	grep -q '^nic0' <<<"$out" && ! grep -Eq 'cksum|tso|lro' <<<"$out"
}

begin software
check "software: the NIC does nothing" is_bare
nic_http software 10.77.1.2 fd77:1::2
frame=$(mean_frame tx)
check "software: nothing larger than the MTU goes out ($frame)" [ "$frame" -le 1514 ]
frame=$(mean_frame rx)
check "software: or comes in ($frame)" [ "$frame" -le 1514 ]
end software

begin jumbo
check "jumbo: ping of 8900 bytes unfragmented" in_ns ping -q -c 3 -i 0.2 -W 5 -M do -s 8900 10.77.1.2
nic_http jumbo 10.77.1.2 fd77:1::2
end jumbo

begin vlan
check "vlan: an echo with the tag" in_ns python3 "$weir_source/test/nic/vlan_ping.py" t1 5 10.77.1.7 10.77.1.2
check "vlan: none with another" is_refused in_ns python3 "$weir_source/test/nic/vlan_ping.py" t1 6 10.77.1.7 10.77.1.2
check "vlan: none without" is_refused in_ns ping -q -c 1 -W 1 10.77.1.2
end vlan

# A neighbour's address that is not the NIC's: only promiscuous mode lets it pass, and Weir drops it.
foreign() {
	in_ns ip neigh replace 10.77.1.9 lladdr 52:54:00:00:00:99 dev t1
	in_ns ping -q -c 3 -i 0.2 -W 1 10.77.1.9 >/dev/null
	counter fate.drop_eth_dst
}

begin promiscuous
seen=$(foreign)
check "promiscuous: frames for others come and are dropped (${seen:-0})" [ "${seen:-0}" -ge 3 ]
end promiscuous
begin software
seen=$(foreign)
check "else they do not come (${seen:-0})" [ "${seen:-0}" -eq 0 ]
end software
guest_end
test_end
