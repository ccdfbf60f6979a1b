/* SPDX-License-Identifier: BSD-3-Clause */
/* What telemetry says of stacks, asked over its socket as weir-stat does. */
#include "pair.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_version.h>

#include "telemetry_priv.h"

#define ANSWER_MAX 16384

static char runtime_dir[128];

static int
telemetry_open(void)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	const int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);
	char greeting[512];

	snprintf(sun.sun_path, sizeof(sun.sun_path), "%.80s/dpdk_telemetry.v2", runtime_dir);
	CU_ASSERT_EQUAL_FATAL(connect(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	CU_ASSERT_FATAL(recv(fd, greeting, sizeof(greeting), 0) > 0);
	return fd;
}

/* The answer to a command, good for the next three calls. */
static const char *
ask(const char *command)
{
	static __thread char answers[4][ANSWER_MAX + 1];
	static __thread unsigned int turn;
	char *answer = answers[turn++ % RTE_DIM(answers)];
	const int fd = telemetry_open();
	ssize_t n;

	CU_ASSERT_EQUAL(send(fd, command, strlen(command), 0), (ssize_t)strlen(command));
	n = recv(fd, answer, ANSWER_MAX, 0);
	CU_ASSERT_FATAL(n > 0);
	answer[n] = '\0';
	close(fd);
	return answer;
}

static bool
has(const char *answer, const char *text)
{
	if (strstr(answer, text) != NULL)
		return true;
	printf("\n  no %s\n  in %s\n", text, answer);
	return false;
}

static unsigned int
count(const char *answer, const char *text)
{
	unsigned int n = 0;

	while ((answer = strstr(answer, text)) != NULL) {
		answer += strlen(text);
		n++;
	}
	return n;
}

/* The number behind name; 0 without. */
static uint64_t
number(const char *answer, const char *name)
{
	char key[64];
	const char *at;

	snprintf(key, sizeof(key), "\"%s\":", name);
	at = strstr(answer, key);
	return at == NULL ? 0 : strtoull(at + strlen(key), NULL, 10);
}

/* ---- stacks ---- */

static void
stacks_are_listed_while_they_live(void)
{
	struct pair p;

	CU_ASSERT_STRING_EQUAL(ask("/weir/stacks"), "{\"/weir/stacks\":[]}");
	CU_ASSERT(has(ask("/weir/ports"), "{\"error\":\"no stack\"}"));
	pair_open(&p, &(struct pair_conf){.seed = 1});
	CU_ASSERT_STRING_EQUAL(ask("/weir/stacks"), "{\"/weir/stacks\":[\"a\",\"b\"]}");
	CU_ASSERT(has(ask("/weir/workers"), "several stacks: name one"));
	CU_ASSERT(has(ask("/weir/workers,"), "several stacks: name one"));
	CU_ASSERT(has(ask("/weir/workers,c"), "no such stack"));
	CU_ASSERT(has(ask("/weir/workers,b"), "\"stack\":\"b\""));
	pair_close(&p);
	CU_ASSERT_STRING_EQUAL(ask("/weir/stacks"), "{\"/weir/stacks\":[]}");
}

static void
bad_parameters_are_refused(void)
{
	char command[600];
	struct pair p;

	pair_open(&p, &(struct pair_conf){.seed = 1});
	memset(command, 'x', sizeof(command));
	memcpy(command, "/weir/ports,", 12);
	command[sizeof(command) - 1] = '\0';
	CU_ASSERT(has(ask(command), "parameters too long"));
	CU_ASSERT(has(ask("/weir/counters,a,1"), "no such worker"));
	CU_ASSERT(has(ask("/weir/counters,a,-1"), "no such worker"));
	CU_ASSERT(has(ask("/weir/counter_help,x"), "no such layer"));
	CU_ASSERT(has(ask("/weir/ports,a,18446744073709551615"), "\"ports\":{}"));
	CU_ASSERT(has(ask("/weir/pools,a,18446744073709551615"), "\"pools\":{}"));
	CU_ASSERT(has(ask("/weir/workers,a,99999999999999999999"), "\"workers\":{}"));
	CU_ASSERT(has(ask("/weir/sockets,a,18446744073709551615"), "\"sockets\":{}"));
	CU_ASSERT(has(ask("/weir/sockets,a,4294967295"), "\"next\":4294967296"));
	pair_close(&p);
}

static void
ports_workers_and_pools_are_shown(void)
{
	const char *answer;
	struct pair p;
	int fa, fb;

	pair_open(&p, &(struct pair_conf){.workers = 2, .seed = 2});
	pair_connect(&p, AF_INET, 80, &fa, &fb);
	answer = ask("/weir/ports,a");
	CU_ASSERT(has(answer, "\"name\":\"p0\",\"driver\":\"wire\",\"device\":\"pair:a\""));
	CU_ASSERT(has(answer, "\"link\":\"up\""));
	CU_ASSERT(has(answer, "\"addresses\":[\"fe80::"));
	CU_ASSERT(has(answer, "\"10.0.0.1/24\""));
	CU_ASSERT(has(answer, "\"fd00::1/64\""));
	CU_ASSERT(number(answer, "rx_packets") > 0);
	answer = ask("/weir/workers,a");
	CU_ASSERT_EQUAL(count(answer, "\"turns\":"), 2);
	CU_ASSERT(has(answer, "\"running\":0"));
	answer = ask("/weir/pools,a");
	CU_ASSERT(has(answer, "{\"name\":\"sockets\",\"size\":1024,\"in_use\":1,\"free\":1023}"));
	CU_ASSERT(
		has(answer, "{\"name\":\"descriptors\",\"size\":1024,\"in_use\":1,\"free\":1023}"));
	CU_ASSERT_EQUAL(count(answer, "\"name\":\"mbufs "), 2);
	CU_ASSERT_EQUAL(count(answer, "\"name\":\"connections "), 2);
	CU_ASSERT_EQUAL(weir_close(p.a, fa), 0);
	CU_ASSERT_EQUAL(weir_close(p.b, fb), 0);
	pair_pass(&p, 120000000);
	pair_close(&p);
}

/* ---- counters ---- */

static void
every_counter_has_a_value_and_a_help_text(void)
{
	const char *help, *layers;
	char list[256], name[32], command[64], *all;
	unsigned int n_values, n_helps = 0;
	struct pair p;

	pair_open(&p, &(struct pair_conf){.seed = 3});
	all = strdup(ask("/weir/counters,a"));
	CU_ASSERT_PTR_NOT_NULL_FATAL(all);
	n_values = count(all, "\":") - 2; /* the command, "stack" */
	snprintf(list, sizeof(list), "%s", ask("/weir/counter_help"));
	layers = strchr(list, '[');
	CU_ASSERT_PTR_NOT_NULL_FATAL(layers);
	for (layers += 2; sscanf(layers, "%31[a-z_]", name) == 1; layers += strlen(name) + 3) {
		snprintf(command, sizeof(command), "/weir/counter_help,%s", name);
		help = ask(command);
		CU_ASSERT_EQUAL(count(help, "\"unit\":\""), count(help, "\"help\":\""));
		CU_ASSERT_EQUAL(count(help, "\"\""), 0); /* none is empty */
		n_helps += count(help, "\"help\":\"");
		n_values--; /* the layer itself */
		snprintf(command, sizeof(command), "\"%s\":{", name);
		CU_ASSERT(has(all, command));
	}
	CU_ASSERT(n_helps > 100);
	CU_ASSERT_EQUAL(n_helps, n_values);
	free(all);
	pair_close(&p);
}

static void
counters_are_those_of_the_workers_and_their_sum(void)
{
	struct pair p;
	uint64_t sum;

	pair_open(&p, &(struct pair_conf){.workers = 2, .seed = 4});
	p.a->workers[0]->tcp.stats.no_mbuf += 1000;
	p.a->workers[1]->tcp.stats.no_mbuf += 234;
	p.a->workers[1]->ifaces[0].stats.ra_taken += 7;
	p.a->workers[1]->core.mbuf_fail += 9;
	sum = number(ask("/weir/counters,a"), "no_mbuf");
	CU_ASSERT_EQUAL(sum, 1234);
	CU_ASSERT_EQUAL(number(ask("/weir/counters,a,0"), "no_mbuf"), 1000);
	CU_ASSERT_EQUAL(number(ask("/weir/counters,a,1"), "no_mbuf"), 234);
	CU_ASSERT_EQUAL(number(ask("/weir/counters,a,0"), "ra_taken"), 0);
	CU_ASSERT_EQUAL(number(ask("/weir/counters,a"), "ra_taken"), 7);
	CU_ASSERT_EQUAL(number(ask("/weir/counters,a,1"), "mbuf_fail"), 9);
	pair_close(&p);
}

/* ---- sockets ---- */

/* All pages of a's sockets, counting text in them. */
static unsigned int
count_in_pages(const char *text)
{
	unsigned int n = 0, pages = 0;
	const char *answer;
	char command[64];
	uint64_t next = 0;

	do {
		snprintf(
			command, sizeof(command), "/weir/sockets,a,%llu", (unsigned long long)next);
		answer = ask(command);
		n += count(answer, text);
		next = number(answer, "next");
	} while (next != 0 && ++pages < 100);
	CU_ASSERT(pages < 100);
	return n;
}

static void
sockets_are_shown_as_ss_does(void)
{
	struct sockaddr_storage ss;
	const char *fds, *conns;
	struct pair p;
	socklen_t len;
	int fa, fb, udp, listener;

	pair_open(&p, &(struct pair_conf){.seed = 5});
	pair_connect(&p, AF_INET6, 80, &fa, &fb);
	udp = weir_socket(p.a, AF_INET, SOCK_DGRAM, 0);
	len = pair_addr('a', AF_INET, 5000, &ss);
	CU_ASSERT_EQUAL(weir_bind(p.a, udp, (struct sockaddr *)&ss, len), 0);
	listener = weir_socket(p.a, AF_INET6, SOCK_STREAM, 0);
	len = pair_addr('a', AF_INET6, 8080, &ss);
	CU_ASSERT_EQUAL(weir_bind(p.a, listener, (struct sockaddr *)&ss, len), 0);
	CU_ASSERT_EQUAL(weir_listen(p.a, listener, 17), 0);
	CU_ASSERT_EQUAL(weir_send(p.a, fa, "0123456789", 10, 0), 10);
	weir_stack_step(p.a); /* sent, not acknowledged */

	fds = ask("/weir/sockets,a");
	conns = ask("/weir/sockets,a,4294967296");
	CU_ASSERT_EQUAL(number(fds, "next"), 4294967296u);
	CU_ASSERT(has(fds,
		"{\"proto\":\"udp\",\"state\":\"UNCONNECTED\",\"recv_q\":0,\"send_q\":0,\"lent\":0,"
		"\"local\":\"10.0.0.1:5000\",\"peer\":\"0.0.0.0:*\",\"worker\":-1,"));
	CU_ASSERT(has(fds,
		"{\"proto\":\"tcp\",\"state\":\"LISTEN\",\"recv_q\":0,\"send_q\":17,\"lent\":0,"
		"\"local\":\"[fd00::1]:8080\",\"peer\":\"[::]:*\",\"worker\":-1,"));
	CU_ASSERT_EQUAL(count(fds, "ESTABLISHED"), 0);
	CU_ASSERT(has(conns, "{\"proto\":\"tcp\",\"state\":\"ESTABLISHED\",\"recv_q\":0,\"send_q\":"
			     "10,\"lent\":0,"
			     "\"local\":\"[fd00::1]:"));
	CU_ASSERT(has(conns, "\"peer\":\"[fd00::2]:80\",\"worker\":0,"));
	CU_ASSERT(has(conns, "\"cc\":\"cubic\""));
	CU_ASSERT(number(conns, "cwnd") > 1000);
	CU_ASSERT(number(conns, "mss") > 1000);
	CU_ASSERT(number(conns, "rto_us") > 1000);
	CU_ASSERT_EQUAL(number(conns, "retransmits"), 0);
	CU_ASSERT_EQUAL(number(conns, "next"), 0);

	CU_ASSERT_EQUAL(weir_close(p.a, fa), 0);
	CU_ASSERT_EQUAL(weir_close(p.a, udp), 0);
	CU_ASSERT_EQUAL(weir_close(p.a, listener), 0);
	CU_ASSERT_EQUAL(weir_close(p.b, fb), 0);
	pair_pass(&p, 120000000);
	CU_ASSERT_EQUAL(count_in_pages("\"proto\""), 0);
	pair_close(&p);
}

static void
retransmissions_of_a_connection_are_counted(void)
{
	const struct weir_impair dead = {.loss_ppm = WEIR_PPM}, clean = {0};
	const char *conns;
	struct pair p;
	int fa, fb;

	pair_open(&p, &(struct pair_conf){.seed = 6});
	pair_connect(&p, AF_INET, 80, &fa, &fb);
	weir_cable_set(p.cable, 0, &dead);
	CU_ASSERT_EQUAL(weir_send(p.a, fa, "x", 1, 0), 1);
	pair_pass(&p, 2000000);
	conns = ask("/weir/sockets,a,4294967296");
	CU_ASSERT(number(conns, "retransmits") >= 2);
	CU_ASSERT_EQUAL(number(conns, "retries") + 1, number(conns, "retransmits")); /* a probe */
	weir_cable_set(p.cable, 0, &clean);
	pair_pass(&p, 10000000);
	conns = ask("/weir/sockets,a,4294967296");
	CU_ASSERT(number(conns, "retransmits") >= 2);
	CU_ASSERT_EQUAL(number(conns, "retries"), 0);
	CU_ASSERT_EQUAL(weir_close(p.a, fa), 0);
	CU_ASSERT_EQUAL(weir_close(p.b, fb), 0);
	pair_pass(&p, 120000000);
	pair_close(&p);
}

static void
many_sockets_come_in_pages(void)
{
	struct pair p;
	int fds[100];

	pair_open(&p, &(struct pair_conf){.workers = 2, .seed = 7});
	for (unsigned int i = 0; i < RTE_DIM(fds); i++) {
		fds[i] = weir_socket(p.a, AF_INET, i % 2 ? SOCK_DGRAM : SOCK_STREAM, 0);
		CU_ASSERT_FATAL(fds[i] >= 0);
	}
	CU_ASSERT_EQUAL(count(ask("/weir/sockets,a"), "\"proto\""), TEL_SOCKS_MAX);
	CU_ASSERT_EQUAL(count_in_pages("\"proto\""), 100);
	CU_ASSERT_EQUAL(count_in_pages("\"proto\":\"udp\""), 50);
	for (unsigned int i = 0; i < RTE_DIM(fds); i++)
		CU_ASSERT_EQUAL(weir_close(p.a, fds[i]), 0);
	pair_step(&p);
	pair_close(&p);
}

/* Every number at its largest, in place for as long as telemetry looks at it. */
static void
fill(struct weir_tcp_conn *c)
{
	memset(&c->flow, 0xff, sizeof(c->flow));
	c->state = WEIR_TCP_SYN_RECEIVED;
	c->retries = UINT8_MAX;
	c->mss = UINT16_MAX;
	c->cc.cwnd = c->cc.ssthresh = UINT32_MAX;
	c->srtt_us = c->rttvar_us = c->rto_us = UINT32_MAX;
	c->rexmits = c->snd.wnd = UINT32_MAX;
	c->snd.una = 0;
	c->iss = UINT32_MAX;
	c->snd.end = INT32_MAX;
}

static void
the_longest_page_fits_an_answer(void)
{
	const struct weir_slab *conns;
	const char *answer;
	struct pair p;
	int fa[TEL_SOCKS_MAX], fb[TEL_SOCKS_MAX];
	size_t len;
	void *saved;

	pair_open(&p, &(struct pair_conf){.seed = 8});
	for (unsigned int i = 0; i < TEL_SOCKS_MAX; i++)
		pair_connect(&p, AF_INET6, (uint16_t)(100 + i), &fa[i], &fb[i]);
	conns = &p.a->workers[0]->tcp.conns;
	len = conns->obj_size * (size_t)TEL_SOCKS_MAX;
	saved = malloc(len);
	CU_ASSERT_PTR_NOT_NULL_FATAL(saved);
	memcpy(saved, conns->base, len);
	for (unsigned int i = 0; i < TEL_SOCKS_MAX; i++)
		fill(weir_slab_at(conns, i));
	answer = ask("/weir/sockets,a,4294967296");
	memcpy(conns->base, saved, len);
	free(saved);
	CU_ASSERT_EQUAL(count(answer, "\"proto\""), TEL_SOCKS_MAX);
	CU_ASSERT_EQUAL(count(answer, "\"retransmits\":4294967295"), TEL_SOCKS_MAX);
	CU_ASSERT(strlen(answer) < ANSWER_MAX - 512); /* room for a longer name of a stack */
	for (unsigned int i = 0; i < TEL_SOCKS_MAX; i++) {
		weir_close(p.a, fa[i]);
		weir_close(p.b, fb[i]);
	}
	pair_pass(&p, 200000000);
	pair_close(&p);
}

static void
all_workers_are_shown_in_pages(void)
{
	struct tel_socks page = {0};
	struct pair p;
	int fa[8], fb[8];
	unsigned int conns = 0, fds = 0;
	bool seen[4] = {false};

	pair_open(&p, &(struct pair_conf){.workers = 4, .seed = 9});
	for (unsigned int i = 0; i < RTE_DIM(fa); i++)
		pair_connect(&p, AF_INET, (uint16_t)(100 + i), &fa[i], &fb[i]);
	while (page.at != TEL_END) {
		CU_ASSERT_EQUAL_FATAL(tel_socks_page(p.a, &page, TEL_ASK_US), 0);
		for (unsigned int i = 0; i < page.n; i++) {
			conns += page.sock[i].has_conn;
			fds += page.sock[i].fd >= 0;
			seen[page.sock[i].worker] = true;
		}
	}
	CU_ASSERT_EQUAL(conns, RTE_DIM(fa));
	CU_ASSERT_EQUAL(fds, RTE_DIM(fa));
	CU_ASSERT(seen[0] && seen[1] && seen[2] && seen[3]);
	for (unsigned int i = 0; i < RTE_DIM(fa); i++) {
		weir_close(p.a, fa[i]);
		weir_close(p.b, fb[i]);
	}
	pair_pass(&p, 200000000);
	pair_close(&p);
}

/* ---- workers that do not answer ---- */

static int
mark(struct weir_worker *w, void *arg)
{
	*(uint32_t *)arg += 1;
	w->stats.sleeps += 1000; /* so that the test sees that it ran */
	return 5;
}

static void
a_worker_that_is_late_gives_an_error_and_no_harm(void)
{
	struct tel_socks page = {.at = UINT64_C(1) << 32};
	uint32_t value = 1;
	struct pair p;

	pair_open(&p, &(struct pair_conf){.seed = 10});
	p.a->n_running = 1; /* as if somebody ran it */
	CU_ASSERT_EQUAL(tel_ask(p.a, 0, mark, &value, sizeof(value), 1000), -ETIMEDOUT);
	CU_ASSERT_EQUAL(value, 1);
	CU_ASSERT_EQUAL(tel_socks_page(p.a, &page, 1000), -ETIMEDOUT);
	CU_ASSERT_EQUAL(page.at, TEL_END);
	CU_ASSERT_EQUAL(p.a->workers[0]->stats.sleeps, 0);
	p.a->n_running = 0;
	weir_stack_step(p.a); /* the late answers */
	CU_ASSERT_EQUAL(p.a->workers[0]->stats.sleeps, 1000);
	CU_ASSERT_EQUAL(tel_ask(p.a, 0, mark, &value, sizeof(value), 1000), 5);
	CU_ASSERT_EQUAL(value, 2);
	pair_close(&p);
}

static void
a_worker_that_never_answers_leaves_nothing_behind(void)
{
	uint32_t value = 1;
	struct pair p;
	int rc = 0;

	pair_open(&p, &(struct pair_conf){.seed = 11});
	p.a->n_running = 1;
	for (unsigned int i = 0; i < 1000 && rc != -ENOBUFS; i++)
		rc = tel_ask(p.a, 0, mark, &value, sizeof(value), 0);
	CU_ASSERT_EQUAL(rc, -ENOBUFS);
	p.a->n_running = 0;
	pair_close(&p); /* the sanitizer sees what is left */
}

static void *
run_worker(void *arg)
{
	return (void *)(intptr_t)weir_stack_run(arg, 0);
}

static void
a_running_worker_answers(void)
{
	uint32_t value = 1;
	pthread_t thread;
	struct pair p;

	pair_open(&p, &(struct pair_conf){.seed = 12, .use_tsc = true});
	CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, run_worker, p.a), 0);
	while (!weir_stack_is_running(p.a))
		sched_yield();
	CU_ASSERT_EQUAL(tel_ask(p.a, 0, mark, &value, sizeof(value), 10000000), 5);
	CU_ASSERT_EQUAL(value, 2);
	CU_ASSERT(has(ask("/weir/workers,a"), "\"running\":1"));
	CU_ASSERT(has(ask("/weir/sockets,a,4294967296"), "\"sockets\":{}"));
	weir_stack_stop(p.a);
	pthread_join(thread, NULL);
	pair_close(&p);
}

