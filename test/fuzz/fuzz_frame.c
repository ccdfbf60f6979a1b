/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whole frames into a stack with services, and with a connection of its own once the input has made
 * one. An input is a list of: how to mend the frame, its length, its bytes.
 */
#include "fuzz.h"
#include "weir_cksum.h"

#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_tcp.h>

#define FRAME_MAX 1600
#define FRAMES	  64

enum mend { MEND_LINK = 1, MEND_IP = 2, MEND_L4 = 4, MEND_SEQ = 8, MEND_WAIT = 16 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* To us, and of the type that the version nibble says. */
static void
mend_link(struct fuzz *f, uint8_t *frame)
{
	const bool is_v6 = frame[14] >> 4 == 6;

	memcpy(frame, &weir_cable_port(f->cable, 0)->info.mac, 6);
	memcpy(frame + 6, fuzz_peer_mac, 6);
	frame[12] = is_v6 ? 0x86 : 0x08;
	frame[13] = is_v6 ? 0xdd : 0x00;
}

static void
mend_ip4(uint8_t *ip, size_t len)
{
	struct rte_ipv4_hdr *h = (struct rte_ipv4_hdr *)ip;

	h->version_ihl = 0x45;
	h->total_length = rte_cpu_to_be_16((uint16_t)len);
	memcpy(&h->src_addr, (uint8_t[]){10, 0, 0, 2}, 4);
	memcpy(&h->dst_addr, (uint8_t[]){10, 0, 0, 1}, 4);
	h->hdr_checksum = 0;
	h->hdr_checksum = rte_ipv4_cksum(h);
}

static void
mend_ip6(uint8_t *ip, size_t len)
{
	struct rte_ipv6_hdr *h = (struct rte_ipv6_hdr *)ip;

	h->payload_len = rte_cpu_to_be_16((uint16_t)(len - sizeof(*h)));
	memset(h->src_addr, 0, 32);
	h->src_addr[0] = h->dst_addr[0] = 0xfd;
	h->src_addr[15] = 2;
	h->dst_addr[15] = 1;
}

/* Numbers of a connection that is there, near enough to matter. */
static void
mend_seq(struct fuzz *f, uint8_t *tcp)
{
	const struct weir_tcp_conn *c = fuzz_conn(f, tcp[0]);
	struct rte_tcp_hdr *h = (struct rte_tcp_hdr *)tcp;

	if (c == NULL)
		return;
	h->sent_seq = rte_cpu_to_be_32(c->rcv.nxt + (int8_t)tcp[4]);
	h->recv_ack = rte_cpu_to_be_32(c->snd.nxt + (int8_t)tcp[8]);
	memcpy(&h->src_port, &c->flow.rport, 2);
	memcpy(&h->dst_port, &c->flow.lport, 2);
}

static void
mend_l4(uint8_t *ip, size_t len)
{
	const bool is_v6 = ip[0] >> 4 == 6;
	const size_t hlen = is_v6 ? 40 : 20;
	const uint8_t proto = is_v6 ? ip[6] : ip[9];
	const size_t at = proto == IPPROTO_TCP ? 16 : proto == IPPROTO_UDP ? 6 : 2;
	uint16_t *sum = (uint16_t *)(ip + hlen + at);

	if (len < hlen + at + 2)
		return;
	*sum = 0;
	if (proto == IPPROTO_ICMP && !is_v6)
		*sum = (uint16_t)~rte_raw_cksum(ip + hlen, len - hlen);
	else if (is_v6)
		*sum = rte_ipv6_udptcp_cksum((struct rte_ipv6_hdr *)ip, ip + hlen);
	else
		*sum = rte_ipv4_udptcp_cksum((struct rte_ipv4_hdr *)ip, ip + hlen);
}

static void
mend(struct fuzz *f, uint8_t how, uint8_t *frame, size_t len)
{
	uint8_t *ip = frame + 14;
	const size_t ip_len = len - 14;
	const bool is_v6 = ip[0] >> 4 == 6;
	const size_t hlen = is_v6 ? 40 : 20;

	mend_link(f, frame);
	if (ip_len < hlen)
		return;
	if (how & MEND_IP) {
		if (is_v6)
			mend_ip6(ip, ip_len);
		else
			mend_ip4(ip, ip_len);
	}
	if (how & MEND_SEQ && ip_len >= hlen + 20 && (is_v6 ? ip[6] : ip[9]) == IPPROTO_TCP)
		mend_seq(f, ip + hlen);
	if (how & MEND_L4 && how & MEND_IP)
		mend_l4(ip, ip_len);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz *f = fuzz_begin();
	struct fuzz_in in = {data, size};
	uint8_t frame[FRAME_MAX];

	for (unsigned int i = 0; i < FRAMES && in.left > 0; i++) {
		const uint8_t how = fuzz_u8(&in);
		const size_t len = fuzz_bytes(&in, frame, fuzz_u16(&in) % FRAME_MAX);

		if (len == 0)
			continue;
		if (how & MEND_LINK && len > 15)
			mend(f, how, frame, len);
		fuzz_send(f, frame, len);
		if (how & MEND_WAIT)
			fuzz_pass(f, UINT64_C(1000) << (how >> 5));
	}
	fuzz_end(f);
	return 0;
}
