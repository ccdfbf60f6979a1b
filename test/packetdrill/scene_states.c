/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What arrives in a state (RFC 9293 3.10.7, RFC 5961), and what the application sees of it then:
 * poll masks, SO_ERROR, what read and write say. The results are those of Linux.
 */
#include "scene.h"

#include <errno.h>
#include <netinet/in.h>

#define FAR	 100000 /* beyond any window without scale */
#define OVER	 (POLLIN | POLLOUT | POLLHUP | POLLRDHUP)
#define N_ORDERS 3 /* SO_ERROR, read, or write comes first */

static char room[4096];

enum state { ESTABLISHED, FIN_WAIT_1, FIN_WAIT_2, CLOSE_WAIT, CLOSING, LAST_ACK, TIME_WAIT };

/* A connection as it stands, numbers relative to the SYNs. */
struct at {
	int fd;
	uint32_t nxt; /* the peer's next */
	uint32_t max; /* ours */
	bool is_shut; /* by us */
	bool has_end; /* the peer's FIN has come */
};

/* What follows from an arrival. */
enum outcome { SILENCE, CHALLENGE, TAKEN, RESET };

struct arrival {
	const char *flags;
	int seq; /* from the peer's next on */
	int ack; /* from ours on */
	uint32_t len;
	enum outcome outcome;
};

/* For all states from ESTABLISHED to LAST_ACK. */
static const struct arrival arrivals[] = {
	{"R", 0, 0, 0, RESET},
	{"R.", 0, 0, 0, RESET},
	{"R.", 0, 1000, 0, RESET}, /* the ACK is not looked at */
	{"R", 10, 0, 0, CHALLENGE},
	{"R", -1000, 0, 0, SILENCE},
	{"R", FAR, 0, 0, SILENCE},
	{"S", 0, 0, 0, CHALLENGE},
	{"S", -1000, 0, 0, CHALLENGE},
	{"S", FAR, 0, 0, CHALLENGE},
	{"S.", 0, 0, 0, CHALLENGE},
	{"S.", -1, 0, 0, CHALLENGE},
	{"SF", 0, 0, 0, CHALLENGE},
	{"", 0, 0, 0, SILENCE},
	{"", 0, 0, 5, SILENCE},
	{"F", 0, 0, 0, SILENCE},
	{".", -1000, 0, 0, CHALLENGE},
	{".", FAR, 0, 0, CHALLENGE},
	{".", 0, 1000, 0, CHALLENGE},
	{".", 0, -FAR, 0, CHALLENGE},
	{"P.", -1000, 0, 5, CHALLENGE},
	{"P.", FAR, 0, 5, CHALLENGE},
	{"P.", 0, 1000, 5, CHALLENGE},
	{"F.", 0, 1000, 0, CHALLENGE},
	{"F.", -1000, 0, 0, CHALLENGE},
	{".", 0, 0, 0, TAKEN},
	{"P.", 0, 0, 5, TAKEN},
	{"F.", 0, 0, 0, TAKEN},
	{"PF.", 0, 0, 5, TAKEN},
};

#define N_ARRIVALS (sizeof(arrivals) / sizeof(arrivals[0]))

static int
child_of(struct scene *s, int lfd, uint16_t rport)
{
	int fd;

	s->lport = PORT;
	s->rport = rport;
	IN(s, .flags = "S", MSS_1460);
	OUT(s, .flags = "S.", .ack = 1);
	IN(s, .flags = ".", .seq = 1, .ack = 1);
	fd = s->t.accept(s->t.context, lfd, NULL, NULL);
	CHECK(s, fd >= 0);
	scene_set_nonblock(s, fd, true);
	return fd;
}

static void
peer_ends(struct scene *s, struct at *at)
{
	IN(s, .flags = "F.", .seq = 1, .ack = 1);
	OUT(s, .flags = ".", .seq = at->max, .ack = 2);
	at->nxt = 2;
	at->has_end = true;
}

static void
we_end(struct scene *s, struct at *at)
{
	EQUAL(s, s->t.shutdown(s->t.context, at->fd, SHUT_WR), 0);
	s->now_us = scene_time(s);
	OUT(s, .flags = "F.", .seq = 1, .ack = at->nxt);
	at->max = 2;
	at->is_shut = true;
}

