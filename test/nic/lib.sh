# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
#
# Guests with emulated NICs, for scenes. To be sourced, with weir_build and weir_source set; sources
# test/func/lib.sh, whose weir_clean_up() the test's trap calls after guest_kill().

# shellcheck source=test/func/lib.sh
. "$weir_source/test/func/lib.sh"

nic_image=$weir_build/nic # vmlinuz and base.cpio, by ./image
nic_dir=                  # of the running guest: its console, sockets, files
nic_in= nic_out=          # descriptors: what the guest says, what it is told
qemu_pid= ctl_pid=

# ---- a guest ----

# tap NAME IPV4 IPV6 [OPTION...]: the host's end of a NIC: a tap in the namespace with addresses
tap() {
	in_ns ip tuntap add dev "$1" mode tap vnet_hdr "${@:4}" &&
		in_ns ip link set "$1" up &&
		in_ns ip address add "$2/24" dev "$1" &&
		in_ns ip address add "$3/64" dev "$1" nodad
}

# guest_file NAME: standard input becomes /NAME in the next guest
guest_file() {
	mkdir -p "$weir_tmp/files"
	cat >"$weir_tmp/files/$1"
}

# guest_boot CPUS KERNEL-ARG... -- QEMU-ARG...: and wait until it takes commands. Once in many times an emulated
# machine does not come up: then again.
guest_boot() {
	guest_boot_once "$@" && return
	guest_end
	guest_boot_once "$@"
}

guest_boot_once() {
	local cpus=$1 append="console=ttyS0,115200 loglevel=4 panic=-1 no_timer_check"

	shift
	while [ "$1" != -- ]; do
		append+=" $1"
		shift
	done
	shift
	nic_dir=$(mktemp -d "$weir_tmp/guest.XXXX")
	mkdir -p "$weir_tmp/files"
	cp "$weir_source/test/nic/functions" "$weir_tmp/files/"
	{
		cat "$nic_image/base.cpio"
		(cd "$weir_tmp/files" && find . -type f | cpio --quiet -o -H newc)
	} >"$nic_dir/initrd"
	ip netns exec "$weir_ns" qemu-system-x86_64 -accel tcg,thread=multi -cpu Nehalem \
		-smp "$cpus" -m 768 -nodefaults -display none -no-reboot \
		-chardev "file,id=console,path=$nic_dir/console" -serial chardev:console \
		-chardev "socket,id=ctl,path=$nic_dir/ctl,server=on,wait=on" -serial chardev:ctl \
		-chardev "socket,id=mon,path=$nic_dir/mon,server=on,wait=off" -mon chardev=mon \
		-kernel "$nic_image/vmlinuz" -initrd "$nic_dir/initrd" -append "$append" \
		"$@" >"$nic_dir/qemu" 2>&1 &
	qemu_pid=$! # ip becomes QEMU
	wait_for 20 [ -S "$nic_dir/ctl" ] || { cat "$nic_dir/qemu"; return 1; }
	coproc CTL { exec socat - "UNIX-CONNECT:$nic_dir/ctl"; }
	ctl_pid=$CTL_PID
	exec {nic_in}<&"${CTL[0]}" {nic_out}>&"${CTL[1]}" # a coprocess's own are not for subshells
	guest_answer 120 || { echo "the guest does not come up:"; tail -n 20 "$nic_dir/console"; return 1; }
}

# guest_answer SECONDS: what the guest says to the end of a command, and the command's status
guest_answer() {
	local line

	while IFS= read -r -t "$1" -u "$nic_in" line; do
		case $line in
		"=== "*) return "${line#=== }" ;;
		esac
		echo "$line"
	done
	echo "the guest does not answer; its console:"
	tail -n 5 "$nic_dir/console"
	return 255
}

# guest COMMAND: one line of shell there; its output and status
guest() {
	echo "$*" >&"$nic_out" && guest_answer 60
}

# says STATUS PATTERN COMMAND: the guest's command ends so and says so
says() {
	local out status

	out=$(guest "$3")
	status=$?
	echo "$status: $out"
	[ $status -eq "$1" ] && grep -Eq "$2" <<<"$out"
}

# stat_says PATTERN [MODE]: weir-stat there shows a line that matches
stat_says() {
	guest "weir-stat ${2:-summary}" | grep -E "$1"
}

# port_count COLUMN: of weir-stat ports, by its place from the right: rx-pkts 7, rx-bytes 6, tx-pkts 5, tx-bytes 4,
# rx-missed 3, rx-no-mbuf 1
port_count() {
	guest "weir-stat ports" | awk -v n="$1" '$1 == "nic0" { print $(NF - n) }'
}

# counter NAME: of weir-stat counters; nothing if it is 0
counter() {
	guest "weir-stat counters" | sed -n "s/^$1 *\([0-9]*\).*/\1/p"
}

# mean_frame tx|rx: bytes; above the MTU where the NIC cuts segments, or joins them
mean_frame() {
	local pkts=7

	[ "$1" = rx ] || pkts=5
	echo $(($(port_count $((pkts - 1))) / $(port_count $pkts)))
}

# monitor COMMAND: tell QEMU
monitor() {
	echo "$*" | socat -t 1 - "UNIX-CONNECT:$nic_dir/mon" >/dev/null
}

