/* SPDX-License-Identifier: BSD-3-Clause */
#include "scene.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#define IP4_HLEN 20
#define IP6_HLEN 40
#define TCP_HLEN 20
#define TCP	 6
#define UDP	 17
#define ICMP6	 58
#define WINDOW	 32792

static const char *const local_text[] = {"192.168.0.1", "fd3d:a0b:17d6::1", "::ffff:192.168.0.1"};
static const char *const remote_text[] = {"192.0.2.1", "2001:db8::1", "::ffff:192.0.2.1"};

/* Checks */

static void
complain(struct scene *s, int line)
{
	static const char *const kinds[] = {"ipv4", "ipv6", "ipv4-mapped"};

	s->failures++;
	printf("%s (%s) line %d: ", s->name, kinds[s->kind], line);
}

void
scene_check(struct scene *s, int line, bool is_right, const char *what)
{
	if (is_right)
		return;
	complain(s, line);
	printf("not so: %s\n", what);
}

void
scene_equal(struct scene *s, int line, long long got, long long wanted, const char *what)
{
	const int error = errno;

	if (got == wanted)
		return;
	complain(s, line);
	printf("%s: %lld, not %lld%s%s\n", what, got, wanted, got == -1 ? ": " : "",
		got == -1 ? strerror(error) : "");
}

void
scene_fails(struct scene *s, int line, long long got, int error, const char *what, const char *name)
{
	const int had = errno;

	if (got == -1 && had == error)
		return;
	complain(s, line);
	printf("%s: %lld (%s), not -1 (%s)\n", what, got, got == -1 ? strerror(had) : "fine", name);
}

/* Time */

long long
scene_time(struct scene *s)
{
	struct timeval tv;

	s->t.gettimeofday(s->t.context, &tv, NULL);
	return tv.tv_sec * 1000000LL + tv.tv_usec;
}

void
scene_wait(struct scene *s, unsigned int ms)
{
	const long long until = scene_time(s) + ms * MS;

	if (ms > 0)
		s->t.usleep(s->t.context, ms * MS - 20);
	while (scene_time(s) < until) {
	}
	s->now_us = until;
}

/* Addresses */

static bool
is_v6_wire(const struct scene *s)
{
	return s->kind == IPV6;
}

static socklen_t
address(const char *text, uint16_t port, struct sockaddr_storage *ss)
{
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ss;
	struct sockaddr_in *in = (struct sockaddr_in *)ss;

	memset(ss, 0, sizeof(*ss));
	if (strchr(text, ':') == NULL) {
		*in = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port)};
		inet_pton(AF_INET, text, &in->sin_addr);
		return sizeof(*in);
	}
	*in6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(port)};
	inet_pton(AF_INET6, text, &in6->sin6_addr);
	return sizeof(*in6);
}

socklen_t
scene_local(const struct scene *s, struct sockaddr_storage *ss)
{
	return address(local_text[s->kind], PORT, ss);
}

socklen_t
scene_remote(const struct scene *s, struct sockaddr_storage *ss)
{
	return address(remote_text[s->kind], PORT, ss);
}

bool
scene_is_peer(const struct scene *s, const struct sockaddr_storage *ss, socklen_t len)
{
	struct sockaddr_storage peer;

	return len == address(remote_text[s->kind], s->rport, &peer) && memcmp(ss, &peer, len) == 0;
}

/* Packets */

static uint32_t
sum(const uint8_t *data, size_t len, uint32_t from)
{
	for (size_t i = 0; i < len; i++)
		from += i % 2 == 0 ? (uint32_t)data[i] << 8 : data[i];
	while (from >> 16)
		from = (from & 0xffff) + (from >> 16);
	return from;
}

static void
put16(uint8_t *to, uint32_t v)
{
	to[0] = (uint8_t)(v >> 8);
	to[1] = (uint8_t)v;
}

static void
put32(uint8_t *to, uint32_t v)
{
	put16(to, v >> 16);
	put16(to + 2, v & 0xffff);
}

static uint32_t
get16(const uint8_t *from)
{
	return (uint32_t)from[0] << 8 | from[1];
}

static uint32_t
get32(const uint8_t *from)
{
	return get16(from) << 16 | get16(from + 2);
}

