/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Each synchronized state, each kind of segment, each place of its sequence number and of its ACK,
 * with and without text: what RFC 9293 3.10.7.4 and RFC 5961 say, written as rules of their own.
 * Judged are the state after it, the numbers of the answer, the error, and the bytes to read.
 */
#include "matrix.h"

#include "tcp_priv.h"

static struct rig r;

static const struct answer silence = {0};

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

static bool
takes_text(enum weir_tcp_state state)
{
	return state == WEIR_TCP_ESTABLISHED || state == WEIR_TCP_FIN_WAIT_1 ||
	       state == WEIR_TCP_FIN_WAIT_2;
}

/* What a reset tells; RFC 9293 3.10.7.4, second. EPIPE as Linux: the reader saw the end before. */
static int
reset_error(enum weir_tcp_state state)
{
	return state == WEIR_TCP_CLOSE_WAIT ? EPIPE : ECONNRESET;
}

/* Steps seven and eight: how far the acceptable segment goes, its text and its FIN. */
static struct outcome
taken(const struct arrival *a, enum weir_tcp_state state, struct outcome want)
{
	const uint32_t nxt = want.answer.ack, right = nxt + want.answer.wnd;
	const uint32_t end = a->seq + a->len;
	const uint32_t text_end = weir_seq_min(end, right);
	const bool is_whole = text_end == end && end != right;
	const bool has_fin = (a->flags & FIN) && is_whole && (int32_t)(a->seq - nxt) <= 0;
	const bool is_fin_acked = a->ack == want.answer.seq && a->ack > r.conn->snd.una - r.iss;

	want.state = state_after(state, is_fin_acked, has_fin);
	if (!takes_text(state)) {
		if (want.state != state || (int32_t)(a->seq - nxt) >= 0)
			want.answer = silence; /* beyond the peer's FIN there is nothing */
		return want;
	}
	if (space(a) == 0)
		want.answer = silence;
	else if ((int32_t)(a->seq - nxt) <= 0) {
		want.n_read = text_end - nxt;
		want.answer.ack = text_end + has_fin;
	}
	want.answer.has_wnd = want.answer.ack == nxt; /* text takes room, by the memory it needs */
	return want;
}

/* 3.10.7.4 with RFC 5961 3.2, 4.2, 5.2. */
static struct outcome
synchronized(const struct arrival *a, enum weir_tcp_state state)
{
	const uint32_t nxt = r.conn->rcv.nxt - r.irs, wnd = r.conn->rcv.adv - r.conn->rcv.nxt;
	const uint32_t una = r.conn->snd.una - r.iss, max = r.conn->snd.max - r.iss;
	struct outcome want = {.state = state, .answer = {ACK, false, max, nxt, wnd, true}};

	if (!is_acceptable(a, nxt, wnd)) {
		if (a->flags & RST)
			want.answer = silence;
	} else if (a->flags & RST) {
		if (a->seq == nxt)
			want = (struct outcome){WEIR_TCP_CLOSED, reset_error(state), 0, silence};
	} else if (!(a->flags & SYN)) {
		if (!(a->flags & ACK))
			want.answer = silence;
		else if ((int32_t)(a->ack - max) <= 0 &&
			 (int32_t)(a->ack - (una - r.conn->wnd_max)) >= 0)
			want = taken(a, state, want);
	}
	return want;
}

static void
synchronized_case(
	enum weir_tcp_state state, uint8_t flags, unsigned int at, unsigned int acks, uint16_t len)
{
	struct arrival a = {.flags = flags, .len = len};
	struct outcome want;
	uint32_t nxt, wnd, max;

	open_small(&r, state);
	rig_advance(&r, RIG_S);
	rig_forget(&r);
	nxt = r.conn->rcv.nxt - r.irs;
	wnd = r.conn->rcv.adv - r.conn->rcv.nxt;
	max = r.conn->snd.max - r.iss;
	a.seq = (const uint32_t[]){
		nxt - FAR, nxt - 1, nxt, nxt + FAR, nxt + wnd - 2, nxt + wnd, nxt + wnd + FAR}[at];
	a.ack = (const uint32_t[]){max - 200000, r.conn->snd.una - r.iss, max, max + FAR}[acks];
	want = synchronized(&a, state);
	arrive(&r, &a);
	check(&r, &a, state, &want);
	rig_close(&r);
}

static void
synchronized_state(enum weir_tcp_state state)
{
	for (unsigned int k = 0; k < RTE_DIM(kinds); k++)
		for (unsigned int i = 0; i < 7 * 4 * 2; i++)
			if ((kinds[k] & ACK) || i / 7 % 4 == 0)
				synchronized_case(state, kinds[k], i % 7, i / 7 % 4,
					(uint16_t)(i / 28 * TEXT));
}

static void
segments_in_established(void)
{
	synchronized_state(WEIR_TCP_ESTABLISHED);
}

static void
segments_in_fin_wait_1(void)
{
	synchronized_state(WEIR_TCP_FIN_WAIT_1);
}

static void
segments_in_fin_wait_2(void)
{
	synchronized_state(WEIR_TCP_FIN_WAIT_2);
}

static void
segments_in_close_wait(void)
{
	synchronized_state(WEIR_TCP_CLOSE_WAIT);
}

static void
segments_in_closing(void)
{
	synchronized_state(WEIR_TCP_CLOSING);
}

static void
segments_in_last_ack(void)
{
	synchronized_state(WEIR_TCP_LAST_ACK);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(segments_in_established),
		UNIT(segments_in_fin_wait_1),
		UNIT(segments_in_fin_wait_2),
		UNIT(segments_in_close_wait),
		UNIT(segments_in_closing),
		UNIT(segments_in_last_ack),
		{NULL, NULL},
	};

	return unit_main("tcp_matrix", tests, true);
}
