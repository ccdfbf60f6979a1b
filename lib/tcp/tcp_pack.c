/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Path: tcp_park -> tcp_pack. A connection in a sixth of its room, and back, without loss.
 * What has a value in spite of idleness is mostly near something else: sequence numbers near
 * snd.una, times near when the peer was heard, options as configured. So the difference is kept, of
 * each word as many bytes as it needs, of four words that are 0 one bit.
 */
#include <string.h>

#include "tcp_priv.h"

#define FIRST offsetof(struct weir_tcp_conn, state)
#define END   (offsetof(struct weir_tcp_conn, act) + offsetof(struct weir_tcp_act, queue))
#define WORDS ((END - FIRST) / sizeof(uint32_t))

#define GROUP	  4				 /* words with a byte of codes */
#define GROUP_MAX (1 + GROUP * sizeof(uint32_t)) /* bytes of one when packed */
#define GROUPS	  ((WORDS + GROUP - 1) / GROUP)
#define MAP	  ((GROUPS + 7) / 8)

static_assert(FIRST % sizeof(uint32_t) == 0 && END % sizeof(uint32_t) == 0, "whole words");

/* Kept of a word: */
enum { NOTHING, ONE_BYTE, TWO_BYTES, ALL };

static const uint8_t code_len[] = {[NOTHING] = 0, [ONE_BYTE] = 1, [TWO_BYTES] = 2, [ALL] = 4};

#define CONN(field) offsetof(struct weir_tcp_conn, field)
#define ACT(field)  (offsetof(struct weir_tcp_conn, act) + offsetof(struct weir_tcp_act, field))

/* uint32_t near snd.una. */
static const uint16_t near_una[] = {CONN(snd.nxt), CONN(snd.max), CONN(snd.end), CONN(iss),
	ACT(sml), ACT(usage_seq), ACT(rtt_seq), ACT(rack_end), ACT(high_seq)};

/* uint32_t near rcv.nxt. */
static const uint16_t near_nxt[] = {
	CONN(snd.wl1), CONN(rcv.adv), CONN(last_ack_sent), CONN(irs), ACT(space_seq)};

/* uint32_t near heard_us in milliseconds. */
static const uint16_t near_heard_ms[] = {CONN(confirm_ms), CONN(space_due_ms)};

/* uint64_t near heard_us. */
static const uint16_t near_heard[] = {CONN(sent_us), ACT(cwnd_us), ACT(first_us), ACT(delivered_us),
	ACT(min_rtt_at_us), ACT(rack_us), ACT(space_us), ACT(limit_since_us)};

enum way { FOLD, UNFOLD };

/* To the difference, small ones of either sign to small numbers; or back. */
static uint64_t
turn(uint64_t value, uint64_t base, enum way way)
{
	const uint64_t d = value - base;

	if (way == FOLD)
		return d << 1 ^ (uint64_t)((int64_t)d >> 63);
	return base + (value >> 1 ^ -(value & 1));
}

static void
near32(struct weir_tcp_conn *c, uint16_t field, uint32_t base, enum way way)
{
	uint32_t *word = RTE_PTR_ADD(c, field);
	const uint64_t d = (uint64_t)(int32_t)(*word - base);

	*word = way == FOLD ? (uint32_t)turn(d, 0, FOLD) : base + (uint32_t)turn(*word, 0, UNFOLD);
}

static void
near64(struct weir_tcp_conn *c, uint16_t field, uint64_t base, enum way way)
{
	uint64_t *word = RTE_PTR_ADD(c, field);

	*word = turn(*word, base, way);
}

static void
all_near32(struct weir_tcp_conn *c, const uint16_t *fields, unsigned int n, uint32_t base,
	enum way way)
{
	for (unsigned int i = 0; i < n; i++)
		near32(c, fields[i], base, way);
}

static void
all_near64(struct weir_tcp_conn *c, const uint16_t *fields, unsigned int n, uint64_t base,
	enum way way)
{
	for (unsigned int i = 0; i < n; i++)
		near64(c, fields[i], base, way);
}

