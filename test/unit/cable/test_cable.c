/* SPDX-License-Identifier: BSD-3-Clause */
#include <poll.h>

#include "cable_rig.h"

static void
frames_arrive_in_order_and_by_pointer(void)
{
	struct rig r;
	struct rte_mbuf *out[64];
	struct rte_mbuf *in[64];

	rig_open(&r, NULL);
	for (uint16_t i = 0; i < 64; i++)
		out[i] = udp_frame(r.pool, i, 10);
	CU_ASSERT_EQUAL(weir_port_tx(r.a, 0, out, 64), 64);
	CU_ASSERT_EQUAL(weir_port_rx(r.a, 0, in, 64), 0);
	CU_ASSERT_EQUAL(weir_port_rx(r.b, 0, in, 64), 64);
	for (uint16_t i = 0; i < 64; i++)
		CU_ASSERT_PTR_EQUAL(in[i], out[i]);
	rte_pktmbuf_free_bulk(in, 64);
	rig_close(&r);
}

static void
both_directions_are_independent(void)
{
	struct rig r;
	struct rte_mbuf *m;

	rig_open(&r, NULL);
	send_one(r.a, udp_frame(r.pool, 1, 10));
	send_one(r.b, udp_frame(r.pool, 2, 10));
	m = recv_one(r.b);
	CU_ASSERT_EQUAL(udp_sport(m), 1);
	rte_pktmbuf_free(m);
	m = recv_one(r.a);
	CU_ASSERT_EQUAL(udp_sport(m), 2);
	rte_pktmbuf_free(m);
	rig_close(&r);
}

static void
a_full_queue_pushes_back(void)
{
	const struct weir_cable_conf conf = {.queue_depth = 8};
	struct rig r;
	struct rte_mbuf *m[10];

	rig_open(&r, &conf);
	for (uint16_t i = 0; i < 10; i++)
		m[i] = udp_frame(r.pool, i, 10);
	CU_ASSERT_EQUAL(weir_port_tx(r.a, 0, m, 10), 8);
	CU_ASSERT_EQUAL(weir_port_tx(r.a, 0, m + 8, 2), 0);
	rte_pktmbuf_free_bulk(m + 8, 2);
	rig_close(&r); /* frees the eight */
}

static void
a_pulled_cable_drops_and_counts(void)
{
	struct rig r;
	struct weir_cable_stats s;
	struct weir_port_link link;

	rig_open(&r, NULL);
	weir_cable_link(r.cable, false);
	r.a->ops->link(r.a, &link);
	CU_ASSERT_FALSE(link.is_up);
	send_one(r.a, udp_frame(r.pool, 1, 10));
	CU_ASSERT_PTR_NULL(recv_one(r.b));
	weir_cable_link(r.cable, true);
	send_one(r.a, udp_frame(r.pool, 2, 10));
	rte_pktmbuf_free(recv_one(r.b));
	weir_cable_stats(r.cable, 0, &s);
	CU_ASSERT_EQUAL(s.sent, 2);
	CU_ASSERT_EQUAL(s.dropped_down, 1);
	CU_ASSERT_EQUAL(s.delivered, 1);
	rig_close(&r);
}

static void
a_stopped_end_takes_the_link_down(void)
{
	struct rig r;
	struct weir_port_link link;

	rig_open(&r, NULL);
	r.b->ops->stop(r.b);
	r.a->ops->link(r.a, &link);
	CU_ASSERT_FALSE(link.is_up);
	r.b->ops->start(r.b);
	r.a->ops->link(r.a, &link);
	CU_ASSERT_TRUE(link.is_up);
	rig_close(&r);
}

static void
frames_over_the_mtu_are_dropped(void)
{
	struct rig r;
	struct weir_cable_stats s;
	struct rte_mbuf *m;

	rig_open(&r, NULL);
	send_one(r.a, udp_frame(r.pool, 1, 1500 - 28));
	send_one(r.a, udp_frame(r.pool, 2, 1500 - 28 + 1));
	m = recv_one(r.b);
	CU_ASSERT_EQUAL(m->pkt_len, 1514);
	rte_pktmbuf_free(m);
	CU_ASSERT_PTR_NULL(recv_one(r.b));
	CU_ASSERT_EQUAL(r.b->ops->set_mtu(r.b, 600), 0);
	send_one(r.a, udp_frame(r.pool, 3, 600));
	weir_cable_stats(r.cable, 0, &s);
	CU_ASSERT_EQUAL(s.dropped_oversize, 2);
	CU_ASSERT_EQUAL(r.b->ops->set_mtu(r.b, 60), -EINVAL);
	rig_close(&r);
}