static struct at
reach(struct scene *s, int lfd, enum state state, uint16_t rport)
{
	struct at at = {child_of(s, lfd, rport), .nxt = 1, .max = 1};

	if (state == CLOSE_WAIT || state == LAST_ACK)
		peer_ends(s, &at);
	if (state != ESTABLISHED && state != CLOSE_WAIT)
		we_end(s, &at);
	if (state == CLOSING)
		peer_ends(s, &at);
	if (state == FIN_WAIT_2 || state == TIME_WAIT)
		IN(s, .flags = ".", .seq = 1, .ack = 2);
	if (state != TIME_WAIT)
		return at;
	IN(s, .flags = "F.", .seq = 1, .ack = 2);
	OUT(s, .flags = ".", .seq = 2, .ack = 2);
	at.nxt = 2;
	at.has_end = true;
	return at;
}

/* The calls */

static void
read_is(struct scene *s, int line, int fd, long n, int error)
{
	const long got = s->t.read(s->t.context, fd, room, sizeof(room));

	if (error != 0)
		scene_fails(s, line, got, error, "read", strerror(error));
	else
		scene_equal(s, line, got, n, "read");
}

static void
write_is(struct scene *s, int line, int fd, int error)
{
	const long got = s->t.write(s->t.context, fd, room, 1);

	if (error != 0)
		scene_fails(s, line, got, error, "write", strerror(error));
	else
		scene_equal(s, line, got, 1, "write");
}

/* Over by error: told once, by whichever call comes first; a reader who saw the end sees it again.
 */
static void
see_over(struct scene *s, int line, int fd, int error, bool has_end, unsigned int order)
{
	const bool by_read = order == 1 && error != 0 && !has_end;
	const bool by_write = order == 2 && error != 0;

	scene_equal(s, line, scene_poll(s, fd), OVER | (error != 0 ? POLLERR : 0), "poll");
	if (order == 0)
		scene_equal(s, line, scene_error(s, fd), error, "SO_ERROR");
	if (order == 2)
		write_is(s, line, fd, by_write ? error : EPIPE);
	read_is(s, line, fd, 0, by_read ? error : 0);
	if (order == 1 && has_end)
		scene_equal(s, line, scene_error(s, fd), error, "SO_ERROR");
	write_is(s, line, fd, EPIPE);
	read_is(s, line, fd, 0, 0);
	scene_equal(s, line, scene_error(s, fd), 0, "SO_ERROR");
	scene_equal(s, line, scene_poll(s, fd), OVER, "poll");
}

static short
mask_of(const struct at *at, uint32_t n_read)
{
	return (short)(POLLOUT | (n_read > 0 || at->has_end ? POLLIN : 0) |
		       (at->has_end ? POLLRDHUP : 0) | (at->has_end && at->is_shut ? POLLHUP : 0));
}

static void
see_alive(struct scene *s, int line, const struct at *at, uint32_t n_read)
{
	scene_equal(s, line, scene_poll(s, at->fd), mask_of(at, n_read), "poll");
	scene_equal(s, line, scene_error(s, at->fd), 0, "SO_ERROR");
	if (n_read > 0)
		read_is(s, line, at->fd, n_read, 0);
	read_is(s, line, at->fd, 0, at->has_end ? 0 : EAGAIN);
	write_is(s, line, at->fd, at->is_shut ? EPIPE : 0);
}

/* ESTABLISHED to LAST_ACK */

static int
reset_error(enum state state)
{
	return state == CLOSE_WAIT ? EPIPE : ECONNRESET;
}

/* Text and FIN count until the peer's FIN has come; each is acknowledged at once. */
static void
see_taken(struct scene *s, struct at *at, const struct arrival *a)
{
	const bool has_fin = strchr(a->flags, 'F') != NULL;
	uint32_t n_read = 0;

	if (!at->has_end && (a->len > 0 || has_fin)) {
		n_read = a->len;
		at->nxt += a->len + has_fin;
		at->has_end = has_fin;
		OUT(s, .flags = ".", .seq = at->max, .ack = at->nxt);
	}
	see_alive(s, __LINE__, at, n_read);
}

/* What write() has sent; nothing else. The peer ends it all, so that the next case is alone. */
static void
leave(struct scene *s, const struct at *at, bool is_over)
{
	if (!is_over && !at->is_shut)
		OUT(s, .flags = "P.", .seq = at->max, .ack = at->nxt, .len = 1);
	IN(s, .flags = "R", .seq = at->nxt);
	EQUAL(s, s->t.close(s->t.context, at->fd), 0);
	QUIET(s);
}

