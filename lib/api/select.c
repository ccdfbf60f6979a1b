/* SPDX-License-Identifier: BSD-3-Clause */
/* select: bitmaps to and from what poll takes. */
#include <errno.h>
#include <stdlib.h>

#include "sleep_priv.h"

/* Which events make a bit of each bitmap; as Linux has it. */
#define IN_EVENTS     (POLLIN | POLLRDNORM | POLLRDBAND | POLLHUP | POLLERR)
#define OUT_EVENTS    (POLLOUT | POLLWRNORM | POLLWRBAND | POLLERR)
#define EXCEPT_EVENTS POLLPRI

#define MAPS 3

typedef uint64_t map_word __attribute__((may_alias));

static const short map_events[MAPS] = {IN_EVENTS, OUT_EVENTS, EXCEPT_EVENTS};

/* The bitmaps of one kind of descriptor. */
struct maps {
	int n;
	int tag; /* of the number that poll knows a descriptor by */
	map_word *map[MAPS];
};

static struct maps
maps_of(const struct weir_fd_sets *sets, int limit, int tag)
{
	if (sets == NULL)
		return (struct maps){0};
	return (struct maps){.n = RTE_MIN(sets->n, limit),
		.tag = tag,
		.map = {sets->readable, sets->writable, sets->except}};
}

static uint64_t
word_of(const struct maps *m, unsigned int k, int word)
{
	const int rest = m->n - word * 64;

	if (m->map[k] == NULL)
		return 0;
	return m->map[k][word] & (rest >= 64 ? UINT64_MAX : (UINT64_C(1) << rest) - 1);
}

static int
words_of(const struct maps *m)
{
	return (m->n + 63) / 64;
}

/* Bits that are in any of the bitmaps. */
static uint64_t
any_of(const struct maps *m, int word)
{
	return word_of(m, 0, word) | word_of(m, 1, word) | word_of(m, 2, word);
}

static nfds_t
count(const struct maps *m)
{
	nfds_t n = 0;

	for (int word = 0; word < words_of(m); word++)
		n += (nfds_t)__builtin_popcountll(any_of(m, word));
	return n;
}

static struct pollfd *
fill(const struct maps *m, struct pollfd *p)
{
	for (int word = 0; word < words_of(m); word++) {
		uint64_t any = any_of(m, word);

		for (; any != 0; any &= any - 1, p++) {
			const int bit = __builtin_ctzll(any);

			*p = (struct pollfd){.fd = (word * 64 + bit) | m->tag};
			for (unsigned int k = 0; k < MAPS; k++)
				if (word_of(m, k, word) >> bit & 1)
					p->events |= map_events[k];
		}
	}
	return p;
}

static void
clear(const struct maps *m)
{
	for (unsigned int k = 0; k < MAPS; k++)
		for (int word = 0; word < words_of(m) && m->map[k] != NULL; word++)
			m->map[k][word] = 0;
}

/* Leave the bits whose events have come. @return how many */
static int
result(const struct maps *m, const struct pollfd *p, nfds_t n)
{
	int bits = 0;

	clear(m);
	for (; n > 0; p++, n--) {
		const int fd = p->fd & ~m->tag;

		for (unsigned int k = 0; k < MAPS; k++)
			if ((p->events & map_events[k]) == map_events[k] &&
				(p->revents & map_events[k])) {
				m->map[k][fd / 64] |= UINT64_C(1) << fd % 64;
				bits++;
			}
	}
	return bits;
}

static bool
has_closed(const struct pollfd *p, nfds_t n)
{
	for (; n > 0; p++, n--)
		if (p->revents & POLLNVAL)
			return true;
	return false;
}

static int
select_once(struct weir_stack *st, const struct maps *own, const struct maps *kernel,
	struct pollfd *fds, uint64_t deadline_us, const sigset_t *mask)
{
	const nfds_t n_own = count(own), n = n_own + count(kernel);
	int rc;

	fill(kernel, fill(own, fds));
	rc = weir_poll_until(st, fds, n, POLLNVAL, deadline_us, mask);
	if (rc < 0)
		return rc;
	if (has_closed(fds, n))
		return -EBADF;
	rc = result(own, fds, n_own);
	return rc + result(kernel, fds + n_own, n - n_own);
}

static int
select_until(struct weir_stack *st, const struct weir_fd_sets *own,
	const struct weir_fd_sets *kernel, uint64_t deadline_us, const sigset_t *mask)
{
	struct maps mine, theirs;
	struct pollfd *fds;
	int rc;

	if (st == NULL)
		return -EFAULT;
	if ((own != NULL && own->n < 0) || (kernel != NULL && kernel->n < 0))
		return -EINVAL;
	mine = maps_of(own, (int)st->socks.capacity, 0);
	theirs = maps_of(kernel, WEIR_KFD_BIT - 1, WEIR_KFD_BIT);
	fds = calloc(count(&mine) + count(&theirs) + 1, sizeof(*fds));
	if (fds == NULL)
		return -ENOMEM;
	rc = select_once(st, &mine, &theirs, fds, deadline_us, mask);
	free(fds);
	return rc;
}

int
weir_select_both(struct weir_stack *st, const struct weir_fd_sets *own,
	const struct weir_fd_sets *kernel, const struct timespec *timeout, const sigset_t *mask)
{
	uint64_t deadline_us;
	const int rc = weir_deadline_of(timeout, &deadline_us);

	return rc != 0 ? rc : select_until(st, own, kernel, deadline_us, mask);
}

int
weir_pselect(struct weir_stack *st, int n, void *readable, void *writable, void *except,
	const struct timespec *timeout, const sigset_t *mask)
{
	const struct weir_fd_sets own = {n, readable, writable, except};

	return weir_select_both(st, &own, NULL, timeout, mask);
}

/* Linux takes more than a second's worth of microseconds. */
static int
timespec_of(const struct timeval *tv, struct timespec *ts)
{
	if (tv->tv_sec < 0 || tv->tv_usec < 0)
		return -EINVAL;
	ts->tv_sec = tv->tv_sec + tv->tv_usec / 1000000;
	ts->tv_nsec = tv->tv_usec % 1000000 * 1000;
	return 0;
}

int
weir_select(struct weir_stack *st, int n, void *readable, void *writable, void *except,
	struct timeval *timeout)
{
	const struct weir_fd_sets own = {n, readable, writable, except};
	uint64_t deadline_us = UINT64_MAX, now;
	struct timespec ts;
	int rc = timeout == NULL ? 0 : timespec_of(timeout, &ts);

	if (rc == 0)
		rc = weir_deadline_of(timeout == NULL ? NULL : &ts, &deadline_us);
	if (rc != 0)
		return rc;
	rc = select_until(st, &own, NULL, deadline_us, NULL);
	if (deadline_us != 0 && deadline_us != UINT64_MAX) {
		now = weir_real_us();
		now = deadline_us > now ? deadline_us - now : 0;
		timeout->tv_sec = (time_t)(now / 1000000);
		timeout->tv_usec = (suseconds_t)(now % 1000000);
	}
	return rc;
}
