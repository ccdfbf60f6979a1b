#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# NICs that bring bad frames, too many, or more than there is memory for: counted, and it goes on: bad.sh BUILD_DIR
set -u
weir_build=$1
weir_source=$(dirname "$0")/../..
# shellcheck source=test/nic/lib.sh
. "$weir_source/test/nic/lib.sh"

nic_begin
tap t0 10.77.0.1 fd77::1 || exit 1
tap t1 10.77.1.1 fd77:1::1 || exit 1
tap t2 10.77.2.1 fd77:2::1 || exit 1
in_ns ip link set t0 mtu 9000
in_ns ip link set t1 mtu 9000

nic_conf software 0000:00:04.0 10.77.0.2 fd77::2 <<'EOT'
mtu = 1500
offloads_off = rx_checksum, tx_checksum, tso, lro, rss, multi_seg, vlan
EOT
nic_conf narrow 0000:00:04.0 10.77.0.2 fd77::2 <<'EOT'
mtu = 1500
offloads_off = lro
EOT
sed -i 's/^mbufs = .*/mbufs = 1536/' "$weir_tmp/files/narrow.conf" # the least that is allowed
nic_conf dry 0000:00:04.0 10.77.0.2 fd77::2 <<'EOT'
[udp]
rcvbuf = 16M
EOT
sed -i 's/^mbufs = .*/mbufs = 1536\nlent_mbufs = 65536/' "$weir_tmp/files/dry.conf"
nic_conf e1000e 0000:00:05.0 10.77.1.2 fd77:1::2 <<'EOT'
mtu = 1500
EOT
nic_conf vmxnet3 0000:00:06.0 10.77.2.2 fd77:2::2 </dev/null

guest_boot 1 -- -M q35 \
	-netdev tap,id=n0,ifname=t0,script=no,downscript=no \
	-device virtio-net-pci,netdev=n0,mac=52:54:00:00:00:00,addr=0x4,host_mtu=9000 \
	-netdev tap,id=n1,ifname=t1,script=no,downscript=no,vnet_hdr=off \
	-device e1000e,netdev=n1,mac=52:54:00:00:00:01,addr=0x5 \
	-netdev tap,id=n2,ifname=t2,script=no,downscript=no \
	-device vmxnet3,netdev=n2,mac=52:54:00:00:00:02,addr=0x6 || exit 1
check "hugepages" guest "hugepages 128"
for i in 4 5 6; do
	check "bound to uio_pci_generic" guest "bind 0000:00:0$i.0 uio_pci_generic"
done

answers() { # HOST
	in_ns ping -q -c 2 -i 0.2 -W 5 "$1"
}

# ---- wrong checksums that the NIC reports, frames that it has no room for ----

begin e1000e
check "e1000e: the NIC checks" stat_says '^ *offloads: .*rx_l4_cksum' ports
in_ns python3 "$weir_source/test/nic/bad_frames.py" t1 52:54:00:00:00:01 10.77.1.1 10.77.1.2 20
check "e1000e: answers after wrong checksums" answers 10.77.1.2
for kind in ip udp tcp; do
	n=$(counter fate.drop_${kind}_cksum)
	check "e1000e: wrong checksums of $kind are dropped under their name (${n:-0} of 20)" [ "${n:-0}" -eq 20 ]
done
frames=$(port_count 7)
in_ns ping -q -c 20 -i 0.05 -W 1 -I t1 239.1.2.3 >/dev/null
n=$(($(port_count 7) - frames))
check "e1000e: a group that nobody has joined stays outside ($n of 20)" [ $n -lt 10 ]
check "e1000e: frames longer than the MTU stay outside" is_refused in_ns ping -q -c 5 -i 0.2 -W 1 -s 4000 10.77.1.2
check "e1000e: answers after them" answers 10.77.1.2
end e1000e

