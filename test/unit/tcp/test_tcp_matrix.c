/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Each state, each kind of segment, each place of its sequence number and of its ACK, with and
 * without text: what RFC 9293 3.10.7 and RFC 5961 say, written as rules of their own.
 */
#include "rig.h"

#include "tcp_priv.h"

#define TEXT 5
#define FAR  1000

static struct rig r;

struct arrival {
	uint8_t flags;
	uint32_t seq; /* both relative, as in the rig */
	uint32_t ack;
	uint16_t len;
};

enum reply { NOTHING, AN_ACK, A_RST, A_SYN_ACK, ANY_BUT_RST };

struct outcome {
	enum weir_tcp_state state;
	enum reply reply;
};

static const uint8_t kinds[] = {
	0, RST, RST | ACK, SYN, SYN | ACK, SYN | FIN, ACK, FIN, FIN | ACK, SYN | RST};

static uint32_t
space(const struct arrival *a)
{
	return a->len + !!(a->flags & SYN) + !!(a->flags & FIN);
}

/* RFC 9293 table 6; an empty segment at the right edge is one of a peer that filled the window. */
static bool
is_acceptable(const struct arrival *a, uint32_t nxt, uint32_t wnd)
{
	const uint32_t last = a->seq + space(a) - 1;

	if (space(a) == 0)
		return a->seq - nxt < wnd || (a->seq - nxt == wnd && !(a->flags & RST));
	return a->seq - nxt < wnd || last - nxt < wnd;
}

/* Steps five and eight, for text and FIN that are next. */
static enum weir_tcp_state
state_after(enum weir_tcp_state state, bool is_fin_acked, bool has_fin)
{
	switch (state) {
	case WEIR_TCP_ESTABLISHED:
		return has_fin ? WEIR_TCP_CLOSE_WAIT : state;
	case WEIR_TCP_FIN_WAIT_1:
		if (!is_fin_acked)
			return has_fin ? WEIR_TCP_CLOSING : state;
		return has_fin ? WEIR_TCP_TIME_WAIT : WEIR_TCP_FIN_WAIT_2;
	case WEIR_TCP_FIN_WAIT_2:
		return has_fin ? WEIR_TCP_TIME_WAIT : state;
	case WEIR_TCP_CLOSING:
		return is_fin_acked ? WEIR_TCP_TIME_WAIT : state;
	case WEIR_TCP_LAST_ACK:
		return is_fin_acked ? WEIR_TCP_CLOSED : state;
	default:
		return state;
	}
}

/* 3.10.7.4 with RFC 5961 3.2, 4.2, 5.2. */
static struct outcome
synchronized(const struct arrival *a, enum weir_tcp_state state)
{
	const uint32_t nxt = r.conn->rcv.nxt - r.irs, wnd = r.conn->rcv.adv - r.conn->rcv.nxt;
	const uint32_t una = r.conn->snd.una - r.iss, max = r.conn->snd.max - r.iss;
	const bool is_first = a->seq == nxt;

	if (!is_acceptable(a, nxt, wnd))
		return (struct outcome){state, (a->flags & RST) ? NOTHING : AN_ACK};
	if (a->flags & RST)
		return is_first ? (struct outcome){WEIR_TCP_CLOSED, NOTHING}
				: (struct outcome){state, AN_ACK};
	if (a->flags & SYN)
		return (struct outcome){state, AN_ACK};
	if (!(a->flags & ACK))
		return (struct outcome){state, NOTHING};
	if ((int32_t)(a->ack - max) > 0 || (int32_t)(a->ack - (una - r.conn->wnd_max)) < 0)
		return (struct outcome){state, AN_ACK};
	return (struct outcome){
		state_after(state, a->ack == max && max > una, is_first && (a->flags & FIN)),
		ANY_BUT_RST};
}

/* 3.10.7.3 */
static struct outcome
syn_sent(const struct arrival *a)
{
	if ((a->flags & ACK) && a->ack != 1)
		return (struct outcome){WEIR_TCP_SYN_SENT, (a->flags & RST) ? NOTHING : A_RST};
	if (a->flags & RST)
		return (a->flags & ACK) ? (struct outcome){WEIR_TCP_CLOSED, NOTHING}
					: (struct outcome){WEIR_TCP_SYN_SENT, NOTHING};
	if (!(a->flags & SYN))
		return (struct outcome){WEIR_TCP_SYN_SENT, NOTHING};
	if (a->flags & ACK)
		return (struct outcome){WEIR_TCP_ESTABLISHED, AN_ACK};
	return (struct outcome){WEIR_TCP_SYN_RECEIVED, A_SYN_ACK};
}

/* What went out, of one kind. */
static enum reply
reply(void)
{
	enum reply what = NOTHING;
	struct weir_tcp_seg seg;
	struct rte_mbuf *m;

	while ((m = rig_take(&r)) != NULL) {
		weir_tcp_parse(rte_pktmbuf_mtod_offset(m, const uint8_t *, 20),
			(uint16_t)(m->pkt_len - 20), &seg);
		what = (seg.flags & RST) ? A_RST : (seg.flags & SYN) ? A_SYN_ACK : AN_ACK;
		rte_pktmbuf_free(m);
	}
	return what;
}

