/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * One client's connection, between conn.c (bytes in and out) and request.c (what they mean).
 */
#ifndef CONN_H
#define CONN_H

#include "httpd.h"
#include "source.h"
#include "upload.h"

enum conn_phase {
	CONN_HEAD,   /* waits for the head of a request, or for the rest of it */
	CONN_BODY,   /* takes the body of a request */
	CONN_ANSWER, /* out and source hold an answer that the socket has not taken yet */
	CONN_LINGER, /* refused and answered: reads on, so that no reset overtakes the answer */
	CONN_OVER,   /* to be closed at the end of the callback */
};

struct conn {
	struct app_conn app; /* first */
	struct httpd *h;
	struct httpd_lane *lane;
	int fd;
	enum conn_phase phase;
	bool has_peer_closed;
	bool is_held;    /* the socket keeps back what comes in */
	bool is_head;    /* HEAD: the answer has no content */
	bool must_close; /* after this answer */
	bool must_linger;
	uint64_t lingered; /* bytes dropped in CONN_LINGER */

	struct http_body body; /* of the request */
	struct upload upload;

	struct source source; /* body of the answer */
	uint16_t out_at;      /* sent of out */
	uint16_t out_len;
	char out[1024]; /* head of the answer, and a short body */

	char *kept; /* kept[kept_len]: received, not used yet; NULL when there is nothing */
	size_t kept_len;
};

/* request.c: each leaves the connection in the phase that follows */

/** A request's head has come. */
void request_begin(struct conn *c, const struct http_req *req);

/** Its body is complete. */
void request_body_done(struct conn *c);

/** Answer with an error. What the client still sends of this request is not read any more. */
void request_refuse(struct conn *c, int status);

#endif