static void
play_arrival(struct scene *s, int lfd, enum state state, const struct arrival *a, unsigned int i)
{
	struct at at = reach(s, lfd, state, (uint16_t)(PEER_PORT + i));

	IN(s, .flags = a->flags, .seq = at.nxt + (uint32_t)a->seq, .ack = at.max + (uint32_t)a->ack,
		.len = a->len);
	if (a->outcome == CHALLENGE)
		OUT(s, .flags = ".", .seq = at.max, .ack = at.nxt);
	if (a->outcome == RESET)
		see_over(s, __LINE__, at.fd, reset_error(state), at.has_end, i % N_ORDERS);
	else if (a->outcome == TAKEN)
		see_taken(s, &at, a);
	else
		see_alive(s, __LINE__, &at, 0);
	leave(s, &at, a->outcome == RESET);
}

static void
play_arrivals(struct scene *s, enum state state)
{
	const int lfd = scene_listen(s);

	for (unsigned int i = 0; i < N_ARRIVALS; i++) {
		const unsigned int before = s->failures;

		play_arrival(s, lfd, state, &arrivals[i], i);
		if (s->failures != before)
			printf("with %s seq %+d ack %+d len %u\n", arrivals[i].flags,
				arrivals[i].seq, arrivals[i].ack, arrivals[i].len);
	}
}

static void
seen_in_established(struct scene *s)
{
	play_arrivals(s, ESTABLISHED);
}

static void
seen_in_fin_wait_1(struct scene *s)
{
	play_arrivals(s, FIN_WAIT_1);
}

static void
seen_in_fin_wait_2(struct scene *s)
{
	play_arrivals(s, FIN_WAIT_2);
}

static void
seen_in_close_wait(struct scene *s)
{
	play_arrivals(s, CLOSE_WAIT);
}

static void
seen_in_closing(struct scene *s)
{
	play_arrivals(s, CLOSING);
}

static void
seen_in_last_ack(struct scene *s)
{
	play_arrivals(s, LAST_ACK);
}

/* RFC 1337: no RST ends it. To the application it is over. */
static void
seen_in_time_wait(struct scene *s)
{
	static const struct arrival all[] = {
		{"R", 0, 0, 0, SILENCE},
		{"R.", 0, 0, 0, SILENCE},
		{"R", 10, 0, 0, SILENCE},
		{".", 0, 0, 0, SILENCE},
		{"S", -1000, 0, 0, CHALLENGE},
		{"S.", 0, 0, 0, CHALLENGE},
		{".", 10, 0, 0, CHALLENGE},
		{"P.", 0, 0, 5, CHALLENGE},
		{"F.", -1, 0, 0, CHALLENGE}, /* its FIN again */
		{"F.", 0, 0, 0, CHALLENGE},
	};
	const int lfd = scene_listen(s);

	for (unsigned int i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		const struct arrival *a = &all[i];
		const struct at at = reach(s, lfd, TIME_WAIT, (uint16_t)(PEER_PORT + i));

		IN(s, .flags = a->flags, .seq = 2 + (uint32_t)a->seq, .ack = 2, .len = a->len);
		if (a->outcome == CHALLENGE)
			OUT(s, .flags = ".", .seq = 2, .ack = 2);
		see_alive(s, __LINE__, &at, 0);
		EQUAL(s, s->t.close(s->t.context, at.fd), 0);
		IN(s, .flags = "F.", .seq = 1, .ack = 2); /* it is still there */
		OUT(s, .flags = ".", .seq = 2, .ack = 2);
		QUIET(s);
	}
}

/* SYN_SENT, and SYN_RECEIVED of SYNs that crossed */

static int
call(struct scene *s, bool has_crossed)
{
	struct sockaddr_storage ss;
	const socklen_t len = scene_remote(s, &ss);
	const int fd = scene_socket(s, SOCK_STREAM | SOCK_NONBLOCK);

	s->rport = PORT;
	FAILS(s, s->t.connect(s->t.context, fd, (struct sockaddr *)&ss, len), EINPROGRESS);
	s->now_us = scene_time(s);
	OUT(s, .flags = "S");
	if (!has_crossed)
		return fd;
	IN(s, .flags = "S", MSS_1460);
	OUT(s, .flags = "S.", .ack = 1);
	return fd;
}