static void
check(const struct arrival *a, enum weir_tcp_state before, const struct outcome *want)
{
	const enum reply got = reply();
	const enum weir_tcp_state state = r.conn != NULL ? rig_state(&r) : WEIR_TCP_CLOSED;
	const bool is_right =
		want->reply == ANY_BUT_RST ? got == NOTHING || got == AN_ACK : got == want->reply;
	char text[160];

	if (state == want->state && is_right)
		return;
	snprintf(text, sizeof(text),
		"%s: flags %02x seq %d ack %d len %u: now %s, wanted %s; reply %d, wanted %d",
		weir_tcp_state_name(before), a->flags, (int)a->seq, (int)a->ack, a->len,
		weir_tcp_state_name(state), weir_tcp_state_name(want->state), got, want->reply);
	CU_assertImplementation(CU_FALSE, __LINE__, text, __FILE__, "", CU_FALSE);
}

static void
arrive(const struct arrival *a)
{
	rig_recv(&r, .flags = a->flags, .seq = a->seq, .ack = a->ack, .len = a->len);
}

static void
synchronized_case(
	enum weir_tcp_state state, uint8_t flags, unsigned int at, unsigned int acks, uint16_t len)
{
	struct arrival a = {.flags = flags, .len = len};
	struct outcome want;
	uint32_t nxt, wnd, max;

	rig_open(&r, state);
	rig_advance(&r, RIG_S);
	rig_forget(&r);
	nxt = r.conn->rcv.nxt - r.irs;
	wnd = r.conn->rcv.adv - r.conn->rcv.nxt;
	max = r.conn->snd.max - r.iss;
	a.seq = (const uint32_t[]){nxt - FAR, nxt, nxt + FAR, nxt + wnd, nxt + wnd + FAR}[at];
	a.ack = (const uint32_t[]){max - 200000, r.conn->snd.una - r.iss, max, max + FAR}[acks];
	want = synchronized(&a, state);
	arrive(&a);
	check(&a, state, &want);
	rig_close(&r);
}

static void
synchronized_states_follow_the_steps(void)
{
	static const enum weir_tcp_state states[] = {WEIR_TCP_ESTABLISHED, WEIR_TCP_FIN_WAIT_1,
		WEIR_TCP_FIN_WAIT_2, WEIR_TCP_CLOSE_WAIT, WEIR_TCP_CLOSING, WEIR_TCP_LAST_ACK};

	for (unsigned int s = 0; s < RTE_DIM(states); s++)
		for (unsigned int k = 0; k < RTE_DIM(kinds); k++)
			for (unsigned int i = 0; i < 5 * 4 * 2; i++)
				if ((kinds[k] & ACK) || i / 5 % 4 == 0)
					synchronized_case(states[s], kinds[k], i % 5, i / 5 % 4,
						(uint16_t)(i / 20 * TEXT));
}

static void
syn_sent_looks_at_the_ack_first(void)
{
	static const uint32_t acks[] = {0, 1, 2, FAR};

	for (unsigned int i = 0; i < RTE_DIM(kinds) * RTE_DIM(acks); i++) {
		const struct arrival a = {
			.flags = kinds[i / RTE_DIM(acks)], .ack = acks[i % RTE_DIM(acks)]};
		const struct outcome want = syn_sent(&a);

		if ((a.flags & SYN) && (a.flags & FIN))
			continue; /* a SYN with FIN goes further than one state */
		rig_open(&r, WEIR_TCP_SYN_SENT);
		arrive(&a);
		check(&a, WEIR_TCP_SYN_SENT, &want);
		rig_close(&r);
	}
}

/* 3.10.7.1: an ACK is answered at its number, all else as received; a RST never. */
static void
closed_answers_with_resets(void)
{
	for (unsigned int i = 0; i < RTE_DIM(kinds); i++) {
		const struct arrival a = {.flags = kinds[i], .seq = 100, .ack = 200, .len = TEXT};
		const struct outcome want = {WEIR_TCP_CLOSED, (a.flags & RST) ? NOTHING : A_RST};

		rig_open(&r, WEIR_TCP_ESTABLISHED);
		rig_recv(&r, .flags = RST, .seq = 1);
		weir_tcp_release(&r.tcp, r.conn);
		r.conn = NULL;
		arrive(&a);
		check(&a, WEIR_TCP_CLOSED, &want);
		rig_close(&r);
	}
}

/* RFC 1337: not even the RST that is exactly next ends it; nothing is reset. */
static void
time_wait_stays(void)
{
	static const uint8_t quiet[] = {RST, RST | ACK, ACK, FIN | ACK};

	for (unsigned int i = 0; i < RTE_DIM(quiet) * 3 * 2; i++) {
		const struct arrival a = {.flags = quiet[i % 4],
			.seq = (const uint32_t[]){2 - 1, 2, 2 + FAR}[i / 4 % 3],
			.ack = 2,
			.len = (uint16_t)(i / 12 * TEXT)};
		enum reply got;

		rig_open(&r, WEIR_TCP_TIME_WAIT);
		rig_advance(&r, RIG_S);
		arrive(&a);
		got = reply();
		CU_ASSERT_EQUAL(rig_state(&r), WEIR_TCP_TIME_WAIT);
		CU_ASSERT(got == NOTHING || (got == AN_ACK && !(a.flags & RST)));
		rig_close(&r);
	}
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(synchronized_states_follow_the_steps),
		UNIT(syn_sent_looks_at_the_ack_first),
		UNIT(closed_answers_with_resets),
		UNIT(time_wait_stays),
		{NULL, NULL},
	};

	return unit_main("tcp_matrix", tests, true);
}