/* ---- EAL with telemetry ---- */

/* Last of all: DPDK removes its socket when the process ends. */
static void
remove_runtime_dir(void)
{
	if (runtime_dir[0] != '\0')
		rmdir(runtime_dir);
}

static bool
start_eal(void)
{
	char prefix[64];
	char *eal[] = {"telemetry", "--no-huge", "--no-pci", "--no-shconf", prefix, "-m", "512",
		"--log-level=6", "--lcores=0@(0-1)", NULL};

	snprintf(prefix, sizeof(prefix), "--file-prefix=weir-test-%d", (int)getpid());
	atexit(remove_runtime_dir);
	if (rte_eal_init(RTE_DIM(eal) - 1, eal) < 0) {
		fprintf(stderr, "rte_eal_init: %s\n", rte_strerror(rte_errno));
		return false;
	}
	snprintf(runtime_dir, sizeof(runtime_dir), "%s", rte_eal_get_runtime_dir());
	return true;
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(stacks_are_listed_while_they_live),
		UNIT(bad_parameters_are_refused),
		UNIT(ports_workers_and_pools_are_shown),
		UNIT(every_counter_has_a_value_and_a_help_text),
		UNIT(counters_are_those_of_the_workers_and_their_sum),
		UNIT(sockets_are_shown_as_ss_does),
		UNIT(retransmissions_of_a_connection_are_counted),
		UNIT(many_sockets_come_in_pages),
		UNIT(the_longest_page_fits_an_answer),
		UNIT(all_workers_are_shown_in_pages),
		UNIT(a_worker_that_is_late_gives_an_error_and_no_harm),
		UNIT(a_worker_that_never_answers_leaves_nothing_behind),
		UNIT(a_running_worker_answers),
		{0},
	};
	int status;

	if (!start_eal())
		return EXIT_FAILURE;
	status = unit_main("telemetry", tests, false);
	rte_eal_cleanup();
	return status;
}
