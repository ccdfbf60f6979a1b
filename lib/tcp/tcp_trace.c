/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp_priv.h"

#include <inttypes.h>
#include <string.h>

#include <rte_malloc.h>

#include "weir_log.h"

#define STEPS 8 /* of the hand; after them whoever it points to has to give way */

static const struct {
	const char *name;
	const char *number[3];
} kinds[WEIR_TCP_EVENTS] = {
#define WEIR_TCP_EVENT(kind, name, aux, a, b) [WEIR_TCP_EVENT_##kind] = {name, {aux, a, b}},
#include "weir_tcp_event_list.h"
#undef WEIR_TCP_EVENT
};

int
weir_tcp_traces_init(struct weir_tcp_traces *p, uint32_t n, int numa_node)
{
	*p = (struct weir_tcp_traces){.n = n};
	if (n == 0)
		return 0;
	p->all = rte_zmalloc_socket(
		"tcp_traces", n * sizeof(p->all[0]), RTE_CACHE_LINE_SIZE, numa_node);
	return p->all == NULL ? -ENOMEM : 0;
}

void
weir_tcp_traces_fini(struct weir_tcp_traces *p)
{
	rte_free(p->all);
	*p = (struct weir_tcp_traces){0};
}

/* The ring of this number + 1, or NULL: there is none, or somebody has taken it from its owner. */
static struct weir_tcp_trace *
ring_of(const struct weir_tcp *t, uint32_t trace, const void *owner)
{
	struct weir_tcp_trace *r = trace == 0 ? NULL : &t->traces.all[trace - 1];

	return r != NULL && r->owner == owner ? r : NULL;
}

static struct weir_tcp_trace *
trace_of(const struct weir_tcp *t, const struct weir_tcp_conn *c)
{
	return ring_of(t, c->trace, c);
}

/* The clock algorithm: the next one without an event since the hand was there last. */
static struct weir_tcp_trace *
take(struct weir_tcp_traces *p, struct weir_tcp_conn *c)
{
	struct weir_tcp_trace *r = NULL;

	for (unsigned int i = 0; i < STEPS && (r == NULL || r->is_recent); i++) {
		if (r != NULL)
			r->is_recent = false;
		p->hand = p->hand + 1 < p->n ? p->hand + 1 : 0;
		r = &p->all[p->hand];
	}
	r->owner = c;
	r->n = 0;
	c->trace = p->hand + 1;
	return r;
}

static struct weir_tcp_event
event(const struct weir_tcp *t, enum weir_tcp_event_kind kind, uint32_t aux, uint32_t a, uint32_t b)
{
	return (struct weir_tcp_event){
		.at_lo = (uint32_t)t->core->now_us,
		.at_hi = (uint8_t)(t->core->now_us >> 32),
		.kind = (uint8_t)kind,
		.aux = (uint16_t)RTE_MIN(aux, (uint32_t)UINT16_MAX),
		.a = a,
		.b = b,
	};
}

/* @return NULL: there are no rings */
static struct weir_tcp_trace *
trace_for(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	struct weir_tcp_trace *r;

	if (t->traces.n == 0)
		return NULL;
	r = trace_of(t, c);
	if (r == NULL)
		r = take(&t->traces, c);
	r->is_recent = true;
	return r;
}

void
weir_tcp_trace(struct weir_tcp *t, struct weir_tcp_conn *c, enum weir_tcp_event_kind kind,
	uint32_t aux, uint32_t a, uint32_t b)
{
	struct weir_tcp_trace *r = trace_for(t, c);

	if (r != NULL)
		r->events[r->n++ % WEIR_TCP_TRACE_LEN] = event(t, kind, aux, a, b);
}

void
weir_tcp_trace_more(struct weir_tcp *t, struct weir_tcp_conn *c, enum weir_tcp_event_kind kind,
	uint32_t a, uint32_t b)
{
	struct weir_tcp_trace *r = trace_for(t, c);
	struct weir_tcp_event *last;

	if (r == NULL)
		return;
	last = &r->events[(r->n - 1) % WEIR_TCP_TRACE_LEN];
	if (r->n > 0 && last->kind == kind)
		*last = event(t, kind, last->aux + 1u, a, b);
	else
		weir_tcp_trace(t, c, kind, 1, a, b);
}