static void
received_frames_carry_nothing_of_the_sender(void)
{
	struct rig r;
	struct rte_mbuf *m;

	rig_open(&r, NULL);
	m = udp_frame(r.pool, 1, 10);
	m->ol_flags = RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_RX_RSS_HASH | RTE_MBUF_F_RX_L4_CKSUM_BAD |
		      RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED;
	m->vlan_tci = 5;
	m->packet_type = 7;
	m->l2_len = 14;
	m->port = 3;
	send_one(r.a, m);
	m = recv_one(r.b);
	CU_ASSERT_EQUAL(m->ol_flags, 0);
	CU_ASSERT_EQUAL(m->vlan_tci, 0);
	CU_ASSERT_EQUAL(m->packet_type, 0);
	CU_ASSERT_EQUAL(m->tx_offload, 0);
	CU_ASSERT_EQUAL(m->port, RTE_MBUF_PORT_INVALID);
	rte_pktmbuf_free(m);
	rig_close(&r);
}

static void
shared_and_chained_mbufs_pass(void)
{
	struct rig r;
	struct rte_mbuf *m;
	struct rte_mbuf *clone;

	rig_open(&r, NULL);
	m = tso_packet(r.pool, false, 1400, 1460);
	m->ol_flags &= ~RTE_MBUF_F_TX_TCP_SEG;
	clone = rte_pktmbuf_clone(m, r.pool);
	send_one(r.a, clone);
	clone = recv_one(r.b);
	CU_ASSERT_EQUAL(clone->nb_segs, 3);
	CU_ASSERT_NOT_EQUAL(RTE_MBUF_CLONED(clone), 0);
	rte_pktmbuf_free(clone);
	rte_pktmbuf_free(m);
	rig_close(&r);
}

static void
runts_and_garbage_pass(void)
{
	const struct weir_cable_conf conf = {.queues = 4};
	struct rig r;

	rig_open(&r, &conf);
	for (uint16_t len = 1; len < 80; len++) {
		struct rte_mbuf *m = rte_pktmbuf_alloc(r.pool);

		memset(rte_pktmbuf_append(m, len), len & 1 ? 0x08 : 0x81, len);
		if (len > 14)
			memcpy(rte_pktmbuf_mtod_offset(m, void *, 12), "\x86\xdd", 2);
		send_one(r.a, m);
	}
	rig_close(&r);
}

static void
names_are_unique_and_found(void)
{
	struct rig r;
	struct weir_cable *other;

	rig_open(&r, NULL);
	CU_ASSERT_PTR_EQUAL(weir_cable_find("rig"), r.cable);
	CU_ASSERT_PTR_NULL(weir_cable_find("gir"));
	CU_ASSERT_EQUAL(weir_cable_new("rig", NULL, &r.clock, &other), -EEXIST);
	CU_ASSERT_EQUAL(weir_cable_new("", NULL, &r.clock, &other), -EINVAL);
	CU_ASSERT_EQUAL(weir_cable_new("a:b", NULL, &r.clock, &other), -EINVAL);
	CU_ASSERT_EQUAL(weir_cable_new("this name is too long", NULL, NULL, &other), -EINVAL);
	rig_close(&r);
	CU_ASSERT_PTR_NULL(weir_cable_find("rig"));
}

static int
open_end(const char *device, uint16_t queues, struct weir_port **p, char *err)
{
	const struct weir_port_conf conf = {.name = "p0", .device = device, .n_queues = queues};

	return weir_cable_driver.open(&conf, p, err, 256);
}

