/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * RFC 9293 3.10.7 as in test_tcp_matrix, for the states that open a connection and those in which
 * there is none any more.
 */
#include "matrix.h"

#include "tcp_priv.h"

static struct rig r;

static const struct answer silence = {0};

/* SYN_SENT */

/* 3.10.7.3. The window of a SYN is that of the buffer; it is not judged here. */
static struct outcome
syn_sent(const struct arrival *a)
{
	struct outcome want = {.state = WEIR_TCP_SYN_SENT};

	if ((a->flags & ACK) && a->ack != 1) {
		want.answer = reset_for(&r, a);
	} else if (a->flags & RST) {
		if (a->flags & ACK)
			want = (struct outcome){WEIR_TCP_CLOSED, ECONNREFUSED, 0, silence};
	} else if ((a->flags & SYN) && (a->flags & ACK)) {
		want.state = (a->flags & FIN) ? WEIR_TCP_CLOSE_WAIT : WEIR_TCP_ESTABLISHED;
		want.n_read = a->len;
		want.answer = (struct answer){.flags = ACK, .seq = 1, .ack = a->seq + space(a)};
	} else if (a->flags & SYN) { /* simultaneous; the rest is left to be sent again */
		want.state = WEIR_TCP_SYN_RECEIVED;
		want.answer = (struct answer){.flags = SYN | ACK, .seq = 0, .ack = a->seq + 1};
	}
	return want;
}

static void
segments_in_syn_sent(void)
{
	static const uint32_t acks[] = {0, 1, 2, FAR};
	static const uint8_t flags[] = {0, RST, RST | ACK, SYN, SYN | ACK, SYN | FIN, ACK, FIN,
		FIN | ACK, SYN | RST, SYN | FIN | ACK};

	for (unsigned int i = 0; i < RTE_DIM(flags) * RTE_DIM(acks) * 2; i++) {
		const struct arrival a = {.flags = flags[i / 8],
			.ack = acks[i / 2 % RTE_DIM(acks)],
			.len = (uint16_t)(i % 2 * TEXT)};
		struct outcome want;

		open_small(&r, WEIR_TCP_SYN_SENT);
		r.read_pos = a.seq + 1;
		want = syn_sent(&a);
		if (a.len > 0 && (a.flags & SYN)) /* the pattern begins with the SYN's place */
			r.read_pos = a.seq;
		arrive(&r, &a);
		check(&r, &a, WEIR_TCP_SYN_SENT, &want);
		rig_close(&r);
	}
}

/* SYN_RECEIVED, by a listener or by SYNs that crossed */

static uint32_t
syn_received_window(void)
{
	return r.conn != NULL ? r.conn->rcv.adv - r.conn->rcv.nxt
			      : weir_tcp_syn_window(&r.listener.opts);
}

/* The final ACK, and what comes with it. */
static struct outcome
opened(const struct arrival *a)
{
	const bool is_next = (int32_t)(a->seq - 1) <= 0;
	struct outcome want = {.state = WEIR_TCP_ESTABLISHED};

	if (space(a) == 0)
		return want;
	want.answer = (struct answer){.flags = ACK, .seq = 1, .ack = 1};
	if (is_next) {
		want.n_read = a->seq + a->len - 1;
		want.answer.ack = a->seq + space(a);
		want.state = (a->flags & FIN) ? WEIR_TCP_CLOSE_WAIT : WEIR_TCP_ESTABLISHED;
	}
	return want;
}

/* 3.10.7.4 for this state: one that listened forgets the peer, one that called is told. */
static struct outcome
syn_received(const struct arrival *a, bool is_active)
{
	const struct answer current = {.flags = ACK, .seq = 1, .ack = 1};
	struct outcome want = {.state = WEIR_TCP_SYN_RECEIVED, .answer = current};
	const bool is_syn_again =
		!is_active && a->seq == 0 && (a->flags & (SYN | ACK | RST)) == SYN;

	if (is_syn_again) {
		want.answer = (struct answer){.flags = SYN | ACK, .seq = 0, .ack = 1};
	} else if (is_active && a->seq == 0 && a->ack == 1 &&
		   (a->flags & (SYN | ACK | RST)) == (SYN | ACK)) {
		/* the SYN, ACK of a peer that opened at the same time */
		want = (struct outcome){.state = WEIR_TCP_ESTABLISHED, .answer = current};
	} else if (!is_active && (a->flags & ACK) && a->ack != 1) {
		want.answer = reset_for(&r, a); /* a listener looks at the ACK first, as Linux */
	} else if (!is_acceptable(a, 1, syn_received_window())) {
		if (a->flags & RST)
			want.answer = silence;
	} else if (a->flags & RST) {
		if (a->seq == 1)
			want = (struct outcome){
				WEIR_TCP_CLOSED, is_active ? ECONNREFUSED : 0, 0, silence};
	} else if (a->flags & SYN) {
		if (!is_active)
			want = (struct outcome){WEIR_TCP_CLOSED, 0, 0, reset_for(&r, a)};
	} else if (!(a->flags & ACK)) {
		want.answer = silence;
	} else if (a->ack != 1) {
		want.answer = reset_for(&r, a);
	} else {
		want = opened(a);
	}
	return want;
}

