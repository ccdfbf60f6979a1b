/* SPDX-License-Identifier: BSD-3-Clause */
/* What serve.c does, by lwIP's raw API: echo, or bulk flows. */
#define LWIP_DONT_PROVIDE_BYTEORDER_FUNCTIONS
#include "lwip.h"

#include <errno.h>
#include <string.h>

#include <lwip/tcp.h>
#include <lwip/udp.h>

#define PORT	7
#define BACKLOG 255

static void
end(struct tcp_pcb *pcb)
{
	tcp_arg(pcb, NULL);
	tcp_recv(pcb, NULL);
	tcp_sent(pcb, NULL);
	tcp_err(pcb, NULL);
	if (tcp_close(pcb) != ERR_OK)
		tcp_abort(pcb);
}

/* Answers are small, there is always room for them. */
static void
echo(struct perf_lwip_app *app, struct tcp_pcb *pcb, const struct pbuf *p)
{
	for (; p != NULL; p = p->next)
		if (tcp_write(pcb, p->payload, p->len, TCP_WRITE_FLAG_COPY) != ERR_OK)
			perf_add(&app->counts->errors, 1);
	tcp_output(pcb);
}

static void
take(struct perf_lwip_app *app, const struct pbuf *p)
{
	perf_add(&app->counts->units, p->tot_len);
	for (; p != NULL; p = p->next)
		memcpy(app->bytes, p->payload, p->len);
}

static err_t
on_recv(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t err)
{
	struct perf_lwip_app *app = arg;

	if (p == NULL) {
		end(pcb);
		return ERR_OK;
	}
	if (app->o->workload->shape == PERF_BULK)
		take(app, p);
	else
		echo(app, pcb, p);
	tcp_recved(pcb, p->tot_len);
	pbuf_free(p);
	return ERR_OK;
}

static void
pump(struct perf_lwip_app *app, struct tcp_pcb *pcb)
{
	u16_t n = (u16_t)LWIP_MIN(tcp_sndbuf(pcb), PERF_BULK_LEN / 2);

	while (n > 0 && tcp_write(pcb, app->bytes, n, TCP_WRITE_FLAG_COPY) == ERR_OK)
		n = (u16_t)LWIP_MIN(tcp_sndbuf(pcb), PERF_BULK_LEN / 2);
	tcp_output(pcb);
}

static err_t
on_sent(void *arg, struct tcp_pcb *pcb, u16_t len)
{
	pump(arg, pcb);
	return ERR_OK;
}

static err_t
on_accept(void *arg, struct tcp_pcb *pcb, err_t err)
{
	struct perf_lwip_app *app = arg;

	if (err != ERR_OK)
		return err;
	tcp_arg(pcb, app);
	tcp_nagle_disable(pcb);
	tcp_recv(pcb, on_recv);
	if (!app->o->workload->is_download)
		return ERR_OK;
	tcp_sent(pcb, on_sent);
	pump(app, pcb);
	return ERR_OK;
}

static void
on_datagram(void *arg, struct udp_pcb *pcb, struct pbuf *p, const ip_addr_t *addr, u16_t port)
{
	struct perf_lwip_app *app = arg;

	if (udp_sendto(pcb, p, addr, port) != ERR_OK)
		perf_add(&app->counts->errors, 1);
	pbuf_free(p);
}

static int
serve_datagrams(struct perf_lwip_app *app)
{
	struct udp_pcb *pcb = udp_new();

	if (pcb == NULL || udp_bind(pcb, IP_ANY_TYPE, PORT) != ERR_OK)
		return -ENOMEM;
	udp_recv(pcb, on_datagram, app);
	return 0;
}

int
perf_lwip_serve(struct perf_lwip_app *app)
{
	struct tcp_pcb *pcb;

	if (app->o->workload->type != SOCK_STREAM)
		return serve_datagrams(app);
	pcb = tcp_new();
	if (pcb == NULL || tcp_bind(pcb, IP_ANY_TYPE, PORT) != ERR_OK)
		return -ENOMEM;
	pcb = tcp_listen_with_backlog(pcb, BACKLOG);
	if (pcb == NULL)
		return -ENOMEM;
	tcp_arg(pcb, app);
	tcp_accept(pcb, on_accept);
	return 0;
}
