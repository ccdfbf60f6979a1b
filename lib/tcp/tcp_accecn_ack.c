/* SPDX-License-Identifier: BSD-3-Clause */
/* Path: tcp_ecn -> tcp_accecn_ack. What ACKs tell of marks: RFC 9768 3.2.2.5, 3.2.3, as Linux. */
#include "tcp_accecn.h"

#define SEEN_BYTES   ((1u << 23) - 1) /* by then the peer's option has come or never will */
#define SAFETY_SHIFT 1

/* Without the option: as before, or nothing. @return whether delivered[] is up to date */
static bool
guess_bytes(struct weir_tcp_conn *c, uint32_t bytes)
{
	struct weir_tcp_accecn *a = weir_tcp_accecn_of(c);

	if (a->seen == WEIR_TCP_ACCECN_NOT_SEEN) {
		if (c->act->bytes_sent >= SEEN_BYTES) { /* too late: counters may have wrapped */
			a->seen = WEIR_TCP_ACCECN_BROKEN;
			a->fail |= WEIR_TCP_ACCECN_OPT_RECEIVED;
		}
		return false;
	}
	if (a->guess == 0)
		return false;
	a->delivered[a->guess - 1] += bytes;
	return true;
}

/* @return by how much the counter has grown; an older option's: less than 0, as of 24 bits */
static int32_t
update_bytes(uint32_t *counter, uint32_t field, uint32_t value)
{
	const uint32_t was = (*counter + weir_tcp_accecn_first(field)) & WEIR_TCP_ACCECN_BYTES;
	const int32_t by = (int32_t)((value - was) << 8) >> 8;

	if (by > 0)
		*counter += (uint32_t)by;
	return by;
}

/* As guess_bytes(), by the option. What arrives is of one kind as long as one counter moves. */
static bool
take_option(struct weir_tcp_accecn *a, const struct weir_tcp_accecn_opt *o)
{
	const uint8_t guess = a->guess;
	bool is_first = true, is_clear = true, is_sure = guess != 0;

	for (unsigned int i = 0; i < o->n; i++) {
		const unsigned int field = weir_tcp_accecn_field(o->kind, i);
		const int32_t by = update_bytes(&a->delivered[field], field, o->value[i]);

		if (by == 0)
			continue;
		if (by < 0 || (field + 1 != guess && !is_first))
			is_clear = is_sure = false;
		else if (field + 1 != guess)
			a->guess = (field + 1) & 3;
		is_first = is_first && field + 1 == guess;
	}
	if (!is_clear)
		a->guess = 0;
	return is_sure;
}

/* Of packets, more than the field can count at once, how many were marked? 3.2.2.5.2 */
static uint32_t
choose(const struct weir_tcp_conn *c, uint32_t least, uint32_t packets, uint32_t bytes,
	uint32_t ce_bytes)
{
	const uint32_t most = packets - ((packets - least) & WEIR_TCP_ACE_MASK);
	const bool is_plain = c->has_sack || c->ca == WEIR_TCP_CA_OPEN || c->ca == WEIR_TCP_CA_CWR;

	if (ce_bytes == 0)
		return least;
	if (packets >= 2 * (WEIR_TCP_ACE_MASK + 1) && is_plain) {
		const uint64_t marked =
			((uint64_t)ce_bytes * packets + bytes - 1) / RTE_MAX(bytes, 1u);

		if (bytes <= ce_bytes)
			return most;
		return RTE_MIN(most, least + ((uint32_t)marked & ~WEIR_TCP_ACE_MASK));
	}
	if (ce_bytes > least * c->mss)
		return most;
	return ce_bytes < (most * c->mss) >> SAFETY_SHIFT ? least : most;
}

/* A segment that is new in any way: those that are old or doubtful tell nothing. */
static bool
is_progress(const struct weir_tcp_conn *c, const struct weir_tcp_news *news)
{
	const struct weir_tcp_seg *seg = news->seg;

	return (news->flags & (NEWS_ADVANCED | NEWS_SACKED)) ||
	       (c->has_ts && (seg->opts & WEIR_TCP_OPT_TS) &&
		       weir_seq_gt(seg->ts_val, c->ts_recent));
}

uint32_t
weir_tcp_accecn_news(
	struct weir_tcp_conn *c, const struct weir_tcp_rx *rx, const struct weir_tcp_news *news)
{
	struct weir_tcp_accecn *a = weir_tcp_accecn_of(c);
	const uint32_t packets = c->act->delivered_segs - news->prior_delivered;
	const uint32_t bytes = c->act->delivered - news->prior_delivered_bytes;
	const uint32_t ce_bytes = a->delivered[WEIR_IP_ECN_CE - 1];
	const struct weir_tcp_accecn_opt o = weir_tcp_accecn_read(rx);
	bool is_sure = false;
	uint32_t least;

	if (!is_progress(c, news))
		return 0;
	weir_tcp_accecn_see(a, &o);
	if (!(a->fail & WEIR_TCP_ACCECN_OPT_RECEIVED))
		is_sure = o.kind != 0 ? take_option(a, &o) : guess_bytes(c, bytes);
	if (a->fail & WEIR_TCP_ACCECN_ACE_RECEIVED)
		return 0;
	least = (weir_tcp_ace(rx) - WEIR_TCP_ACE_INIT - c->act->delivered_ce) & WEIR_TCP_ACE_MASK;
	if (packets <= WEIR_TCP_ACE_MASK)
		return least;
	if (!is_sure)
		return packets - ((packets - least) & WEIR_TCP_ACE_MASK);
	return choose(c, least, packets, bytes, a->delivered[WEIR_IP_ECN_CE - 1] - ce_bytes);
}