static void
syn_received_cases(bool is_active)
{
	static const uint32_t acks[] = {0, 1, 2, FAR};

	for (unsigned int i = 0; i < RTE_DIM(kinds) * 5 * 4 * 2; i++) {
		struct arrival a = {.flags = kinds[i / 40],
			.ack = acks[i / 10 % 4],
			.len = (uint16_t)(i / 5 % 2 * TEXT)};
		struct outcome want;

		if (!(a.flags & ACK) && a.ack != 0)
			continue;
		open_small(&r, is_active ? WEIR_TCP_SYN_SENT : WEIR_TCP_SYN_RECEIVED);
		if (is_active)
			rig_recv(&r, .flags = SYN, .seq = 0);
		rig_forget(&r);
		a.seq = (const uint32_t[]){
			-FAR, 0, 1, 1 + FAR, 1 + syn_received_window() + FAR}[i % 5];
		if (a.seq == 0 && (a.flags & SYN))
			a.len = 0; /* text on such a SYN is left to be sent again */
		want = syn_received(&a, is_active);
		arrive(&r, &a);
		check(&r, &a, WEIR_TCP_SYN_RECEIVED, &want);
		rig_close(&r);
	}
}

static void
segments_in_syn_received_of_a_listener(void)
{
	syn_received_cases(false);
}

static void
segments_in_syn_received_of_crossed_syns(void)
{
	syn_received_cases(true);
}

/* LISTEN, CLOSED, TIME_WAIT */

/* 3.10.7.2. A SYN with FIN opens nothing, as in Linux. */
static void
segments_in_listen(void)
{
	for (unsigned int i = 0; i < RTE_DIM(kinds) * 2; i++) {
		const struct arrival a = {.flags = kinds[i / 2],
			.seq = 100,
			.ack = 200,
			.len = (uint16_t)(i % 2 * TEXT)};
		struct outcome want = {.state = WEIR_TCP_CLOSED};

		open_small(&r, WEIR_TCP_SYN_RECEIVED);
		rig_recv(&r, .flags = RST, .seq = 1);
		if (a.flags & ACK)
			want.answer = reset_for(&r, &a);
		else if (a.flags == SYN)
			want = (struct outcome){WEIR_TCP_SYN_RECEIVED, 0, 0,
				{.flags = SYN | ACK, .seq = 0, .ack = 101}};
		arrive(&r, &a);
		if (a.flags == SYN)
			r.iss = weir_tcp_find_req(&r.tcp, &r.flow)->iss;
		check(&r, &a, WEIR_TCP_LISTEN, &want);
		rig_close(&r);
	}
}

/* 3.10.7.1 */
static void
segments_in_closed(void)
{
	for (unsigned int i = 0; i < RTE_DIM(kinds) * 2; i++) {
		const struct arrival a = {.flags = kinds[i / 2],
			.seq = 100,
			.ack = 200,
			.len = (uint16_t)(i % 2 * TEXT)};
		struct outcome want = {.state = WEIR_TCP_CLOSED};

		open_small(&r, WEIR_TCP_ESTABLISHED);
		want.answer = reset_for(&r, &a);
		rig_recv(&r, .flags = RST, .seq = 1);
		weir_tcp_release(&r.tcp, r.conn);
		r.conn = NULL;
		arrive(&r, &a);
		check(&r, &a, WEIR_TCP_CLOSED, &want);
		rig_close(&r);
	}
}

/*
 * 3.10.7.4 and RFC 1337: not even the RST that is exactly next ends it; nothing is reset. Where
 * nobody listens, a SYN is an old one. What stands where the connection ended needs no answer.
 */
static struct answer
in_time_wait(const struct arrival *a)
{
	if ((a->flags & RST) || (a->seq == 2 && space(a) == 0))
		return silence;
	return (struct answer){.flags = ACK,
		.seq = 2,
		.ack = 2,
		.is_free = !(a->flags & (ACK | SYN)) && a->seq >= 2}; /* Linux answers these, too */
}

static void
segments_in_time_wait(void)
{
	for (unsigned int i = 0; i < RTE_DIM(kinds) * 4 * 3 * 2; i++) {
		const struct arrival a = {.flags = kinds[i / 24],
			.seq = (const uint32_t[]){1, 2, 2 + FAR, RIG_WND + FAR}[i / 6 % 4],
			.ack = (const uint32_t[]){1, 2, FAR}[i / 2 % 3],
			.len = (uint16_t)(i % 2 * TEXT)};
		const struct outcome want = {WEIR_TCP_TIME_WAIT, 0, 0, in_time_wait(&a)};

		if (!(a.flags & ACK) && a.ack != 1)
			continue;
		open_small(&r, WEIR_TCP_TIME_WAIT);
		rig_advance(&r, RIG_S);
		arrive(&r, &a);
		check(&r, &a, WEIR_TCP_TIME_WAIT, &want);
		rig_close(&r);
	}
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(segments_in_syn_sent),
		UNIT(segments_in_syn_received_of_a_listener),
		UNIT(segments_in_syn_received_of_crossed_syns),
		UNIT(segments_in_listen),
		UNIT(segments_in_closed),
		UNIT(segments_in_time_wait),
		{NULL, NULL},
	};

	return unit_main("tcp_matrix_ends", tests, true);
}