static void
ends_open_by_name_and_the_last_close_frees(void)
{
	struct rte_mempool *pool = unit_pool("named", 15);
	struct weir_port *a, *b, *again;
	char err[256];

	CU_ASSERT_EQUAL_FATAL(open_end("c9:a,seed=7,depth=16", 2, &a, err), 0);
	CU_ASSERT_EQUAL_FATAL(open_end("c9:1", 4, &b, err), 0);
	CU_ASSERT_EQUAL(open_end("c9:b", 4, &again, err), -EBUSY);
	CU_ASSERT_EQUAL(a->info.n_queues, 2);
	CU_ASSERT_EQUAL(b->info.n_queues, 4);
	CU_ASSERT_STRING_EQUAL(b->info.name, "p0");
	CU_ASSERT_FALSE(weir_mac_eq(&a->info.mac, &b->info.mac));
	a->ops->start(a);
	send_one(a, udp_frame(pool, 1, 10)); /* the other end is not started: lost */
	b->ops->start(b);
	send_one(a, udp_frame(pool, 1, 10));
	send_one(b, udp_frame(pool, 1, 10));
	b->ops->close(b);
	CU_ASSERT_PTR_NOT_NULL(weir_cable_find("c9"));
	a->ops->close(a);
	CU_ASSERT_PTR_NULL(weir_cable_find("c9"));
	unit_pool_done(pool);
}

static void
an_end_of_an_existing_cable_can_be_opened_again(void)
{
	struct rig r;
	struct weir_port *p;
	char err[256];

	rig_open(&r, NULL);
	for (int i = 0; i < 2; i++) {
		CU_ASSERT_EQUAL_FATAL(open_end("rig:b", 1, &p, err), 0);
		p->ops->start(p);
		send_one(r.a, udp_frame(r.pool, 9, 10));
		rte_pktmbuf_free(recv_one(p));
		p->ops->close(p);
	}
	CU_ASSERT_PTR_NOT_NULL(weir_cable_find("rig"));
	rig_close(&r);
}

static void
bad_device_strings_say_what_is_allowed(void)
{
	static const char *const bad[] = {"", "c9", "c9:", "c9:c", "c9:ab", ":a", "c9:a,",
		"c9:a,x=1", "c9:a,loss=2", "c9:a,queues=1000", "c9:a,depth=x", "c9:a,lro=2",
		"a name that is far too long:a"};
	struct weir_port *p;
	char err[256];

	for (size_t i = 0; i < RTE_DIM(bad); i++) {
		err[0] = '\0';
		if (strcmp(bad[i], "c9:a,") == 0)
			continue; /* an empty parameter list: rte_kvargs takes it */
		CU_ASSERT_EQUAL(open_end(bad[i], 1, &p, err), -EINVAL);
		CU_ASSERT_NOT_EQUAL(err[0], '\0');
		CU_ASSERT_PTR_NULL(weir_cable_find("c9"));
	}
	CU_ASSERT_EQUAL(open_end("c9:a", 0, &p, err), -EINVAL);
}

static void
fewer_queues_than_workers_means_no_rss(void)
{
	struct weir_port *p;
	char err[256];

	CU_ASSERT_EQUAL_FATAL(open_end("c9:a,queues=2", 4, &p, err), 0);
	CU_ASSERT_EQUAL(p->info.n_queues, 2);
	CU_ASSERT_FALSE(p->info.caps & WEIR_PORT_RSS);
	p->ops->close(p);
}

static bool
is_readable(int fd, int timeout_ms)
{
	struct pollfd pfd = {.fd = fd, .events = POLLIN};

	return poll(&pfd, 1, timeout_ms) == 1;
}

static void
a_sleeping_reader_is_woken(void)
{
	const struct weir_port_conf conf = {.device = "rig:b", .n_queues = 1, .rx_intr = true};
	struct weir_impair impair = {.delay_us = 1000};
	struct rig r;
	struct weir_port *b;
	char err[256];
	int fd;

	rig_open(&r, NULL);
	CU_ASSERT_EQUAL_FATAL(weir_cable_driver.open(&conf, &b, err, sizeof(err)), 0);
	b->ops->start(b);
	CU_ASSERT_TRUE(b->info.caps & WEIR_PORT_RX_INTR);
	fd = b->ops->rx_fd(b, 0);
	CU_ASSERT_EQUAL(r.a->ops->rx_fd(r.a, 0), -ENOTSUP);
	send_one(r.a, udp_frame(r.pool, 1, 10));
	CU_ASSERT_FALSE(is_readable(fd, 0)); /* nobody asked */
	CU_ASSERT_EQUAL(b->ops->rx_intr(b, 0, true), 0);
	CU_ASSERT_TRUE(is_readable(fd, 1000)); /* it was there already */
	CU_ASSERT_EQUAL(b->ops->rx_intr(b, 0, false), 0);
	CU_ASSERT_FALSE(is_readable(fd, 0));
	rte_pktmbuf_free(recv_one(b));
	b->ops->rx_intr(b, 0, true);
	CU_ASSERT_FALSE(is_readable(fd, 0));
	send_one(r.a, udp_frame(r.pool, 1, 10));
	CU_ASSERT_TRUE(is_readable(fd, 1000));
	b->ops->rx_intr(b, 0, false);
	rte_pktmbuf_free(recv_one(b));
	weir_cable_set(r.cable, 0, &impair);
	b->ops->rx_intr(b, 0, true);
	send_one(r.a, udp_frame(r.pool, 1, 10));
	CU_ASSERT_TRUE(is_readable(fd, 1000)); /* when its delay is over */
	b->ops->rx_intr(b, 0, false);
	b->ops->close(b);
	rig_close(&r);
}