/* IP header from..to; returns its length. */
static size_t
put_ip(const struct scene *s, uint8_t *ip, uint8_t protocol, size_t len)
{
	if (is_v6_wire(s)) {
		memset(ip, 0, IP6_HLEN);
		ip[0] = 0x60;
		put16(ip + 4, (uint32_t)len);
		ip[6] = protocol;
		ip[7] = 255;
		inet_pton(AF_INET6, remote_text[IPV6], ip + 8);
		inet_pton(AF_INET6, local_text[IPV6], ip + 24);
		return IP6_HLEN;
	}
	memset(ip, 0, IP4_HLEN);
	ip[0] = 0x45;
	put16(ip + 2, (uint32_t)(IP4_HLEN + len));
	ip[8] = 255;
	ip[9] = protocol;
	inet_pton(AF_INET, remote_text[IPV4], ip + 12);
	inet_pton(AF_INET, local_text[IPV4], ip + 16);
	put16(ip + 10, ~sum(ip, IP4_HLEN, 0) & 0xffff);
	return IP4_HLEN;
}

/* Sum of addresses, protocol and length (pseudo header) and payload. */
static uint32_t
sum_l4(const struct scene *s, const uint8_t *ip, uint8_t protocol, const uint8_t *l4, size_t len)
{
	const uint32_t pseudo = is_v6_wire(s) ? sum(ip + 8, 32, 0) : sum(ip + 12, 8, 0);

	return sum(l4, len, pseudo + protocol + (uint32_t)len);
}

void
scene_in_ip(struct scene *s, uint8_t protocol, const uint8_t *payload, size_t len)
{
	const size_t hlen = put_ip(s, s->packet, protocol, len);
	uint8_t *l4 = s->packet + hlen;
	const size_t at = protocol == TCP ? 16 : protocol == UDP ? 6 : 2;

	memmove(l4, payload, len);
	if (get16(l4 + at) == 0)
		put16(l4 + at, ~(protocol == 1 ? sum(l4, len, 0)
					       : sum_l4(s, s->packet, protocol, l4, len)) &
				       0xffff);
	s->now_us = scene_time(s);
	if (s->t.netdev_send(s->t.context, s->packet, hlen + len) != 0) {
		complain(s, 0);
		printf("netdev_send: %s\n", strerror(errno));
	}
}

static uint8_t
flag_bits(const char *flags)
{
	static const struct {
		char c;
		uint8_t bit;
	} bits[] = {{'F', 1}, {'S', 2}, {'R', 4}, {'P', 8}, {'.', 16}, {'U', 32}, {'E', 64},
		{'W', 128}};
	uint8_t all = 0;

	for (size_t i = 0; i < sizeof(bits) / sizeof(bits[0]); i++)
		all |= strchr(flags, bits[i].c) != NULL ? bits[i].bit : 0;
	return all;
}

void
scene_in(struct scene *s, const struct seg *seg)
{
	uint8_t *tcp = calloc(1, PACKET_MAX);
	const size_t hlen = TCP_HLEN + seg->n_opts;

	if (seg->at_ms != 0)
		scene_wait(s, seg->at_ms);
	put16(tcp, s->rport);
	put16(tcp + 2, s->lport);
	put32(tcp + 4, s->irs + seg->seq);
	put32(tcp + 8, strchr(seg->flags, '.') != NULL ? s->iss + seg->ack : 0);
	tcp[12] = (uint8_t)(hlen / 4 << 4);
	tcp[13] = flag_bits(seg->flags);
	put16(tcp + 14, seg->win == SHUT ? 0 : seg->win != 0 ? seg->win : WINDOW);
	put16(tcp + 16, seg->is_bad ? 0xdead : 0);
	if (seg->n_opts > 0)
		memcpy(tcp + TCP_HLEN, seg->opts, seg->n_opts);
	scene_in_ip(s, TCP, tcp, hlen + seg->len);
	free(tcp);
}

uint8_t *
scene_out_ip(struct scene *s, uint8_t *protocol, size_t *len)
{
	const size_t hlen = is_v6_wire(s) ? IP6_HLEN : IP4_HLEN;
	long long at_us = 0;

	*len = PACKET_MAX;
	if (s->t.netdev_receive(s->t.context, s->packet, len, &at_us) != 0 || *len == 0) {
		*len = 0;
		return s->packet;
	}
	s->now_us = at_us;
	if (*len < hlen || s->packet[0] >> 4 != (is_v6_wire(s) ? 6 : 4) ||
		(!is_v6_wire(s) && (uint16_t)sum(s->packet, IP4_HLEN, 0) != 0xffff)) {
		complain(s, 0);
		printf("packet of %zu bytes with a bad IP header\n", *len);
	}
	*protocol = s->packet[is_v6_wire(s) ? 6 : 9];
	*len -= hlen;
	return s->packet + hlen;
}

static void
print_flags(uint8_t bits)
{
	for (int i = 0; i < 8; i++)
		if (bits & 1 << i)
			putchar("FSRP.UEW"[i]);
}

/* Learn what is not known yet: our first sequence number, our port. */
static void
learn(struct scene *s, const uint8_t *tcp)
{
	if (!(tcp[13] & 2))
		return;
	s->iss = get32(tcp + 4);
	s->lport = (uint16_t)get16(tcp);
}

