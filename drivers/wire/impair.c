/* SPDX-License-Identifier: BSD-3-Clause */
#include "weir_impair.h"

#include <errno.h>
#include <string.h>

#include <rte_common.h>
#include <rte_malloc.h>

#include "cable_priv.h"
#include "weir_rand.h"

#define PKTS_DEFAULT	   16384
#define QUEUE_DEFAULT	   262144
#define REORDER_US_DEFAULT 1000
#define STRAYS_MAX	   64 /* frames held back for reordering at one time */
#define NS_PER_US	   1000
#define NS_PER_S	   1000000000

struct transit {
	uint64_t due_ns;
	uint64_t order; /* among equals: order of filing */
	uint64_t seq;	/* order of pushing */
	struct rte_mbuf *m;
};

/* A frame held back until others are ahead of it. */
struct stray {
	struct transit t;
	uint64_t until_ns; /* not longer */
	uint32_t to_pass;  /* later frames it still lets pass */
};

struct weir_line {
	struct weir_impair impair;
	struct weir_rand rand;
	bool is_bad;	     /* Gilbert-Elliott state */
	uint64_t busy_ns;    /* the rate limiter has sent everything by then, */
	uint64_t busy_frac;  /* and so many 1/rate_bps ns more */
	uint64_t seq;	     /* frames pushed */
	uint64_t order;	     /* frames filed */
	uint64_t seq_pulled; /* latest seq that came out */
	struct weir_line_stats stats;
	unsigned int n_strays;
	struct stray strays[STRAYS_MAX];
	uint32_t capacity; /* frames in heap and strays together */
	uint32_t n;
	struct transit heap[]; /* earliest first; n of them */
};

static uint32_t
or_default(uint32_t value, uint32_t otherwise)
{
	return value != 0 ? value : otherwise;
}

/* Certainty and impossibility roll no dice. */
static bool
chance(struct weir_line *l, uint32_t ppm)
{
	return ppm != 0 && (ppm >= WEIR_PPM || weir_rand_below(&l->rand, WEIR_PPM) < ppm);
}

/* Heap of transits. */

static bool
is_before(const struct transit *a, const struct transit *b)
{
	return a->due_ns != b->due_ns ? a->due_ns < b->due_ns : a->order < b->order;
}

static void
heap_add(struct weir_line *l, struct transit t)
{
	uint32_t i = l->n++;

	t.order = l->order++;
	for (; i > 0 && is_before(&t, &l->heap[(i - 1) / 2]); i = (i - 1) / 2)
		l->heap[i] = l->heap[(i - 1) / 2];
	l->heap[i] = t;
}

static struct transit
heap_pop(struct weir_line *l)
{
	const struct transit first = l->heap[0];
	const struct transit last = l->heap[--l->n];
	uint32_t i = 0;
	uint32_t child;

	while ((child = 2 * i + 1) < l->n) {
		if (child + 1 < l->n && is_before(&l->heap[child + 1], &l->heap[child]))
			child++;
		if (!is_before(&l->heap[child], &last))
			break;
		l->heap[i] = l->heap[child];
		i = child;
	}
	l->heap[i] = last;
	return first;
}

/* Reordering. */

static void
stray_release(struct weir_line *l, unsigned int i, uint64_t due_ns)
{
	struct transit t = l->strays[i].t;

	t.due_ns = RTE_MAX(t.due_ns, due_ns);
	heap_add(l, t);
	l->n_strays--;
	memmove(&l->strays[i], &l->strays[i + 1], (l->n_strays - i) * sizeof(l->strays[0]));
}

/* A frame due at due_ns has passed the strays. */
static void
strays_passed(struct weir_line *l, uint64_t due_ns)
{
	for (unsigned int i = 0; i < l->n_strays;) {
		if (--l->strays[i].to_pass == 0)
			stray_release(l, i, due_ns);
		else
			i++;
	}
}

static void
strays_overdue(struct weir_line *l, uint64_t now_ns)
{
	for (unsigned int i = 0; i < l->n_strays;) {
		if (l->strays[i].until_ns <= now_ns)
			stray_release(l, i, l->strays[i].until_ns);
		else
			i++;
	}
}

