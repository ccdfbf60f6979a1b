/* SPDX-License-Identifier: BSD-3-Clause */
/* Asynchronous sockets: their queues, and who waits for those. */
#include <errno.h>

#include "stack_priv.h"
#include "weir_queue.h"

int
weir_queue_new(struct weir_stack *st, struct weir_queue **q)
{
	if (st == NULL || q == NULL)
		return -EFAULT;
	*q = weir_queue_make(&st->socks);
	return *q == NULL ? -ENOMEM : 0;
}

void
weir_queue_free(struct weir_queue *q)
{
	if (q != NULL)
		weir_queue_end(q);
}

unsigned int
weir_queue_get(struct weir_queue *q, struct weir_msg *msgs, unsigned int n)
{
	return q == NULL || msgs == NULL ? 0 : weir_queue_take(q, msgs, n);
}

/* One call of weir_queue_wait(). */
struct taking {
	struct weir_queue *q;
	struct weir_msg *msgs;
	unsigned int n;
	unsigned int taken;
};

static bool
has_taken(void *arg)
{
	struct taking *t = arg;

	t->taken = weir_queue_take(t->q, t->msgs, t->n);
	return t->taken > 0;
}

int
weir_queue_wait(struct weir_queue *q, struct weir_msg *msgs, unsigned int n, int timeout_ms)
{
	struct taking t = {q, msgs, RTE_MIN(n, (unsigned int)INT_MAX), 0};
	uint64_t deadline = UINT64_MAX;
	int rc;

	if (q == NULL || msgs == NULL)
		return -EFAULT;
	if (n == 0)
		return -EINVAL;
	if (has_taken(&t) || timeout_ms == 0 || !weir_may_wait(q->socks->stack))
		return (int)t.taken;
	if (timeout_ms > 0)
		deadline = weir_deadline_us((uint32_t)timeout_ms);
	rc = weir_wait_for(q->socks->stack, &q->waiters, has_taken, &t, deadline);
	return rc == -EAGAIN || rc == 0 ? (int)t.taken : rc;
}

int
weir_queue_fd(struct weir_queue *q)
{
	int rc;

	if (q == NULL)
		return -EFAULT;
	rc = weir_queue_watch(q);
	return rc == 0 ? q->efd : rc;
}

bool
weir_msg_is_current(struct weir_queue *q, const struct weir_msg *m)
{
	struct weir_sock *s = q == NULL || m == NULL ? NULL : weir_fd_get(q->socks, m->fd);
	bool is_current;

	if (s == NULL)
		return false;
	is_current = s->generation == m->generation;
	weir_sock_unref(s);
	return is_current;
}

static int
set_queue(struct weir_stack *st, struct weir_sock *s, struct weir_queue *q, void *arg)
{
	if (weir_sock_flags(s) & WEIR_SOCK_CALLBACKS)
		return -EINVAL;
	if (q == NULL) {
		if (s->queue != NULL)
			weir_msgs_off(s);
		return 0;
	}
	if (q->socks != &st->socks)
		return -EINVAL;
	if (s->queue != NULL && s->queue != q)
		return -EBUSY;
	weir_poke(s->cb.arg, arg);
	weir_poke(s->is_nonblock, true);
	weir_msgs_attach(s, q);
	return 0;
}

int
weir_set_async(struct weir_stack *st, int fd, struct weir_queue *q, void *arg)
{
	struct weir_sock *s = st == NULL ? NULL : weir_fd_get(&st->socks, fd);
	int rc;

	if (s == NULL)
		return weir_no_sock(st, fd);
	rc = weir_ctl_enter(s);
	if (rc == 0) {
		rc = set_queue(st, s, q, arg);
		weir_ctl_leave(st, s);
	}
	weir_sock_unref(s);
	return rc;
}

void
weir_inherit_queue(struct weir_stack *st, struct weir_sock *child, struct weir_sock *listener)
{
	struct weir_queue *q = weir_peek(listener->queue);

	if (q == NULL || !weir_msgs_are_on(listener) || weir_ctl_enter(child) != 0)
		return;
	set_queue(st, child, q, weir_peek(listener->cb.arg));
	weir_ctl_leave(st, child);
}
