/* SPDX-License-Identifier: BSD-3-Clause */
#include "matrix.h"

#include <stdio.h>

#include "tcp_priv.h"

const uint8_t kinds[KINDS] = {
	0, RST, RST | ACK, SYN, SYN | ACK, SYN | FIN, ACK, FIN, FIN | ACK, SYN | RST};

uint32_t
space(const struct arrival *a)
{
	return a->len + !!(a->flags & SYN) + !!(a->flags & FIN);
}

bool
is_acceptable(const struct arrival *a, uint32_t nxt, uint32_t wnd)
{
	const uint32_t last = a->seq + space(a) - 1;

	if (space(a) == 0)
		return a->seq - nxt < wnd || (a->seq - nxt == wnd && !(a->flags & RST));
	return a->seq - nxt < wnd || last - nxt < wnd;
}

struct answer
reset_for(const struct rig *r, const struct arrival *a)
{
	if (a->flags & RST)
		return (struct answer){0};
	if (a->flags & ACK)
		return (struct answer){.flags = RST, .seq = a->ack};
	/* seq is -iss: the number is 0 as it stands in the segment */
	return (struct answer){.flags = RST | ACK, .seq = -r->iss, .ack = a->seq + space(a)};
}

/* What went out: at most one segment. */
static struct answer
take_answer(struct rig *r)
{
	struct rte_mbuf *m = rig_take(r);
	struct answer got = {0};
	struct weir_tcp_seg seg;

	if (m == NULL)
		return got;
	weir_tcp_parse(
		rte_pktmbuf_mtod_offset(m, const uint8_t *, 20), (uint16_t)(m->pkt_len - 20), &seg);
	got = (struct answer){.flags = seg.flags,
		.seq = seg.seq - r->iss,
		.ack = (seg.flags & ACK) ? seg.ack - r->irs : 0,
		.wnd = seg.wnd};
	rte_pktmbuf_free(m);
	CU_ASSERT_PTR_NULL(rig_take(r));
	return got;
}

static bool
is_answer_right(const struct answer *got, const struct answer *want)
{
	if (got->flags == 0)
		return want->flags == 0 || want->is_free;
	return got->flags == want->flags && got->seq == want->seq && got->ack == want->ack &&
	       (!want->has_wnd || got->wnd == want->wnd);
}

void
check(struct rig *r, const struct arrival *a, enum weir_tcp_state before,
	const struct outcome *want)
{
	const struct answer got = take_answer(r);
	const enum weir_tcp_state state = rig_state(r);
	const int error = r->conn != NULL ? r->conn->error : 0;
	const uint32_t n_read = r->conn != NULL ? rig_read(r) : 0;
	char text[240];

	rig_forget(r); /* what reading led to */
	if (state == want->state && is_answer_right(&got, &want->answer) && error == want->error &&
		n_read == want->n_read)
		return;
	snprintf(text, sizeof(text),
		"%s: flags %02x seq %d ack %d len %u: now %s, wanted %s; "
		"answer %02x %d %d %u, wanted %02x %d %d %u; error %d, wanted %d; read %u, wanted "
		"%u",
		weir_tcp_state_name(before), a->flags, (int)a->seq, (int)a->ack, a->len,
		weir_tcp_state_name(state), weir_tcp_state_name(want->state), got.flags,
		(int)got.seq, (int)got.ack, got.wnd, want->answer.flags, (int)want->answer.seq,
		(int)want->answer.ack, want->answer.wnd, error, want->error, n_read, want->n_read);
	CU_assertImplementation(CU_FALSE, __LINE__, text, __FILE__, "", CU_FALSE);
}

void
arrive(struct rig *r, const struct arrival *a)
{
	rig_recv(r, .flags = a->flags, .seq = a->seq, .ack = a->ack, .len = a->len);
}

void
open_small(struct rig *r, enum weir_tcp_state state)
{
	rig_open_as(r, state, &(struct rig_setup){.mbufs = 127});
}
