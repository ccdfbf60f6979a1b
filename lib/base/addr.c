/* SPDX-License-Identifier: BSD-3-Clause */
#include "weir_addr.h"

#include <arpa/inet.h>
#include <errno.h>

#include "weir_assert.h"

#define PREFIX_TEXT_MAX (WEIR_ADDR_STRLEN + 4) /* address, slash, up to three digits */

static_assert(WEIR_ADDR_STRLEN >= INET6_ADDRSTRLEN, "room for any address");

bool
weir_addr_in_prefix(const struct weir_addr *a, const struct weir_addr *b, unsigned int len)
{
	const unsigned int whole = len < 128 ? len / 8 : 16;
	const unsigned int rest = len < 128 ? len % 8 : 0;

	if (memcmp(a->b, b->b, whole) != 0)
		return false;
	return rest == 0 || ((a->b[whole] ^ b->b[whole]) >> (8 - rest)) == 0;
}

int
weir_addr_parse(const char *text, struct weir_addr *a)
{
	struct weir_be32 v4;
	uint8_t v6[16];

	if (inet_pton(AF_INET, text, &v4) == 1)
		*a = weir_addr_v4(v4);
	else if (inet_pton(AF_INET6, text, v6) == 1)
		*a = weir_addr_v6(v6);
	else
		return -EINVAL;
	return 0;
}

/* One to three decimal digits, nothing else. */
static int
parse_len(const char *text, unsigned int *len)
{
	const size_t n = strlen(text);

	if (n < 1 || n > 3 || strspn(text, "0123456789") != n)
		return -EINVAL;
	*len = 0;
	for (; *text != '\0'; text++)
		*len = *len * 10 + (unsigned int)(*text - '0');
	return 0;
}

int
weir_addr_parse_prefix(const char *text, struct weir_addr *a, unsigned int *len)
{
	const char *slash = strchr(text, '/');
	char buf[PREFIX_TEXT_MAX];
	struct weir_addr addr;
	unsigned int bits, shift;

	if (slash == NULL || (size_t)(slash - text) >= sizeof(buf))
		return -EINVAL;
	memcpy(buf, text, (size_t)(slash - text));
	buf[slash - text] = '\0';
	if (weir_addr_parse(buf, &addr) < 0 || parse_len(slash + 1, &bits) < 0)
		return -EINVAL;
	shift = strchr(buf, ':') == NULL ? 96 : 0; /* written as IPv4: behind the mapped part */
	if (bits + shift > 128)
		return -EINVAL;
	*a = addr;
	*len = bits + shift;
	return 0;
}

const char *
weir_addr_format(const struct weir_addr *a, char text[WEIR_ADDR_STRLEN])
{
	if (weir_addr_is_v4(a))
		inet_ntop(AF_INET, &a->b[12], text, WEIR_ADDR_STRLEN);
	else
		inet_ntop(AF_INET6, a->b, text, WEIR_ADDR_STRLEN);
	return text;
}