/* An arrival at a call, and the segment that answers it; flags NULL: none does. */
struct reply {
	const char *flags;
	uint32_t seq;
	uint32_t ack;
	uint32_t len;
	struct seg answer;
	bool is_over; /* refused */
};

static void
see_call(struct scene *s, int fd, bool is_over)
{
	struct sockaddr_storage ss;
	const socklen_t len = scene_remote(s, &ss);

	if (is_over) {
		EQUAL(s, scene_poll(s, fd), OVER | POLLERR);
		EQUAL(s, scene_error(s, fd), ECONNREFUSED);
		see_over(s, __LINE__, fd, 0, false, 0);
		return;
	}
	EQUAL(s, scene_poll(s, fd), 0);
	EQUAL(s, scene_error(s, fd), 0);
	read_is(s, __LINE__, fd, 0, EAGAIN);
	write_is(s, __LINE__, fd, EAGAIN);
	FAILS(s, s->t.connect(s->t.context, fd, (struct sockaddr *)&ss, len), EALREADY);
}

static void
play_replies(struct scene *s, const struct reply *all, unsigned int n, bool has_crossed)
{
	for (unsigned int i = 0; i < n; i++) {
		const unsigned int before = s->failures;
		const struct reply *p = &all[i];
		const int fd = call(s, has_crossed);

		IN(s, .flags = p->flags, .seq = p->seq, .ack = p->ack, .len = p->len);
		if (p->answer.flags != NULL)
			scene_out(s, __LINE__, &p->answer);
		see_call(s, fd, p->is_over);
		if (!p->is_over) /* the end of the attempt */
			IN(s, .flags = "R.", .seq = has_crossed, .ack = 1);
		EQUAL(s, s->t.close(s->t.context, fd), 0);
		QUIET(s);
		if (s->failures != before)
			printf("with %s seq %u ack %u len %u\n", p->flags, p->seq, p->ack, p->len);
	}
}

static void
seen_in_syn_sent(struct scene *s)
{
	static const struct reply all[] = {
		{"R", .seq = 0},
		{"R.", .ack = 0},
		{"R.", .ack = 2},
		{"R.", .ack = 1, .is_over = true},
		{"R.", .seq = 1000, .ack = 1, .len = 5, .is_over = true},
		{".", .ack = 1},
		{".", .ack = -1U, .answer = {"R", .seq = -1U}},
		{".", .ack = 2, .answer = {"R", .seq = 2}},
		{"S.", .ack = 2, .answer = {"R", .seq = 2}},
		{"P.", .ack = 1, .len = 5},
		{"F", .seq = 0},
		{"F.", .ack = 1},
		{"F.", .ack = 2, .answer = {"R", .seq = 2}},
		{"", .seq = 0},
	};

	play_replies(s, all, sizeof(all) / sizeof(all[0]), false);
}

static void
seen_in_syn_received_of_crossed_syns(struct scene *s)
{
	static const struct reply all[] = {
		{"R", .seq = 1, .is_over = true},
		{"R.", .seq = 1, .ack = 1, .is_over = true},
		{"R", .seq = 10, .answer = {".", .seq = 1, .ack = 1}},
		{"R", .seq = 0},
		{"S", .seq = 0, .answer = {".", .seq = 1, .ack = 1}},
		{"S", .seq = 10, .answer = {".", .seq = 1, .ack = 1}},
		{".", .seq = 1, .ack = 2, .answer = {"R", .seq = 2}},
		{"S.", .seq = 0, .ack = 2, .answer = {".", .seq = 1, .ack = 1}},
		{"P.", .seq = FAR, .ack = 1, .len = 5, .answer = {".", .seq = 1, .ack = 1}},
		{"F", .seq = 1},
		{"", .seq = 1, .len = 5},
	};

	play_replies(s, all, sizeof(all) / sizeof(all[0]), true);
}

