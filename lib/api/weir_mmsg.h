/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * Many messages by one call: sendmmsg(2) and recvmmsg(2). struct mmsghdr needs _GNU_SOURCE.
 */
#ifndef WEIR_MMSG_H
#define WEIR_MMSG_H

#include <sys/socket.h>
#include <sys/types.h>
#include <time.h>

#ifdef __cplusplus
extern "C" {
#endif

struct mmsghdr;
struct weir_stack;

#define WEIR_MMSG_MAX 1024 /* that weir_sendmmsg() takes at once */

/**
 * Send the messages one after the other, msg_len of each: what was taken of it.
 * @param vec  vec[n]
 * @return messages sent; the first one's error when that is none. An error of a later one is not
 *         told: a call that begins with it will get it
 */
int weir_sendmmsg(struct weir_stack *st, int fd, struct mmsghdr *vec, unsigned int n, int flags);

/**
 * Receive up to n messages, msg_len of each: its bytes.
 * @param flags    as weir_recvmsg(); MSG_WAITFORONE: waits for the first one alone
 * @param timeout  NULL: none. As on Linux it is looked at after each message, so that it does not
 *                 end a call that waits; what is left of it is written back
 * @return messages received; -EINVAL: no time; errors as weir_recvmsg(). One that comes behind
 *         messages is told by the next call
 */
int weir_recvmmsg(struct weir_stack *st, int fd, struct mmsghdr *vec, unsigned int n, int flags,
	struct timespec *timeout);

#ifdef __cplusplus
}
#endif

#endif