# The kernel moves behind a line that flips bits.
begin software
in_ns ip address flush dev t0
ip netns exec "$weir_ns" "$weir_build/app/weir-wire" --no-huge --no-pci --no-shconf --no-telemetry -m 256 \
	--lcores "0@($(taskset -cp $$ | sed 's/.*: //'))" --vdev net_tap0,iface=t3 \
	--vdev net_af_packet0,iface=t0 -- --a net_tap0 --b net_af_packet0 --corrupt 3% >"$weir_tmp/wire" 2>&1 &
wire_pid=$!
trap 'kill $wire_pid 2>/dev/null; guest_kill; weir_clean_up' EXIT
wait_for 20 grep -q '<->' "$weir_tmp/wire" || cat "$weir_tmp/wire"
in_ns ip link set t3 address 02:00:00:00:77:02 up
in_ns ip address add 10.77.0.1/24 dev t3
check "corruption: what arrives is whole" in_ns curl -sf -m 60 -T "$weir_tmp/file" http://10.77.0.2/file
check "corruption: checksum equal" [ "$(guest "sha256sum </srv/file")" = "$nic_sum" ]
bad=$(guest "weir-stat counters" | grep -c 'cksum')
check "corruption: drops under their names ($bad)" [ "$bad" -ge 1 ]
kill $wire_pid
wait $wire_pid
in_ns ip address add 10.77.0.1/24 dev t0
check "software: frames longer than our MTU" in_ns ping -q -c 5 -i 0.2 -W 1 -M do -s 4000 10.77.0.2
check "software: are survived" answers 10.77.0.2
end software

# ---- a small pool, a dry one ----

# Forty clients that do not read: what waits for them leaves enough to receive with.
begin narrow
in_ns python3 - <<'EOT' &
import socket, time
held = [socket.create_connection(("10.77.0.2", 80), timeout=30) for i in range(40)]
for s in held:
    s.sendall(b"GET /size/20M HTTP/1.1\r\nHost: weir\r\n\r\n")
time.sleep(4)
EOT
holder=$!
sleep 2
check "narrow: it answers, whoever does not read" answers 10.77.0.2
in_ns ping -q -f -c 1000 -s 1400 -l 100 10.77.0.2 >/dev/null
wait $holder
check "narrow: then it answers" answers 10.77.0.2
check "narrow: the file" in_ns curl -sf -m 60 -T "$weir_tmp/file" http://10.77.0.2/file
check "narrow: and back" down_is_equal 10.77.0.2
end narrow

# A program keeps all it gets until nothing comes: then there is no mbuf left to receive with.
lacks_mbufs() {
	[ "$(port_count 1)" -gt 0 ]
}

begin dry nic_keeper 7777
ip netns exec "$weir_ns" python3 - <<'EOT' &
import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for i in range(2500):
    s.sendto(b"x" * 1000, ("10.77.0.2", 7777))
    time.sleep(0.002)
EOT
flood=$!
check "dry: the NIC's lack of mbufs is counted" wait_for 20 lacks_mbufs
wait $flood
check "dry: the program gives back what it has kept" wait_for 20 guest "grep '^kept' /tmp/dry.log"
check "dry: then it answers" wait_for 20 answers 10.77.0.2
end dry

# ---- more segments than the driver takes, more frames than the NIC has descriptors ----

# What came in is sent as it came, packet by packet joined to frames; vmxnet3 takes sixteen segments in one.
begin vmxnet3 weir-echo --style mbuf
check "vmxnet3: echo of packets" in_ns python3 "$weir_source/test/func/echo_client.py" 10.77.2.2 random
n=$(mean_frame tx)
check "vmxnet3: is sent in large frames ($n)" [ "$n" -gt 2000 ]
missed=$(port_count 3)
guest 'kill -STOP $(cat /tmp/pid)' >/dev/null
in_ns ping -q -f -c 3000 -l 3000 -W 1 -w 2 10.77.2.2 >/dev/null
guest 'kill -CONT $(cat /tmp/pid)' >/dev/null
check "vmxnet3: answers after a lack of descriptors" answers 10.77.2.2
n=$(($(port_count 3) - missed))
check "vmxnet3: which is counted ($n)" [ "$n" -ge 500 ]
end vmxnet3
guest_end
test_end
