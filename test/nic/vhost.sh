#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Weir on the host serves a virtual machine over vhost-user; the guest's Linux is the peer: vhost.sh BUILD_DIR
set -u
weir_build=$1
weir_source=$(dirname "$0")/../..
# shellcheck source=test/nic/lib.sh
. "$weir_source/test/nic/lib.sh"

nic_begin
cp "$weir_tmp/file" "$weir_tmp/to"
mkdir "$weir_tmp/root"
mv "$weir_tmp/file" "$weir_tmp/root/file"
guest_file file <"$weir_tmp/to"
sed "s#iface=[^,]*#iface=$weir_tmp/socket#" "$weir_source/config/vhost.conf" >"$weir_tmp/vhost.conf"
weir_start "$weir_tmp/log" "$weir_build/app/weir-httpd" "$weir_tmp/vhost.conf" --root "$weir_tmp/root" ||
	exit 1
# vectors=0: with MSI-X, QEMU 7.2 without KVM crashes.
guest_boot 1 -- -machine q35,memory-backend=mem -object memory-backend-memfd,id=mem,size=768M,share=on \
	-chardev "socket,id=c0,path=$weir_tmp/socket" -netdev vhost-user,id=n0,chardev=c0 \
	-device virtio-net-pci,netdev=n0,mac=52:54:00:00:00:00,vectors=0 || exit 1

put="printf 'PUT /up HTTP/1.1\r\nHost: weir\r\nContent-Length: $((nic_mib << 20))\r\nConnection: close\r\n\r\n'"
check "the guest's interface" guest "ip link set eth0 up && ip address add 10.81.0.1/24 dev eth0 && \
	ip address add fd81::1/64 dev eth0 && sleep 2"
for host in 10.81.0.2 fd81::2; do
	check "ping $host" guest "ping -c 3 $host"
done
for host in 10.81.0.2 "[fd81::2]"; do
	check "$nic_mib MiB from $host, checksum equal" \
		[ "$(guest "wget -q -O - http://$host/file | sha256sum")" = "$nic_sum" ]
done
for host in 10.81.0.2 fd81::2; do
	check "$nic_mib MiB to $host" guest "($put; cat /file) | nc $host 80 | head -n 1 | grep '20[14]'"
	check "checksum equal" [ "$(sha256sum <"$weir_tmp/root/up")" = "$nic_sum" ]
	rm -f "$weir_tmp/root/up"
done
guest_end
check "the program outlives the machine" kill -0 "$weir_pid"
test_stop
test_end