/* What completes it: poll, and what came with it. */
static void
crossed_syns_are_completed(struct scene *s)
{
	static const struct reply all[] = {
		{"S.", .seq = 0, .ack = 1, .answer = {".", .seq = 1, .ack = 1}},
		{".", .seq = 1, .ack = 1},
		{"P.", .seq = 1, .ack = 1, .len = 5, .answer = {".", .seq = 1, .ack = 6}},
		{"F.", .seq = 1, .ack = 1, .answer = {".", .seq = 1, .ack = 2}},
	};

	for (unsigned int i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct at at = {call(s, true), .nxt = 1 + all[i].len, .max = 1};

		IN(s, .flags = all[i].flags, .seq = all[i].seq, .ack = 1, .len = all[i].len);
		if (all[i].answer.flags != NULL)
			scene_out(s, __LINE__, &all[i].answer);
		at.has_end = all[i].flags[0] == 'F';
		at.nxt += at.has_end;
		see_alive(s, __LINE__, &at, all[i].len);
		leave(s, &at, false);
	}
}

/* RFC 9293 3.10.4, SYN-RECEIVED: the end waits for what it follows. */
static void
shutdown_of_crossed_syns_ends_them_in_order(struct scene *s)
{
	const int fd = call(s, true);

	EQUAL(s, s->t.shutdown(s->t.context, fd, SHUT_WR), 0);
	QUIET(s);
	IN(s, .flags = ".", .seq = 1, .ack = 1);
	OUT(s, .flags = "F.", .seq = 1, .ack = 1);
	IN(s, .flags = "F.", .seq = 1, .ack = 2);
	OUT(s, .flags = ".", .seq = 2, .ack = 2);
	EQUAL(s, s->t.read(s->t.context, fd, room, 1), 0);
	EQUAL(s, s->t.close(s->t.context, fd), 0);
	QUIET(s);
}

/* LISTEN and its SYN_RECEIVED */

static void
accept_fails(struct scene *s, int lfd)
{
	EQUAL(s, scene_poll(s, lfd), 0);
	EQUAL(s, scene_error(s, lfd), 0);
	FAILS(s, s->t.accept(s->t.context, lfd, NULL, NULL), EAGAIN);
}

/* Whatever ends an attempt, the listener says nothing, and takes the next one. */
static void
seen_in_syn_received_of_a_listener(struct scene *s)
{
	static const struct reply all[] = {
		{"R", .seq = 1},
		{"R.", .seq = 1, .ack = 1},
		{"R", .seq = 0},
		{"R", .seq = 10, .answer = {".", .seq = 1, .ack = 1}},
		{"S", .seq = 0, .answer = {"S.", .seq = 0, .ack = 1}},
		{"S", .seq = FAR, .answer = {".", .seq = 1, .ack = 1}},
		{".", .seq = 1, .ack = 2, .answer = {"R", .seq = 2}},
		{".", .seq = 1, .ack = -1U, .answer = {"R", .seq = -1U}},
		{"S.", .seq = 1, .ack = 5, .answer = {"R", .seq = 5}},
		{"P.", .seq = FAR, .ack = 1, .len = 5, .answer = {".", .seq = 1, .ack = 1}},
		{"F", .seq = 1},
		{"", .seq = 1, .len = 5},
	};
	const int lfd = scene_listen(s);

	scene_set_nonblock(s, lfd, true);
	for (unsigned int i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		const struct reply *p = &all[i];

		s->rport = (uint16_t)(PEER_PORT + i);
		IN(s, .flags = "S", MSS_1460);
		OUT(s, .flags = "S.", .ack = 1);
		IN(s, .flags = p->flags, .seq = p->seq, .ack = p->ack, .len = p->len);
		if (p->answer.flags != NULL)
			scene_out(s, __LINE__, &p->answer);
		accept_fails(s, lfd);
		IN(s, .flags = "R", .seq = 1);
		QUIET(s);
	}
	EQUAL(s, s->t.close(s->t.context, child_of(s, lfd, PEER_PORT)), 0);
}

/* What completes it: the child has what came, also when it is over before it is accepted. */
static void
child_has_what_came_before_accept(struct scene *s)
{
	const int lfd = scene_listen(s);
	struct at at = {.nxt = 7, .max = 1, .has_end = true};

	scene_set_nonblock(s, lfd, true);
	IN(s, .flags = "S", MSS_1460);
	OUT(s, .flags = "S.", .ack = 1);
	IN(s, .flags = "PF.", .seq = 1, .ack = 1, .len = 5);
	OUT(s, .flags = ".", .seq = 1, .ack = 7);
	EQUAL(s, scene_poll(s, lfd), POLLIN);
	at.fd = s->t.accept(s->t.context, lfd, NULL, NULL);
	scene_set_nonblock(s, at.fd, true);
	see_alive(s, __LINE__, &at, 5);
	leave(s, &at, false);

	s->rport++;
	IN(s, .flags = "S", MSS_1460);
	OUT(s, .flags = "S.", .ack = 1);
	IN(s, .flags = ".", .seq = 1, .ack = 1);
	IN(s, .flags = "R", .seq = 1);
	EQUAL(s, scene_poll(s, lfd), POLLIN);
	at.fd = s->t.accept(s->t.context, lfd, NULL, NULL);
	see_over(s, __LINE__, at.fd, ECONNRESET, false, 1);
}

