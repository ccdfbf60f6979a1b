/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * The same calls to Weir and to Linux, and what each says to them.
 * Model   A side is one implementation: a stack that talks with itself, or the kernel over its
 *         loopback in a network namespace of our own. Descriptors are slots, the same on both
 *         sides. A call fills in a `struct result`; the results of both must be the same.
 */
#ifndef DIFF_H
#define DIFF_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#define SLOTS	  16 /* descriptors: sockets first, then epoll sets */
#define SETS	  4  /* of them */
#define FIRST_SET (SLOTS - SETS)
#define DATA_MAX  4096
#define VALUES	  (2 * SLOTS)

/** What a call gave back, all that can be compared. Unused parts are zero. */
struct result {
	long rc; /* a count, a slot, or a negative errno */
	uint32_t value[VALUES];
	uint32_t hash; /* of the data received */
};

/** An address as both sides have it: ours, and a port. */
struct place {
	uint16_t port;
	bool is_any; /* INADDR_ANY instead */
};

struct side {
	const char *name;
	int fd[SLOTS]; /* -1: none */
	void *ctx;
	uint32_t addr; /* network order */

	int (*socket)(struct side *, int type);
	int (*bind)(struct side *, int fd, const struct sockaddr *, socklen_t);
	int (*listen)(struct side *, int fd, int backlog);
	int (*connect)(struct side *, int fd, const struct sockaddr *, socklen_t);
	int (*accept)(struct side *, int fd, struct sockaddr *, socklen_t *, int flags);
	ssize_t (*sendmsg)(struct side *, int fd, const struct msghdr *, int flags);
	ssize_t (*recvmsg)(struct side *, int fd, struct msghdr *, int flags);
	int (*shutdown)(struct side *, int fd, int how);
	int (*close)(struct side *, int fd);
	int (*getsockopt)(struct side *, int fd, int level, int name, void *, socklen_t *);
	int (*setsockopt)(struct side *, int fd, int level, int name, const void *, socklen_t);
	int (*getname)(struct side *, int fd, bool is_peer, struct sockaddr *, socklen_t *);
	int (*ioctl)(struct side *, int fd, unsigned long request, int *value);
	int (*poll)(struct side *, struct pollfd *, nfds_t);
	int (*select)(struct side *, int n, uint64_t *maps[3]);
	int (*epoll_create)(struct side *);
	int (*epoll_ctl)(struct side *, int epfd, int op, int fd, struct epoll_event *);
	int (*epoll_wait)(struct side *, int epfd, struct epoll_event *, int max);
	/** Let all happen that the last call led to. */
	void (*settle)(struct side *);
	void (*end)(struct side *);
};

/** @return 0; 77 when the machine does not let us (no namespaces); other: an error */
int side_linux(struct side *s);
int side_weir(struct side *s);

/* Random numbers of a run. */
struct dice {
	uint64_t state;
};

uint64_t dice_next(struct dice *d);

static inline uint32_t
dice(struct dice *d, uint32_t n)
{
	return (uint32_t)(dice_next(d) % n);
}

/** One call, drawn once and made on each side. */
struct step {
	const char *name;
	void (*run)(struct side *, const struct step *, struct result *);
	int slot, other; /* other: a second slot, or where a new descriptor goes */
	int arg[4];
	uint32_t events[SLOTS];
	uint8_t fill;
};

/** What the run knows of its slots, to draw calls that mean something. */
struct world {
	struct dice dice;
	bool has_udp, has_tcp;
	uint16_t port; /* first of this episode's */
	struct {
		bool is_open, is_udp;
		bool is_shut; /* shutdown() was called */
		int unread; /* bytes sent since the last receive call, roughly */
	} slot[SLOTS];
};

#define PORTS 4

/** Draw the next call. */
void draw(struct world *w, struct step *s);

/** What the call changed, by its result. */
void learn(struct world *w, const struct step *s, const struct result *r);

/** Why a difference is none (README.md lists these), or NULL. */
const char *known(const struct step *s, const struct result *weir, const struct result *lin);

#endif