static void
stray_add(struct weir_line *l, const struct transit *t)
{
	const uint64_t us = or_default(l->impair.reorder_us, REORDER_US_DEFAULT);

	l->strays[l->n_strays++] = (struct stray){
		.t = *t,
		.until_ns = t->due_ns + us * NS_PER_US,
		.to_pass = or_default(l->impair.reorder_pkts, 1),
	};
}

/* The steps of a push. */

/* Is this frame lost? Gilbert-Elliott: the state moves first, then decides. */
static bool
is_lost(struct weir_line *l)
{
	const struct weir_impair *im = &l->impair;

	if (l->is_bad ? chance(l, im->burst_leave_ppm) : chance(l, im->burst_enter_ppm))
		l->is_bad = !l->is_bad;
	return chance(l, l->is_bad ? im->burst_loss_ppm : im->loss_ppm);
}

static void
flip_bits(struct weir_line *l, struct rte_mbuf *m)
{
	uint32_t bits = or_default(l->impair.corrupt_bits, 1);
	uint32_t bit = weir_rand_below(&l->rand, m->pkt_len * 8);

	bits = RTE_MIN(bits, m->pkt_len * 8 - bit);
	for (; bits > 0; bits--, bit++) {
		uint32_t off = bit / 8;
		struct rte_mbuf *seg = m;

		for (; off >= seg->data_len; seg = seg->next)
			off -= seg->data_len;
		*rte_pktmbuf_mtod_offset(seg, uint8_t *, off) ^= (uint8_t)(1u << bit % 8);
	}
}

/* @return the damaged copy in place of m; m itself when there is no mbuf for one */
static struct rte_mbuf *
corrupt(struct weir_line *l, struct rte_mbuf *m)
{
	struct rte_mbuf *copy = cable_copy(m);

	if (copy == NULL || m->pkt_len == 0) {
		rte_pktmbuf_free(copy);
		l->stats.copy_failed++;
		return m;
	}
	rte_pktmbuf_free(m);
	cable_finish_owned(copy);
	flip_bits(l, copy);
	l->stats.corrupted++;
	return copy;
}

/* Bytes that the rate limiter has still to send at now_ns. */
static uint64_t
backlog_bytes(const struct weir_line *l, uint64_t now_ns)
{
	const uint64_t ns = l->busy_ns > now_ns ? l->busy_ns - now_ns : 0;

	return (uint64_t)((unsigned __int128)ns * l->impair.rate_bps / (8ull * NS_PER_S));
}

/* Through the rate limiter. @return false when its queue is full; else *out_ns when it is sent */
static bool
serialize(struct weir_line *l, uint32_t bytes, uint64_t now_ns, uint64_t *out_ns)
{
	const uint64_t rate = l->impair.rate_bps;
	uint64_t work;

	*out_ns = now_ns;
	if (rate == 0)
		return true;
	if (l->busy_ns <= now_ns) {
		l->busy_ns = now_ns;
		l->busy_frac = 0;
	} else if (backlog_bytes(l, now_ns) + bytes >
		   or_default(l->impair.queue_bytes, QUEUE_DEFAULT)) {
		return false;
	}
	work = (uint64_t)bytes * 8 * NS_PER_S + l->busy_frac;
	l->busy_ns += work / rate;
	l->busy_frac = work % rate;
	*out_ns = l->busy_ns;
	return true;
}

static uint64_t
delay_ns(struct weir_line *l)
{
	const uint64_t jitter = l->impair.jitter_us;
	uint64_t us = l->impair.delay_us;

	if (jitter != 0) {
		us += weir_rand_u64(&l->rand) % (2 * jitter + 1);
		us -= RTE_MIN(us, jitter);
	}
	return us * NS_PER_US;
}