static void
turn_opts(const struct weir_tcp *t, struct weir_tcp_conn *c)
{
	const char *usual = (const char *)&t->conf.opts;
	char *opts = (char *)&c->opts;

	for (size_t i = 0; i < sizeof(c->opts); i++)
		opts[i] ^= usual[i];
}

/* Measurements of the round trip follow from each other, most of the time. */
static void
turn_rtt(const struct weir_tcp *t, struct weir_tcp_conn *c, enum way way)
{
	near32(c, CONN(rto_us), c->srtt_us + t->conf.rto_min_us, way);
	near32(c, ACT(srtt8_us), 8 * c->srtt_us, way);
	near32(c, ACT(mdev4_us), 4 * c->rttvar_us, way);
	near32(c, ACT(mdev_max_us), t->conf.rto_min_us, way);
	near32(c, ACT(var_us), t->conf.rto_min_us, way);
}

/*
 * Values to differences, or back. What is a base here is not turned itself, so that it is the same
 * both ways.
 * @param sent  snd.una - iss
 */
static void
turn_all(const struct weir_tcp *t, struct weir_tcp_conn *c, uint32_t sent, enum way way)
{
	all_near32(c, near_una, RTE_DIM(near_una), c->snd.una, way);
	all_near32(c, near_nxt, RTE_DIM(near_nxt), c->rcv.nxt, way);
	all_near32(c, near_heard_ms, RTE_DIM(near_heard_ms), (uint32_t)(c->heard_us / 1000), way);
	all_near64(c, near_heard, RTE_DIM(near_heard), c->heard_us, way);
	near32(c, CONN(wnd_max), c->snd.wnd, way);
	near32(c, CONN(cc.ssthresh), UINT32_MAX, way);
	near32(c, CONN(ts_offset), weir_tcp_ts_offset(t, &c->flow), way);
	near32(c, ACT(delivered), sent, way);
	near64(c, ACT(bytes_sent), sent, way);
	near32(c, ACT(reordering), t->conf.reordering, way);
	turn_rtt(t, c, way);
	turn_opts(t, c);
}

/* snd.una - iss, as the folded iss has it. */
static uint32_t
sent_when_folded(const struct weir_tcp_conn *folded)
{
	return (uint32_t)-turn(folded->iss, 0, UNFOLD);
}

/* What an idle connection can be given again: links, queues, where its packets go. */
static void
strip(struct weir_tcp_conn *c)
{
	const uint32_t n_in = c->ready.n_in;
	const uint32_t n_notices = c->sndq.n_notices;

	memset(&c->ready, 0, sizeof(c->ready));
	memset(&c->out, 0, sizeof(c->out));
	memset(&c->sndq, 0, sizeof(c->sndq));
	memset(&c->rcv.rx, 0, sizeof(c->rcv.rx));
	memset(&c->ooo, 0, sizeof(c->ooo));
	memset(&c->dst, 0, sizeof(c->dst));
	weir_wheel_entry_init(&c->timer, 0);
	c->end = NULL;
	c->cc.ops = NULL;
	c->act->cursor = NULL;
	c->act->n_hints = 0; /* of what is not under way any more */
	memset(c->act->hints, 0, sizeof(c->act->hints));
	if (c->act->n_sacks == 0 && !c->act->has_dsack)
		memset(c->act->sacks, 0, sizeof(c->act->sacks));
	c->act->oldest = c->act->newest = c->act->tail = 0;
	c->ready.n_in = n_in;
	c->sndq.n_notices = n_notices;
}

static unsigned int
code_of(uint32_t word)
{
	if (word > UINT16_MAX)
		return ALL;
	return word > UINT8_MAX ? TWO_BYTES : word > 0 ? ONE_BYTE : NOTHING;
}