static void
play_reset_generation(struct scene *s)
{
	static const struct reply all[] = {
		{".", .seq = 5, .ack = 77, .answer = {"R", .seq = 77}},
		{"P.", .seq = 5, .ack = 77, .len = 5, .answer = {"R", .seq = 77}},
		{"S.", .seq = 5, .ack = 77, .answer = {"R", .seq = 77}},
		{"F.", .seq = 5, .ack = 77, .answer = {"R", .seq = 77}},
		{"R", .seq = 5},
		{"R.", .seq = 5, .ack = 77},
		{"SR", .seq = 5},
	};

	s->iss = 0;
	for (unsigned int i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		IN(s, .flags = all[i].flags, .seq = all[i].seq, .ack = all[i].ack,
			.len = all[i].len);
		if (all[i].answer.flags != NULL)
			scene_out(s, __LINE__, &all[i].answer);
		QUIET(s);
	}
}

/* Without an ACK: number 0, and all of the segment acknowledged. */
static void
play_reset_of_unacknowledging(struct scene *s)
{
	static const struct reply all[] = {
		{"S", .seq = 5, .ack = 6},
		{"S", .seq = 5, .len = 5, .ack = 11},
		{"SF", .seq = 5, .len = 5, .ack = 12},
		{"F", .seq = 5, .ack = 6},
		{"P", .seq = 5, .len = 5, .ack = 10},
		{"", .seq = 5, .ack = 5},
	};

	s->iss = 0;
	for (unsigned int i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		IN(s, .flags = all[i].flags, .seq = all[i].seq, .len = all[i].len);
		OUT(s, .flags = "R.", .seq = 0, .ack = all[i].ack);
	}
}

static void
resets_of_no_socket(struct scene *s)
{
	s->lport = PORT;
	s->rport = PEER_PORT;
	play_reset_generation(s);
	play_reset_of_unacknowledging(s);
}

/* What opens nothing is passed over in silence; the listener goes on. */
static void
resets_of_a_listener(struct scene *s)
{
	const int lfd = scene_listen(s);

	scene_set_nonblock(s, lfd, true);
	play_reset_generation(s);
	IN(s, .flags = "F", .seq = 5);
	IN(s, .flags = "", .seq = 5, .len = 5);
	IN(s, .flags = "SF", .seq = 5);
	QUIET(s);
	accept_fails(s, lfd);
	EQUAL(s, s->t.close(s->t.context, child_of(s, lfd, PEER_PORT)), 0);
}

static void
resets_of_closed_sockets(struct scene *s)
{
	const int lfd = scene_listen(s);
	const int fd = child_of(s, lfd, PEER_PORT);

	EQUAL(s, s->t.close(s->t.context, lfd), 0);
	IN(s, .flags = "R", .seq = 1);
	EQUAL(s, scene_error(s, fd), ECONNRESET); /* the descriptor is still there */
	play_reset_generation(s);
	play_reset_of_unacknowledging(s);
	EQUAL(s, s->t.close(s->t.context, fd), 0);
	play_reset_generation(s);
}

const struct scene_entry scenes_states[] = {
	SCENE(seen_in_established),
	SCENE(seen_in_fin_wait_1),
	SCENE(seen_in_fin_wait_2),
	SCENE(seen_in_close_wait),
	SCENE(seen_in_closing),
	SCENE(seen_in_last_ack),
	SCENE(seen_in_time_wait),
	SCENE(seen_in_syn_sent),
	SCENE(seen_in_syn_received_of_crossed_syns),
	SCENE(crossed_syns_are_completed),
	SCENE(shutdown_of_crossed_syns_ends_them_in_order),
	SCENE(seen_in_syn_received_of_a_listener),
	SCENE(child_has_what_came_before_accept),
	SCENE(resets_of_no_socket),
	SCENE(resets_of_a_listener),
	SCENE(resets_of_closed_sockets),
	{NULL},
};