/* File one frame; it may still be dropped for want of room. */
static void
admit(struct weir_line *l, struct rte_mbuf *m, uint64_t seq, uint64_t now_ns)
{
	struct transit t = {.seq = seq, .m = m};

	if (l->n + l->n_strays >= l->capacity || !serialize(l, m->pkt_len, now_ns, &t.due_ns)) {
		l->stats.dropped_full++;
		rte_pktmbuf_free(m);
		return;
	}
	t.due_ns += delay_ns(l);
	if (l->n_strays < STRAYS_MAX && chance(l, l->impair.reorder_ppm)) {
		stray_add(l, &t);
		return;
	}
	heap_add(l, t);
	strays_passed(l, t.due_ns);
}

void
weir_line_push(struct weir_line *l, struct rte_mbuf *m, uint64_t now_us)
{
	const uint64_t now_ns = now_us * NS_PER_US;
	const uint64_t seq = ++l->seq;
	struct rte_mbuf *twin = NULL;

	l->stats.pushed++;
	if (is_lost(l)) {
		l->stats.lost++;
		rte_pktmbuf_free(m);
		return;
	}
	if (chance(l, l->impair.corrupt_ppm))
		m = corrupt(l, m);
	if (chance(l, l->impair.dup_ppm)) {
		twin = rte_pktmbuf_clone(m, m->pool);
		if (twin != NULL)
			l->stats.duplicated++;
		else
			l->stats.copy_failed++;
	}
	admit(l, m, seq, now_ns);
	if (twin != NULL)
		admit(l, twin, seq, now_ns);
}

unsigned int
weir_line_pull(struct weir_line *l, uint64_t now_us, struct rte_mbuf **m, unsigned int n)
{
	const uint64_t now_ns = now_us * NS_PER_US;
	unsigned int i;

	strays_overdue(l, now_ns);
	for (i = 0; i < n && l->n > 0 && l->heap[0].due_ns <= now_ns; i++) {
		const struct transit t = heap_pop(l);

		if (t.seq < l->seq_pulled)
			l->stats.reordered++;
		else
			l->seq_pulled = t.seq;
		m[i] = t.m;
	}
	l->stats.pulled += i;
	return i;
}

uint64_t
weir_line_next_us(const struct weir_line *l)
{
	uint64_t ns = l->n > 0 ? l->heap[0].due_ns : UINT64_MAX;

	for (unsigned int i = 0; i < l->n_strays; i++)
		ns = RTE_MIN(ns, l->strays[i].until_ns);
	return ns == UINT64_MAX ? ns : (ns + NS_PER_US - 1) / NS_PER_US;
}

void
weir_line_stats(const struct weir_line *l, struct weir_line_stats *stats)
{
	*stats = l->stats;
	stats->held = l->n + l->n_strays;
}

void
weir_line_set(struct weir_line *l, const struct weir_impair *impair)
{
	l->impair = *impair;
	l->is_bad = false;
	l->busy_frac = 0; /* its unit is the old rate's */
}

int
weir_line_new(const struct weir_impair *impair, uint64_t seed, uint32_t pkts, int numa_node,
	struct weir_line **line)
{
	const uint32_t capacity = or_default(pkts, PKTS_DEFAULT);
	struct weir_line *l = rte_zmalloc_socket("weir_line",
		sizeof(*l) + capacity * sizeof(l->heap[0]), RTE_CACHE_LINE_SIZE, numa_node);

	if (l == NULL)
		return -ENOMEM;
	l->impair = *impair;
	l->capacity = capacity;
	weir_rand_seed(&l->rand, seed);
	*line = l;
	return 0;
}

void
weir_line_free(struct weir_line *l)
{
	if (l == NULL)
		return;
	for (uint32_t i = 0; i < l->n; i++)
		rte_pktmbuf_free(l->heap[i].m);
	for (unsigned int i = 0; i < l->n_strays; i++)
		rte_pktmbuf_free(l->strays[i].t.m);
	rte_free(l);
}

bool
weir_impair_is_clean(const struct weir_impair *im)
{
	return im->loss_ppm == 0 && im->burst_enter_ppm == 0 && im->dup_ppm == 0 &&
	       im->corrupt_ppm == 0 && im->reorder_ppm == 0 && im->delay_us == 0 &&
	       im->jitter_us == 0 && im->rate_bps == 0;
}
