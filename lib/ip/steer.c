/* SPDX-License-Identifier: BSD-3-Clause */
#include "weir_ip.h"

#include <rte_thash.h>

/*
 * The Toeplitz input as a port sees it: source, destination, source port, destination port of the
 * received packet, as 32-bit words in host order.
 */
static uint32_t
tuple_of(const struct weir_flow *f, uint32_t words[9])
{
	const bool is_v4 = weir_addr_is_v4(&f->laddr);
	uint32_t n = 0;

	for (unsigned int i = is_v4 ? 3 : 0; i < 4; i++)
		words[n++] = rte_be_to_cpu_32(f->raddr.w[i]);
	for (unsigned int i = is_v4 ? 3 : 0; i < 4; i++)
		words[n++] = rte_be_to_cpu_32(f->laddr.w[i]);
	words[n++] = (uint32_t)weir_host16(f->rport) << 16 | weir_host16(f->lport);
	return n;
}

uint16_t
weir_steer_worker(const struct weir_steer *s, const struct weir_flow *flow)
{
	uint32_t words[9];
	const uint32_t n = tuple_of(flow, words);

	return s->reta[rte_softrss(words, n, s->key) & (s->reta_size - 1u)];
}
