/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * Scenes: what packetdrill scripts say, in C. A scene makes calls through the adapter's table, lets
 * packets in and says which ones must come out, and when.
 * Model   Sequence numbers are relative: ours and the peer's first SYN is 0. Time is the adapter's.
 *         Each event is expected right after the one before, or .at_ms later.
 * Errors  What is not as expected is printed with its line and counted; the scene goes on.
 */
#ifndef SCENE_H
#define SCENE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "pd_table.h"

#define PORT	    8080  /* ours, and of peers we connect to */
#define PEER_PORT   40000 /* of peers that connect to us */
#define PACKET_MAX  65536
#define MS	    1000
#define SHUT	    UINT32_MAX /* a window of 0 */
#define TOLERANCE_US 4000 /* the tool's own */

/* Which sockets on which packets. */
enum kind { IPV4, IPV6, MAPPED, KINDS };

struct scene {
	struct pd_table t;
	const char *name;
	enum kind kind;
	long long now_us; /* of the last event */
	uint16_t lport;
	uint16_t rport;
	uint32_t iss; /* ours, learnt from the SYN */
	uint32_t irs; /* the peer's */
	uint8_t *packet; /* PACKET_MAX */
	bool is_pieced; /* the latest segment came in several packets */
	unsigned int failures;
};

/* A segment. Of one that comes out, what is left 0 in win and opts is not looked at; text longer
 * than a segment is put together from its pieces, as the tool does it: flags of the last. */
struct seg {
	const char *flags; /* "S", "S.", ".", "P.", "F.", "R", "R."; U, E, W as the tool has them */
	uint32_t seq;
	uint32_t ack;
	uint32_t len;
	uint32_t win;
	const char *opts; /* bytes, n_opts of them */
	uint8_t n_opts;
	unsigned int at_ms;
	bool is_bad; /* in: a wrong checksum */
};

/* The option of a SYN; on IPv6 segments are 20 bytes smaller all the same, by the MTU. */
#define MSS_1460 .opts = "\x02\x04\x05\xb4", .n_opts = 4

#define IN(s, ...)  scene_in(s, &(struct seg){__VA_ARGS__})
#define OUT(s, ...) scene_out(s, __LINE__, &(struct seg){__VA_ARGS__})

/** Nothing comes out for a while. */
#define QUIET(s) scene_quiet(s, __LINE__)

#define CHECK(s, what)		scene_check(s, __LINE__, what, #what)
#define EQUAL(s, call, value)	scene_equal(s, __LINE__, call, value, #call)
/** -1 and errno. */
#define FAILS(s, call, error)	scene_fails(s, __LINE__, call, error, #call, #error)

void scene_check(struct scene *s, int line, bool is_right, const char *what);
void scene_equal(struct scene *s, int line, long long got, long long wanted, const char *what);
void scene_fails(
	struct scene *s, int line, long long got, int error, const char *what, const char *name);

void scene_in(struct scene *s, const struct seg *seg);
void scene_out(struct scene *s, int line, const struct seg *wanted);
void scene_quiet(struct scene *s, int line);

/** An IP packet with this header and payload comes in; UDP and ICMP are sums of bytes, too. */
void scene_in_ip(struct scene *s, uint8_t protocol, const uint8_t *payload, size_t len);

/** The next packet that comes out; its payload behind the IP header, *len 0: none. */
uint8_t *scene_out_ip(struct scene *s, uint8_t *protocol, size_t *len);

/** Let time pass, as the tool does: sleep, then look at the clock until the moment has come. */
void scene_wait(struct scene *s, unsigned int ms);

/** Time as the tool reads it. */
long long scene_time(struct scene *s);

/** Addresses for the calls. @return length */
socklen_t scene_local(const struct scene *s, struct sockaddr_storage *ss);
socklen_t scene_remote(const struct scene *s, struct sockaddr_storage *ss);

/** Is addr the peer of the connection? */
bool scene_is_peer(const struct scene *s, const struct sockaddr_storage *ss, socklen_t len);

/** Data in a full segment of the connections that scene_accepted() and scene_connected() make. */
uint32_t scene_mss(const struct scene *s);

/** A socket of the scene's domain. */
int scene_socket(struct scene *s, int type);

/** A listening socket; without O_NONBLOCK. */
int scene_listen(struct scene *s);

/** A connection from the peer, established and accepted. *listener may be NULL: closed again. */
int scene_accepted(struct scene *s, int *listener);

/** A connection to the peer, established. O_NONBLOCK is set during the handshake alone. */
int scene_connected(struct scene *s);

void scene_set_nonblock(struct scene *s, int fd, bool on);
int scene_sockopt(struct scene *s, int fd, int level, int name, int value);
int scene_error(struct scene *s, int fd);
short scene_poll(struct scene *s, int fd);

/* Blocking calls, on a thread of their own as the tool makes them. */
struct blocking {
	struct scene *s;
	long (*call)(struct blocking *b);
	int fd;
	void *arg;
	size_t len;
	long result;
	int error;
	long long end_us;
	pthread_t thread;
	int tid;
	int is_done;
};

/** Start it; returns when it sleeps or is done. */
void scene_start(struct blocking *b);

/** It must have ended by now, at_us in scene time. */
#define ENDED(b, result, at_us) scene_ended(b, __LINE__, result, at_us)
void scene_ended(struct blocking *b, int line, long result, long long at_us);

/* What play.c runs. */
struct scene_entry {
	const char *name;
	void (*play)(struct scene *s);
	const char *flags; /* more knobs */
	bool is_v4_only;
};

#define SCENE(fn, ...) {#fn, fn, __VA_ARGS__}

extern const struct scene_entry scenes_open[];
extern const struct scene_entry scenes_data[];
extern const struct scene_entry scenes_close[];
extern const struct scene_entry scenes_calls[];
extern const struct scene_entry scenes_fastopen[];
extern const struct scene_entry scenes_linux[];
extern const struct scene_entry scenes_edges[];
extern const struct scene_entry scenes_stamps[];
extern const struct scene_entry scenes_states[];
extern const struct scene_entry scenes_icmp[];
extern const struct scene_entry scenes_knobs[];

#endif
