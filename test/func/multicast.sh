#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Groups, with the kernel as the other end: multicast.sh BUILD_DIR
set -u
weir_build=$1
weir_source=$(dirname "$0")/../..
# shellcheck source=test/func/lib.sh
. "$weir_source/test/func/lib.sh"

test_begin
weir_start "$weir_tmp/log" "$weir_build/app/multicast" "$weir_source/config/quickstart.conf" || exit 1
kernel_up || exit 1
ip -n "$weir_ns" route add 224.0.0.0/4 dev "$weir_iface"

client() {
	in_ns python3 "$weir_source/test/func/mcast_client.py" "$@"
}

# answered GROUP TEXT: the member shows TEXT and answers, however often it has to be sent
answered() {
	[ "$(client say "$1" "$weir_iface" "$2")" = heard ] && grep -qx "got $2" "$weir_tmp/log"
}

# What nobody has joined ends at the NIC or in a counter, not in a socket.
is_silent() {
	! client say "$1" "$weir_iface" nobody && ! grep -q nobody "$weir_tmp/log"
}

check "a group of IPv4, and its answer" wait_for 60 answered 239.1.2.3 four
check "a group of IPv6, and its answer" wait_for 60 answered ff15::123 six
check "in fragments, IPv4" wait_for 60 answered 239.1.2.3 "$(printf '%01490d' 7)"
check "in fragments, IPv6" wait_for 60 answered ff15::123 "$(printf '%01490d' 7)"
check "a query is answered" wait_for 60 client query "$weir_iface" 239.1.2.3
check "no other group of IPv4" is_silent 239.1.2.4
check "no other group of IPv6" is_silent ff15::124
weir_stop
test_end