static const char *
difference(const struct scene *s, const uint8_t *tcp, size_t len, const struct seg *wanted)
{
	const size_t hlen = (size_t)(tcp[12] >> 4) * 4;

	if (tcp[13] != flag_bits(wanted->flags))
		return "flags";
	if (get32(tcp + 4) != (tcp[13] == 4 && wanted->seq == 0 ? 0 : s->iss + wanted->seq))
		return "seq";
	if ((tcp[13] & 16) && get32(tcp + 8) != s->irs + wanted->ack)
		return "ack";
	if (len - hlen != wanted->len)
		return "length";
	if (wanted->win != 0 && get16(tcp + 14) != wanted->win)
		return "window";
	if (wanted->opts != NULL &&
		(hlen - TCP_HLEN != wanted->n_opts ||
			memcmp(tcp + TCP_HLEN, wanted->opts, wanted->n_opts) != 0))
		return "options";
	if (get16(tcp) != s->lport || get16(tcp + 2) != s->rport)
		return "ports";
	for (size_t i = hlen; i < len; i++)
		if (tcp[i] != 0)
			return "payload";
	if (s->is_pieced)
		return NULL;
	return (uint16_t)sum_l4(s, s->packet, TCP, tcp, len) != 0xffff ? "checksum" : NULL;
}

/* A large segment comes in pieces, as the tool puts them together: the last one's flags count. */
static size_t
take_pieces(struct scene *s, uint8_t *tcp, size_t len, const struct seg *wanted)
{
	const size_t hlen = (size_t)(tcp[12] >> 4) * 4;
	const long long at_us = s->now_us;

	while (len > hlen && len - hlen < wanted->len && get32(tcp + 4) - s->iss == wanted->seq) {
		uint8_t *whole = malloc(PACKET_MAX);
		uint8_t protocol;
		size_t n;

		memcpy(whole, tcp, len);
		scene_out_ip(s, &protocol, &n);
		if (n <= hlen || len + n - hlen > PACKET_MAX - IP6_HLEN) {
			memcpy(tcp, whole, len);
			free(whole);
			break;
		}
		whole[13] = tcp[13];
		memcpy(whole + len, tcp + hlen, n - hlen);
		len += n - hlen;
		memcpy(tcp, whole, len);
		free(whole);
		s->is_pieced = true;
	}
	s->now_us = at_us;
	return len;
}

void
scene_out(struct scene *s, int line, const struct seg *wanted)
{
	const long long due = s->now_us + wanted->at_ms * MS;
	uint8_t *tcp;
	const char *what;
	uint8_t protocol;
	size_t len;

	if (wanted->at_ms != 0)
		scene_wait(s, wanted->at_ms + 1);
	tcp = scene_out_ip(s, &protocol, &len);
	if (len < TCP_HLEN || protocol != TCP) {
		complain(s, line);
		printf("no segment came out, wanted %s\n", wanted->flags);
		return;
	}
	learn(s, tcp);
	s->is_pieced = false;
	len = take_pieces(s, tcp, len, wanted);
	what = difference(s, tcp, len, wanted);
	if (what != NULL) {
		complain(s, line);
		printf("%s: got ", what);
		print_flags(tcp[13]);
		printf(" seq %u ack %u len %zu win %u, wanted %s seq %u ack %u len %u win %u\n",
			get32(tcp + 4) - s->iss, get32(tcp + 8) - s->irs,
			len - (size_t)(tcp[12] >> 4) * 4, get16(tcp + 14), wanted->flags,
			wanted->seq, wanted->ack, wanted->len, wanted->win);
	}
	if (llabs(s->now_us - due) > TOLERANCE_US) {
		complain(s, line);
		printf("%s left %+.1f ms from when it should\n", wanted->flags,
			(double)(s->now_us - due) / MS);
	}
}

void
scene_quiet(struct scene *s, int line)
{
	const long long before = s->now_us;
	uint8_t protocol;
	size_t len;
	const uint8_t *tcp = scene_out_ip(s, &protocol, &len);

	if (len == 0) {
		s->now_us = scene_time(s);
		return;
	}
	complain(s, line);
	printf("a packet came out %.1f ms after the last event: ",
		(double)(s->now_us - before) / MS);
	print_flags(tcp[13]);
	printf(" seq %u ack %u len %zu\n", get32(tcp + 4) - s->iss, get32(tcp + 8) - s->irs,
		len - (size_t)(tcp[12] >> 4) * 4);
}

/* Sockets */

uint32_t
scene_mss(const struct scene *s)
{
	return is_v6_wire(s) ? 1440 : 1460;
}

int
scene_socket(struct scene *s, int type)
{
	return s->t.socket(s->t.context, s->kind == IPV4 ? AF_INET : AF_INET6, type, 0);
}