void
weir_tcp_trace_move(struct weir_tcp *t, uint32_t trace, const void *from, const void *to)
{
	struct weir_tcp_trace *r = ring_of(t, trace, from);

	if (r != NULL)
		r->owner = to;
}

void
weir_tcp_trace_free(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	struct weir_tcp_trace *r = trace_of(t, c);

	if (r == NULL)
		return;
	r->owner = NULL;
	r->is_recent = false;
}

unsigned int
weir_tcp_trace_read(const struct weir_tcp *t, uint32_t trace, const void *owner,
	struct weir_tcp_event events[WEIR_TCP_TRACE_LEN])
{
	const struct weir_tcp_trace *r = ring_of(t, trace, owner);
	const uint32_t end = r == NULL ? 0 : r->n;
	const uint32_t n = RTE_MIN(end, (uint32_t)WEIR_TCP_TRACE_LEN);

	for (uint32_t i = 0; i < n; i++)
		events[i] = r->events[(end - n + i) % WEIR_TCP_TRACE_LEN];
	return n;
}

unsigned int
weir_tcp_trace_copy(const struct weir_tcp *t, const struct weir_tcp_conn *c,
	struct weir_tcp_event events[WEIR_TCP_TRACE_LEN])
{
	return weir_tcp_trace_read(t, c->trace, c, events);
}

uint64_t
weir_tcp_event_age_us(const struct weir_tcp_event *e, uint64_t now_us)
{
	return (now_us - ((uint64_t)e->at_hi << 32 | e->at_lo)) & ((UINT64_C(1) << 40) - 1);
}

/* " name=value", the value as a word where the name says what it is. */
static size_t
put_number(char *text, size_t len, const char *name, uint32_t value)
{
	if (name[0] == '@')
		return (size_t)snprintf(text, len, " %s", weir_tcp_state_name(value));
	if (name[0] == '#')
		return (size_t)snprintf(text, len, " %s", weir_tcp_ca_name(value));
	if (name[0] == '!')
		return (size_t)snprintf(
			text, len, " %s", value < WEIR_FATE_MAX ? weir_fate_desc[value].name : "?");
	if (name[0] == '=')
		return (size_t)snprintf(
			text, len, " %s", value == 0 ? "no error" : strerror((int)value));
	return (size_t)snprintf(text, len, " %s=%" PRIu32, name, value);
}

const char *
weir_tcp_event_text(const struct weir_tcp_event *e, char text[WEIR_TCP_EVENT_TEXT])
{
	const uint32_t value[] = {e->aux, e->a, e->b};
	size_t at;

	if (e->kind >= WEIR_TCP_EVENTS)
		return "?";
	at = (size_t)snprintf(text, WEIR_TCP_EVENT_TEXT, "%s", kinds[e->kind].name);
	for (unsigned int i = 0; i < RTE_DIM(value) && at < WEIR_TCP_EVENT_TEXT; i++)
		if (kinds[e->kind].number[i] != NULL)
			at += put_number(text + at, WEIR_TCP_EVENT_TEXT - at,
				kinds[e->kind].number[i], value[i]);
	return text;
}

void
weir_tcp_trace_log(struct weir_tcp *t, const struct weir_tcp_conn *c, int error)
{
	struct weir_tcp_event events[WEIR_TCP_TRACE_LEN];
	char local[WEIR_ADDR_STRLEN], peer[WEIR_ADDR_STRLEN], text[WEIR_TCP_EVENT_TEXT];
	unsigned int n;

	if (!weir_tcp_limit_take(t, &t->trace_logs, 1))
		return;
	n = weir_tcp_trace_copy(t, c, events);
	WEIR_LOG(NOTICE, "tcp %s:%u to %s:%u: given up: %s",
		weir_addr_format(&c->flow.laddr, local), weir_host16(c->flow.lport),
		weir_addr_format(&c->flow.raddr, peer), weir_host16(c->flow.rport),
		strerror(error));
	for (unsigned int i = 0; i < n; i++)
		WEIR_LOG(NOTICE, "tcp   %.3f s before: %s",
			(double)weir_tcp_event_age_us(&events[i], t->core->now_us) / 1e6,
			weir_tcp_event_text(&events[i], text));
}
