/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where received packets end: WEIR_FATE(name, unit, help). Every frame a worker takes from a port
 * ends in exactly one of these (or is held for a while: reassembly, hand-over): received frames =
 * sum of all fates + held. Names that start with drop_ are losses; the others are uses.
 * No include guard: included several times with WEIR_FATE defined.
 */

/* Uses */
WEIR_FATE(arp_taken, "pkts", "ARP packet processed")
WEIR_FATE(icmp_taken, "pkts", "ICMP or ICMPv6 message processed")
WEIR_FATE(nd_taken, "pkts", "neighbour discovery message processed")
WEIR_FATE(igmp_taken, "pkts", "IGMP or MLD message processed")
WEIR_FATE(udp_taken, "pkts", "datagram given to a socket")
WEIR_FATE(raw_taken, "pkts", "packet given to a raw socket")
WEIR_FATE(tcp_taken, "pkts", "segment used by a connection or listener")
WEIR_FATE(tcp_merged, "pkts", "segment joined to the one before it")
WEIR_FATE(frag_merged, "pkts", "fragment merged into another packet's buffer")
WEIR_FATE(handed_over, "pkts", "packet passed to the worker that owns its flow")

/* Link */
WEIR_FATE(drop_eth_short, "pkts", "frame shorter than its Ethernet header")
WEIR_FATE(drop_eth_dst, "pkts", "frame to another station")
WEIR_FATE(drop_eth_type, "pkts", "unknown EtherType")
WEIR_FATE(drop_port_off, "pkts", "frame received by a port that was switched off")
WEIR_FATE(drop_vlan, "pkts", "frame of another VLAN")
WEIR_FATE(drop_arp_bad, "pkts", "malformed or spoofed ARP packet")

/* IP */
WEIR_FATE(drop_ip_short, "pkts", "truncated IP header or packet shorter than its length field")
WEIR_FATE(drop_ip_version, "pkts", "wrong IP version for its EtherType")
WEIR_FATE(drop_ip_header_len, "pkts", "bad IP header length")
WEIR_FATE(drop_ip_cksum, "pkts", "wrong IPv4 header checksum")
WEIR_FATE(drop_ip_options, "pkts", "malformed or refused IP options or extension headers")
WEIR_FATE(drop_ip_martian_src, "pkts", "impossible source address (multicast, broadcast, loopback)")
WEIR_FATE(drop_ip_martian_dst, "pkts", "impossible destination address (loopback, unspecified)")
WEIR_FATE(drop_ip_not_ours, "pkts", "destination is not an address of this stack")
WEIR_FATE(drop_ip_ttl, "pkts", "hop limit not allowed here")
WEIR_FATE(drop_ip_proto, "pkts", "no handler for the protocol; ICMP error sent where allowed")
WEIR_FATE(drop_frag_bad, "pkts", "malformed or overlapping fragment")
WEIR_FATE(drop_frag_timeout, "pkts", "fragment whose packet did not become complete in time")
WEIR_FATE(drop_frag_limit, "pkts", "fragment beyond the reassembly limits")
WEIR_FATE(drop_icmp_short, "pkts", "truncated ICMP message")
WEIR_FATE(drop_icmp_cksum, "pkts", "wrong ICMP checksum")
WEIR_FATE(drop_icmp_type, "pkts", "ICMP type or code not handled")
WEIR_FATE(drop_icmp_no_flow, "pkts", "ICMP error about a flow that is not ours")
WEIR_FATE(drop_icmp_rate, "pkts", "echo request beyond the rate limit")
WEIR_FATE(drop_igmp_bad, "pkts", "malformed IGMP or MLD message")
WEIR_FATE(drop_nd_bad, "pkts", "neighbour discovery message that fails RFC 4861 checks")

/* UDP */
WEIR_FATE(drop_udp_short, "pkts", "truncated UDP header or bad length")
WEIR_FATE(drop_udp_cksum, "pkts", "wrong UDP checksum, or none over IPv6")
WEIR_FATE(drop_udp_no_port, "pkts", "no socket on the port; ICMP error sent where allowed")
WEIR_FATE(drop_udp_full, "pkts", "socket receive buffer full")
WEIR_FATE(drop_lent, "pkts", "datagram for an application that holds too many mbufs")

/* TCP */
WEIR_FATE(drop_tcp_short, "pkts", "truncated TCP header or bad data offset")
WEIR_FATE(drop_tcp_cksum, "pkts", "wrong TCP checksum")
WEIR_FATE(drop_tcp_flags, "pkts", "impossible address or flag combination")
WEIR_FATE(drop_tcp_no_conn, "pkts", "no connection or listener; RST sent where allowed")
WEIR_FATE(drop_tcp_seq, "pkts", "segment outside the receive window")
WEIR_FATE(drop_tcp_paws, "pkts", "old timestamp (RFC 7323 PAWS)")
WEIR_FATE(drop_tcp_ack, "pkts", "unacceptable acknowledgment")
WEIR_FATE(drop_tcp_no_ack, "pkts", "no ACK flag in a synchronized state")
WEIR_FATE(drop_tcp_duplicate, "pkts", "all data received before")
WEIR_FATE(drop_tcp_closed, "pkts", "data for a socket that no longer reads")
WEIR_FATE(drop_tcp_md5_missing, "pkts", "no signature, although there is a key for the peer")
WEIR_FATE(drop_tcp_md5_unexpected, "pkts", "signed, but there is no key for the peer")
WEIR_FATE(drop_tcp_md5_wrong, "pkts", "wrong TCP MD5 signature")
WEIR_FATE(drop_tcp_ao_missing, "pkts", "no TCP-AO option, although there is a key for the peer")
WEIR_FATE(drop_tcp_ao_unexpected, "pkts", "TCP-AO option, but there is no key for the peer")
WEIR_FATE(drop_tcp_ao_no_key, "pkts", "TCP-AO option names no key of the peer")
WEIR_FATE(drop_tcp_ao_wrong, "pkts", "wrong TCP-AO signature")
WEIR_FATE(drop_tcp_rcvbuf, "pkts", "receive or out-of-order limits reached")
WEIR_FATE(drop_tcp_backlog, "pkts", "listener's queue full")

/* Machine */
WEIR_FATE(drop_no_mbuf, "pkts", "no mbuf to go on with")
WEIR_FATE(drop_no_memory, "pkts", "connection, neighbour or reassembly pool exhausted")
WEIR_FATE(drop_handover_full, "pkts", "ring to the owning worker full")
WEIR_FATE(drop_sock_gone, "pkts", "socket closed while the packet was on its way")