static void
impairments_change_while_frames_are_on_their_way(void)
{
	const struct weir_impair slow = {.delay_us = 500};
	const struct weir_impair none = {0};
	struct rig r;
	struct rte_mbuf *m[3];

	rig_open(&r, NULL);
	weir_cable_set(r.cable, 0, &slow);
	send_one(r.a, udp_frame(r.pool, 1, 10));
	weir_cable_set(r.cable, 0, &none);
	send_one(r.a, udp_frame(r.pool, 2, 10));
	CU_ASSERT_EQUAL(weir_port_rx(r.b, 0, m, 3), 1); /* no delay any more: it overtakes */
	CU_ASSERT_EQUAL(udp_sport(m[0]), 2);
	weir_clock_advance(&r.clock, 500);
	CU_ASSERT_EQUAL(weir_port_rx(r.b, 0, m + 1, 2), 1);
	CU_ASSERT_EQUAL(udp_sport(m[1]), 1);
	send_one(r.a, udp_frame(r.pool, 3, 10));
	m[2] = recv_one(r.b);
	CU_ASSERT_EQUAL(udp_sport(m[2]), 3);
	rte_pktmbuf_free_bulk(m, 3);
	rig_close(&r);
}

static void
impaired_directions_are_deterministic(void)
{
	const struct weir_cable_conf conf = {.seed = 42,
		.impair[0] = {.loss_ppm = 100000,
			.dup_ppm = 100000,
			.reorder_ppm = 100000,
			.corrupt_ppm = 100000,
			.jitter_us = 50}};
	uint32_t sums[2] = {0};

	for (int run = 0; run < 2; run++) {
		struct rig r;
		struct rte_mbuf *m;

		rig_open(&r, &conf);
		for (uint16_t i = 0; i < 500; i++) {
			send_one(r.a, udp_frame(r.pool, i, 10));
			weir_clock_advance(&r.clock, 10);
			while ((m = recv_one(r.b)) != NULL) {
				sums[run] = sums[run] * 31 +
					    rte_raw_cksum(rte_pktmbuf_mtod(m, void *), m->pkt_len);
				rte_pktmbuf_free(m);
			}
		}
		rig_close(&r);
	}
	CU_ASSERT_EQUAL(sums[0], sums[1]);
	CU_ASSERT_NOT_EQUAL(sums[0], 0);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(frames_arrive_in_order_and_by_pointer),
		UNIT(both_directions_are_independent),
		UNIT(a_full_queue_pushes_back),
		UNIT(a_pulled_cable_drops_and_counts),
		UNIT(a_stopped_end_takes_the_link_down),
		UNIT(frames_over_the_mtu_are_dropped),
		UNIT(received_frames_carry_nothing_of_the_sender),
		UNIT(shared_and_chained_mbufs_pass),
		UNIT(runts_and_garbage_pass),
		UNIT(names_are_unique_and_found),
		UNIT(ends_open_by_name_and_the_last_close_frees),
		UNIT(an_end_of_an_existing_cable_can_be_opened_again),
		UNIT(bad_device_strings_say_what_is_allowed),
		UNIT(fewer_queues_than_workers_means_no_rss),
		UNIT(a_sleeping_reader_is_woken),
		UNIT(impairments_change_while_frames_are_on_their_way),
		UNIT(impaired_directions_are_deterministic),
		{0},
	};

	return unit_main("cable", tests, true);
}
