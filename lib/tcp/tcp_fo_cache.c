/* SPDX-License-Identifier: BSD-3-Clause */
/* Path: tcp_fo_client -> tcp_fo_cache. Cookies of peers (RFC 7413 4.1.3.1). */
#include "tcp_priv.h"

#include "weir_mem.h"
#include "weir_shared.h"

struct weir_tcp_fo_cache *
weir_tcp_fo_cache_new(int numa_node)
{
	return weir_mem_alloc("tcp_fo_cache", sizeof(struct weir_tcp_fo_cache), numa_node);
}

void
weir_tcp_fo_cache_free(struct weir_tcp_fo_cache *cache)
{
	weir_mem_free(cache);
}

static unsigned int
slot_of(const uint64_t secret[2], const struct weir_addr *laddr, const struct weir_addr *raddr)
{
	const struct weir_addr key[2] = {*laddr, *raddr};

	return (unsigned int)(weir_siphash(secret, key, sizeof(key)) % WEIR_TCP_FO_PEERS);
}

bool
weir_tcp_fo_cache_get(const struct weir_tcp_fo_cache *cache, const uint64_t secret[2],
	const struct weir_flow *flow, struct weir_tcp_fo_peer *peer)
{
	const struct weir_tcp_fo_slot *s =
		&cache->slots[slot_of(secret, &flow->laddr, &flow->raddr)];
	const uint32_t version = __atomic_load_n(&s->version, __ATOMIC_ACQUIRE);

	weir_shared_copy(peer, &s->peer, sizeof(*peer));
	if ((version & 1) == 0 && __atomic_load_n(&s->version, __ATOMIC_RELAXED) == version &&
		weir_addr_eq(&peer->laddr, &flow->laddr) &&
		weir_addr_eq(&peer->raddr, &flow->raddr))
		return true;
	*peer = (struct weir_tcp_fo_peer){.laddr = flow->laddr, .raddr = flow->raddr};
	return false;
}

/* Of two who write at once, one does not. */
void
weir_tcp_fo_cache_set(struct weir_tcp_fo_cache *cache, const uint64_t secret[2],
	const struct weir_tcp_fo_peer *peer)
{
	struct weir_tcp_fo_slot *s = &cache->slots[slot_of(secret, &peer->laddr, &peer->raddr)];
	uint32_t version = __atomic_load_n(&s->version, __ATOMIC_RELAXED);

	if ((version & 1) != 0 || !__atomic_compare_exchange_n(&s->version, &version, version + 1,
					  false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
		return;
	for (size_t i = 0; i < sizeof(*peer) / sizeof(weir_word); i++)
		__atomic_store_n(
			(weir_word *)&s->peer + i, ((const weir_word *)peer)[i], __ATOMIC_RELEASE);
	__atomic_store_n(&s->version, version + 2, __ATOMIC_RELEASE);
}