# guest_end: it switches itself off
guest_end() {
	[ -n "$qemu_pid" ] || return 0
	kill "$ctl_pid" 2>/dev/null
	exec {nic_in}<&- {nic_out}>&-
	monitor quit
	wait_for 10 is_gone "$qemu_pid" || kill -KILL "$qemu_pid"
	wait "$qemu_pid" "$ctl_pid" 2>/dev/null
	qemu_pid= ctl_pid=
}

guest_kill() {
	[ -z "$ctl_pid" ] || kill "$ctl_pid" 2>/dev/null
	[ -z "$qemu_pid" ] || kill -KILL "$qemu_pid" 2>/dev/null
}

# ---- checks that every NIC passes ----

nic_mib=8

# nic_conf NAME PCI IPV4 IPV6: the configuration of one NIC; further lines of [port] and of other sections
# from standard input
nic_conf() {
	{
		cat <<-EOT
			[stack]
			name = nic
			[eal]
			pci = $2
			hugepages = yes
			memory = 128
			[pools]
			mbufs = 8192
			sockets = 1024
			connections = 1024
			[port nic0]
			device = $2
			address = $3/24, $4/64
			dad = no
			accept_ra = no
		EOT
		cat
	} | guest_file "$1.conf"
}

down_is_equal() { # HOST
	[ "$(in_ns curl -sf -m 60 "http://$1/file" | sha256sum)" = "$nic_sum" ]
}

up_is_equal() { # HOST
	in_ns curl -sf -m 60 -T "$weir_tmp/file" "http://$1/up" &&
		[ "$(guest "sha256sum </srv/up; rm /srv/up")" = "$nic_sum" ]
}

# file_make: what goes each way
file_make() {
	head -c "${nic_mib}M" /dev/urandom >"$weir_tmp/file"
	nic_sum=$(sha256sum <"$weir_tmp/file")
}

# nic_http NAME IPV4 IPV6: weir-httpd runs there
nic_http() {
	local host

	check "$1: the guest has the file" in_ns curl -sf -m 60 -T "$weir_tmp/file" "http://$2/file"
	for host in "$2" "$3"; do
		check "$1: ping $host" in_ns ping -q -c 3 -i 0.2 -W 5 "$host"
		check "$1: ping of 1400 bytes $host" in_ns ping -q -c 2 -i 0.2 -W 5 -s 1400 "$host"
	done
	for host in "$2" "[$3]"; do
		check "$1: $nic_mib MiB from $host, checksum equal" down_is_equal "$host"
		check "$1: $nic_mib MiB to $host, checksum equal" up_is_equal "$host"
	done
	guest "rm -f /srv/file" >/dev/null
}

# nic_udp NAME IPV4 IPV6: weir-echo runs there
nic_udp() {
	local host

	for host in "$2" "$3"; do
		check "$1: UDP echo $host" in_ns python3 "$weir_source/test/func/echo_client.py" "$host" udp
	done
}

# nic_sums NAME: a program runs there
nic_sums() {
	local sums

	for sums in rx_l4_cksum tx_tcp_cksum tx_udp_cksum; do
		check "$1: $sums is the NIC's" stat_says "^ *offloads: .*$sums" ports
	done
}

# nic_try NAME CONF IPV4 IPV6: both programs, one after the other
nic_try() {
	check "$1: weir-check" guest "weir-check /$2.conf"
	check "$1: weir-httpd starts" guest "start /tmp/$2.log weir-httpd /$2.conf --root /srv"
	nic_sums "$1"
	nic_http "$1" "$3" "$4"
	check "$1: ends well" guest "stop /tmp/$2.log"
	check "$1: weir-echo starts" guest "start /tmp/$2.log weir-echo /$2.conf"
	nic_udp "$1" "$3" "$4"
	check "$1: ends well" guest "stop /tmp/$2.log"
}

is_refused() {
	! "$@"
}

# begin NAME [PROGRAM ARG...]: with the configuration of that name; weir-httpd without
begin() {
	local program=(weir-httpd --root /srv)

	[ $# -eq 1 ] || program=("${@:2}")
	check "$1: starts" guest "start /tmp/$1.log ${program[0]} /$1.conf ${program[*]:1}"
}

end() { # NAME
	check "$1: ends well" guest "stop /tmp/$1.log"
}

is_told() { # I
	guest "cat /tmp/$1.log" | grep 'port nic0: .*remove'
}

is_away() {
	guest "[ ! -e /sys/bus/pci/devices/0000:01:00.0 ]"
}

# nic_removal NAME I: the device nicI, on a port of its own, is taken away while a program runs on it
nic_removal() {
	check "$1: starts once more" guest "start /tmp/$2.log weir-httpd /$2.conf"
	check "$1: answers" in_ns ping -q -c 1 -w 10 "10.77.$2.2"
	monitor "device_del nic$2"
	check "$1: its removal is told" wait_for 20 is_told "$2"
	check "$1: the program goes on" stat_says "^nic0 .* down "
	check "$1: and ends well" guest "stop /tmp/$2.log"
	check "$1: then the device is gone" wait_for 20 is_away
}

nic_begin() {
	local status

	if ! command -v qemu-system-x86_64 >/dev/null; then
		echo "skipped: no QEMU"
		exit 77
	fi
	mkdir -p "$nic_image"
	flock "$nic_image.lock" "$weir_source/test/nic/image" "$weir_build" "$nic_image" # one scene at a time
	status=$?
	[ $status -eq 0 ] || exit $status
	test_begin
	trap 'guest_kill; weir_clean_up' EXIT
	file_make
}