/* The words of one group. @return bytes written; 0: all of them are 0 */
static unsigned int
pack_group(const uint32_t words[GROUP], uint8_t out[GROUP_MAX])
{
	unsigned int len = 1;

	out[0] = 0;
	for (unsigned int i = 0; i < GROUP; i++) {
		const unsigned int code = code_of(words[i]);

		out[0] |= (uint8_t)(code << (2 * i));
		memcpy(out + len, &words[i], sizeof(words[i])); /* the low bytes come first */
		len += code_len[code];
	}
	return out[0] == 0 ? 0 : len;
}

/* @return bytes used; 0: they need more than room */
static size_t
pack_words(const uint32_t words[GROUPS * GROUP], uint8_t *out, size_t room)
{
	size_t used = MAP;

	memset(out, 0, MAP);
	for (unsigned int g = 0; g < GROUPS; g++) {
		uint8_t bytes[GROUP_MAX];
		const unsigned int len = pack_group(&words[g * GROUP], bytes);

		if (len > room - used)
			return 0;
		memcpy(out + used, bytes, len);
		out[g / 8] |= (uint8_t)((len != 0) << g % 8);
		used += len;
	}
	return used;
}

static unsigned int
unpack_group(const uint8_t *in, uint32_t words[GROUP])
{
	unsigned int used = 1;

	for (unsigned int i = 0; i < GROUP; i++) {
		const unsigned int len = code_len[in[0] >> (2 * i) & 3];

		memcpy(&words[i], in + used, len);
		used += len;
	}
	return used;
}

/* Others may read while a worker writes: what is not sound gives other words, but no harm. */
static void
unpack_words(const uint8_t *in, size_t room, uint32_t words[GROUPS * GROUP])
{
	size_t used = MAP;

	for (unsigned int g = 0; g < GROUPS && used <= room - GROUP_MAX; g++) {
		if (in[g / 8] >> g % 8 & 1)
			used += unpack_group(in + used, &words[g * GROUP]);
	}
}

size_t
weir_tcp_pack(const struct weir_tcp *t, const struct weir_tcp_conn *c,
	uint8_t packed[WEIR_TCP_PACKED_MAX])
{
	struct weir_tcp_conn folded = *c;
	uint32_t words[GROUPS * GROUP] = {0};

	WEIR_ASSERT(c->cc.ops == weir_tcp_cc_at(c->opts.cc));
	strip(&folded);
	folded.dst.mtu = (uint16_t)(c->dst.ifc->index + 1);
	turn_all(t, &folded, c->snd.una - c->iss, FOLD);
	memcpy(words, (const char *)&folded + FIRST, END - FIRST);
	return pack_words(words, packed, WEIR_TCP_PACKED_MAX);
}

void
weir_tcp_parked_read(
	const struct weir_tcp *t, const struct weir_tcp_parked *p, struct weir_tcp_conn *c)
{
	uint8_t packed[WEIR_TCP_PACKED_MAX + GROUP_MAX] = {0};
	uint32_t words[GROUPS * GROUP] = {0};
	const uint32_t rest = __atomic_load_n(&p->rest, __ATOMIC_RELAXED);

	memcpy(packed, p->packed, sizeof(p->packed));
	if (rest != 0 && rest <= t->rests.capacity)
		memcpy(packed + sizeof(p->packed), weir_slab_at(&t->rests, rest - 1),
			sizeof(struct weir_tcp_rest));
	unpack_words(packed, sizeof(packed), words);
	c->flow = p->flow;
	memcpy((char *)c + FIRST, words, END - FIRST);
	turn_all(t, c, sent_when_folded(c), UNFOLD);
	c->cc.ops = weir_tcp_cc_at(c->opts.cc);
	c->end = p->end;
}

void
weir_tcp_unpack(const struct weir_tcp *t, const struct weir_tcp_parked *p, struct weir_tcp_conn *c)
{
	weir_tcp_parked_read(t, p, c);
	c->dst.ifc = &t->ip->ifaces[c->dst.mtu - 1];
	c->dst.mtu = 0;
	c->ready.kind = WEIR_READY_TCP;
	weir_wheel_entry_init(&c->timer, WEIR_TIMER_TCP);
}
