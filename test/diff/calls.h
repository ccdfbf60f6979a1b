/* SPDX-License-Identifier: BSD-3-Clause */
/** @file The calls, each as a function of a drawn step (calls.c). Arguments as draw.c has them. */
#ifndef CALLS_H
#define CALLS_H

#include "diff.h"

#define OWN_PORTS     10000 /* ports that we choose: both sides choose theirs above */
#define OWN_PORTS_END 32000
#define SELECT_BITS   8192

#define CALL(name) void run_##name(struct side *s, const struct step *c, struct result *r)

CALL(socket);	  /* type, SO_REUSEADDR */
CALL(bind);	  /* port, any address */
CALL(listen);	  /* backlog */
CALL(connect);	  /* port, AF_UNSPEC */
CALL(accept);	  /* into slot other */
CALL(send);	  /* length, flags, port or 0 */
CALL(recv);	  /* length, flags */
CALL(shutdown);	  /* how */
CALL(close);
CALL(getsockopt); /* level, name */
CALL(setsockopt); /* level, name, value, second value */
CALL(name);	  /* is peer's */
CALL(ioctl);	  /* request */
CALL(poll);	  /* events of each slot */
CALL(select);	  /* bits 0 to 2 of each slot: its bits in the bitmaps */
CALL(epoll_create);
CALL(epoll_ctl);  /* op, events, data; of slot other */
CALL(epoll_wait); /* max */

#undef CALL

#endif