int
scene_sockopt(struct scene *s, int fd, int level, int name, int value)
{
	return s->t.setsockopt(s->t.context, fd, level, name, &value, sizeof(value));
}

int
scene_error(struct scene *s, int fd)
{
	int error = -1;
	socklen_t len = sizeof(error);

	s->t.getsockopt(s->t.context, fd, SOL_SOCKET, SO_ERROR, &error, &len);
	return error;
}

short
scene_poll(struct scene *s, int fd)
{
	struct pollfd pfd = {.fd = fd, .events = POLLIN | POLLOUT | POLLRDHUP};

	s->t.poll(s->t.context, &pfd, 1, 0);
	return pfd.revents;
}

void
scene_set_nonblock(struct scene *s, int fd, bool on)
{
	s->t.fcntl(s->t.context, fd, F_SETFL, O_RDWR | (on ? O_NONBLOCK : 0));
}

int
scene_listen(struct scene *s)
{
	struct sockaddr_storage ss;
	const socklen_t len = scene_local(s, &ss);
	const int fd = scene_socket(s, SOCK_STREAM);

	EQUAL(s, scene_sockopt(s, fd, SOL_SOCKET, SO_REUSEADDR, 1), 0);
	EQUAL(s, s->t.bind(s->t.context, fd, (struct sockaddr *)&ss, len), 0);
	EQUAL(s, s->t.listen(s->t.context, fd, 5), 0);
	s->lport = PORT;
	s->rport = PEER_PORT;
	return fd;
}

int
scene_accepted(struct scene *s, int *listener)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	const int lfd = scene_listen(s);
	int fd;

	IN(s, .flags = "S", MSS_1460);
	OUT(s, .flags = "S.", .ack = 1);
	IN(s, .flags = ".", .seq = 1, .ack = 1);
	fd = s->t.accept(s->t.context, lfd, (struct sockaddr *)&ss, &len);
	CHECK(s, fd >= 0);
	CHECK(s, scene_is_peer(s, &ss, len));
	if (listener != NULL)
		*listener = lfd;
	else
		EQUAL(s, s->t.close(s->t.context, lfd), 0);
	return fd;
}

int
scene_connected(struct scene *s)
{
	struct sockaddr_storage ss;
	const socklen_t len = scene_remote(s, &ss);
	const int fd = scene_socket(s, SOCK_STREAM);

	s->rport = PORT;
	scene_set_nonblock(s, fd, true);
	FAILS(s, s->t.connect(s->t.context, fd, (struct sockaddr *)&ss, len), EINPROGRESS);
	s->now_us = scene_time(s);
	OUT(s, .flags = "S");
	IN(s, .flags = "S.", .ack = 1, MSS_1460);
	OUT(s, .flags = ".", .seq = 1, .ack = 1);
	EQUAL(s, scene_error(s, fd), 0);
	scene_set_nonblock(s, fd, false);
	return fd;
}

/* Blocking calls */

static void *
run(void *arg)
{
	struct blocking *b = arg;

	__atomic_store_n(&b->tid, (int)syscall(SYS_gettid), __ATOMIC_RELEASE);
	b->result = b->call(b);
	b->error = errno;
	b->end_us = scene_time(b->s);
	__atomic_store_n(&b->is_done, 1, __ATOMIC_RELEASE);
	return NULL;
}

static char
thread_state(int tid)
{
	char path[64], text[256] = "";
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", tid);
	f = fopen(path, "r");
	if (f == NULL)
		return 'X';
	if (fgets(text, sizeof(text), f) == NULL)
		text[0] = '\0';
	fclose(f);
	return strrchr(text, ')') == NULL ? 'X' : strrchr(text, ')')[2];
}

void
scene_start(struct blocking *b)
{
	struct scene *s = b->s;

	b->tid = 0;
	b->is_done = 0;
	s->now_us = scene_time(s);
	EQUAL(s, pthread_create(&b->thread, NULL, run, b), 0);
	while (__atomic_load_n(&b->tid, __ATOMIC_ACQUIRE) == 0)
		sched_yield();
	while (!__atomic_load_n(&b->is_done, __ATOMIC_ACQUIRE) && thread_state(b->tid) != 'S')
		sched_yield();
}

void
scene_ended(struct blocking *b, int line, long result, long long at_us)
{
	struct scene *s = b->s;

	pthread_join(b->thread, NULL);
	errno = b->error;
	scene_equal(s, line, b->result, result, "blocking call");
	if (llabs(b->end_us - at_us) <= TOLERANCE_US)
		return;
	complain(s, line);
	printf("blocking call ended %+.1f ms from when it should\n",
		(double)(b->end_us - at_us) / MS);
}
