/* SPDX-License-Identifier: BSD-3-Clause */
#include "udp_rig.h"

static unsigned int
bind_all(struct rig *r, struct weir_pcb *pcb, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		weir_udp_bind(&r->udp, &pcb[i]);
	return n;
}

/* What each of pcb[n] received, as bits; all unbound and emptied. */
static unsigned int
who_got_it(struct rig *r, struct weir_pcb *pcb, unsigned int n)
{
	unsigned int who = 0;

	for (unsigned int i = 0; i < n; i++) {
		who |= (rig_drain(&pcb[i]) > 0) << i;
		weir_ready_del(&r->ready, &pcb[i].ready);
		weir_udp_unbind(&r->udp, &pcb[i]);
	}
	return who;
}

static void
connected_comes_before_bound_to_the_address_before_any(void)
{
	struct rig *r = rig_open();
	struct weir_pcb pcb[4];
	unsigned int n;

	for (unsigned int order = 0; order < 2; order++) {
		pcb[0] = rig_pcb(NULL, false);
		pcb[1] = rig_pcb(US4, false);
		pcb[2] = rig_pcb(NULL, false);
		pcb[2].raddr = addr(PEER4);
		pcb[2].rport = weir_be16(1000);
		pcb[3] = pcb[order]; /* in another place of the bucket */
		pcb[3].laddr = addr("0.0.0.0");

		n = bind_all(r, pcb, 4);
		rig_recv(r, .dst = US4);
		CU_ASSERT_EQUAL(who_got_it(r, pcb, n), 1 << 2);
		bind_all(r, pcb, 4);
		rig_recv(r, .dst = US4, .sport = 1001); /* not from the connected peer */
		CU_ASSERT_EQUAL(who_got_it(r, pcb, n), 1 << 1);
		bind_all(r, pcb, 4);
		rig_recv(r, .src = "192.0.2.3", .dst = US4);
		CU_ASSERT_EQUAL(who_got_it(r, pcb, n), 1 << 1);
		bind_all(r, pcb, 4);
		rig_recv(r, .dst = "192.0.2.9", .sport = 1001);
		CU_ASSERT_EQUAL(who_got_it(r, pcb, n), 1 << 3); /* the latest of equals */
	}
	rig_close(r);
}

/* RFC 3493 3.7 and 5.3. */
static void
versions_go_to_the_sockets_that_take_them(void)
{
	static const struct {
		const char *laddr;
		bool is_v6, is_v6only, takes_v4, takes_v6;
	} rows[] = {
		{"0.0.0.0", false, false, true, false},
		{US4, false, false, true, false},
		{"::", true, false, true, true},
		{"::", true, true, false, true},
		{US6, true, false, false, true},
		{"::ffff:" US4, true, false, true, false},
		{"::ffff:0.0.0.0", true, false, true, false},
	};
	struct rig *r = rig_open();

	for (size_t i = 0; i < RTE_DIM(rows); i++) {
		struct weir_pcb pcb = rig_pcb(rows[i].laddr, rows[i].is_v6);

		pcb.is_v6only = rows[i].is_v6only;
		weir_udp_bind(&r->udp, &pcb);
		rig_recv(r, .src = PEER4, .dst = US4);
		CU_ASSERT_EQUAL(who_got_it(r, &pcb, 1), rows[i].takes_v4);
		weir_udp_bind(&r->udp, &pcb);
		rig_recv(r, .src = PEER6, .dst = US6);
		CU_ASSERT_EQUAL(who_got_it(r, &pcb, 1), rows[i].takes_v6);
	}
	rig_close(r);
}

static void
a_binding_to_an_interface_takes_its_packets_alone(void)
{
	struct rig *r = rig_open();
	struct weir_pcb pcb[2] = {rig_pcb(NULL, false), rig_pcb(NULL, false)};

	pcb[0].ifindex_plus1 = 1;
	bind_all(r, pcb, 2);
	rig_recv(r, .ifindex = 0);
	CU_ASSERT_EQUAL(who_got_it(r, pcb, 2), 1 << 0);
	bind_all(r, pcb, 2);
	rig_recv(r, .ifindex = 1);
	CU_ASSERT_EQUAL(who_got_it(r, pcb, 2), 1 << 1);
	rig_close(r);
}

#define N_PEERS 3000 /* more than lists: some peers share one */

/* Each peer's datagrams reach the socket connected to it, and another's the one that is not. */
static void
many_connected_to_one_port_are_told_apart(void)
{
	struct rig *r = rig_open();
	struct weir_pcb *pcb = calloc(N_PEERS + 1, sizeof(*pcb));

	CU_ASSERT_PTR_NOT_NULL_FATAL(pcb);
	for (unsigned int i = 0; i <= N_PEERS; i++) {
		pcb[i] = rig_pcb(US4, false);
		if (i < N_PEERS) {
			pcb[i].raddr = addr(PEER4);
			pcb[i].rport = weir_be16((uint16_t)(1 + i));
		}
		weir_udp_bind(&r->udp, &pcb[i]);
	}
	for (unsigned int i = 0; i <= N_PEERS; i++) {
		rig_recv(r, .dst = US4, .sport = (uint16_t)(1 + i));
		weir_ready_del(&r->ready, &pcb[i].ready);
		CU_ASSERT_EQUAL(rig_drain(&pcb[i]), 1);
	}
	for (unsigned int i = 0; i <= N_PEERS; i++)
		weir_udp_unbind(&r->udp, &pcb[i]);
	CU_ASSERT_EQUAL(r->udp.n_connected, 0);
	free(pcb);
	rig_close(r);
}

static void
groups_reach_those_that_are_connected_and_the_others(void)
{
	struct rig *r = rig_open();
	struct weir_pcb pcb[4];

	for (unsigned int i = 0; i < 4; i++) {
		pcb[i] = rig_pcb(NULL, false);
		if (i < 3) {
			pcb[i].raddr = addr(PEER4);
			pcb[i].rport = weir_be16(i < 2 ? 1000 : 1001);
		}
	}
	bind_all(r, pcb, 4);
	rig_recv(r, .dst = "224.0.0.1", .flags = WEIR_PKT_MULTICAST);
	CU_ASSERT_EQUAL(who_got_it(r, pcb, 4), 1 << 0 | 1 << 1 | 1 << 3);
	rig_close(r);
}

static void
an_unbound_port_receives_nothing(void)
{
	struct rig *r = rig_open();
	struct weir_pcb pcb = rig_pcb(NULL, false);

	weir_udp_bind(&r->udp, &pcb);
	weir_udp_unbind(&r->udp, &pcb);
	rig_recv(r, .dst = US4);
	CU_ASSERT_EQUAL(rig_drain(&pcb), 0);
	CU_ASSERT_EQUAL(r->core.fates[WEIR_FATE_drop_udp_no_port], 1);
	rig_close(r);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(connected_comes_before_bound_to_the_address_before_any),
		UNIT(versions_go_to_the_sockets_that_take_them),
		UNIT(a_binding_to_an_interface_takes_its_packets_alone),
		UNIT(many_connected_to_one_port_are_told_apart),
		UNIT(groups_reach_those_that_are_connected_and_the_others),
		UNIT(an_unbound_port_receives_nothing),
		{NULL},
	};

	return unit_main("udp/table", tests, true);
}
