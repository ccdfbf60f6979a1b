/* SPDX-License-Identifier: BSD-3-Clause */
/* weir-load's histogram, and its reading of answers. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "hist.h"
#include "unit.h"

#define HEAD "HTTP/1.1 200 OK\r\nServer: a server with a name that goes on and on and on\r\n"

static struct load_hist *
new_hist(void)
{
	struct load_hist *h = malloc(sizeof(*h));

	load_hist_clear(h);
	return h;
}

static void
an_empty_histogram_says_nothing(void)
{
	struct load_hist *h = new_hist();

	CU_ASSERT_EQUAL(load_hist_at(h, 50), 0);
	CU_ASSERT_EQUAL(load_hist_at(h, 100), 0);
	free(h);
}

static void
every_value_comes_back_within_one_percent(void)
{
	for (uint64_t v = 1; v < LOAD_HIST_MAX / 4; v = v * 9 / 8 + 1) {
		struct load_hist *h = new_hist();
		uint64_t found;

		load_hist_add(h, v);
		load_hist_add(h, 4 * v); /* or the maximum would be it */
		found = load_hist_at(h, 50);
		CU_ASSERT(found >= v && found - v <= v / 100);
		free(h);
	}
}

static void
percentiles_are_the_values_at_their_rank(void)
{
	struct load_hist *h = new_hist();

	for (uint64_t v = 1; v <= 200; v++)
		load_hist_add(h, 201 - v);
	CU_ASSERT_EQUAL(load_hist_at(h, 0), 1);
	CU_ASSERT_EQUAL(load_hist_at(h, 50), 100);
	CU_ASSERT_EQUAL(load_hist_at(h, 99), 198);
	CU_ASSERT_EQUAL(load_hist_at(h, 100), 200);
	CU_ASSERT_EQUAL(h->min, 1);
	CU_ASSERT_EQUAL(h->max, 200);
	CU_ASSERT_EQUAL(h->n, 200);
	free(h);
}

static void
values_beyond_the_range_count_as_the_largest(void)
{
	struct load_hist *h = new_hist();

	load_hist_add(h, UINT64_MAX);
	load_hist_add(h, LOAD_HIST_MAX);
	CU_ASSERT_EQUAL(load_hist_at(h, 50), LOAD_HIST_MAX);
	CU_ASSERT_EQUAL(h->n, 2);
	free(h);
}

static void
a_histogram_is_printed_bucket_by_bucket(void)
{
	struct load_hist *h = new_hist();
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	load_hist_add(h, 1);
	load_hist_add(h, 2);
	load_hist_add(h, 2);
	load_hist_add(h, 3);
	load_hist_print(h, out, 1);
	fclose(out);
	CU_ASSERT_STRING_EQUAL(text, "       1.000 0.250000000000          1           1.33\n"
				     "       2.000 0.750000000000          3           4.00\n"
				     "       3.000 1.000000000000          4\n");
	free(text);
	free(h);
}

static void
echoes_are_counted_by_their_size(void)
{
	struct load_answer a = {0};

	CU_ASSERT_EQUAL(load_answer_echo(&a, 63, 64), 0);
	CU_ASSERT_EQUAL(load_answer_echo(&a, 1, 64), 1);
	CU_ASSERT_EQUAL(load_answer_echo(&a, 200, 64), 3);
	CU_ASSERT_EQUAL(load_answer_echo(&a, 56, 64), 1);
}

/* In pieces of that many bytes, each in memory of its exact size. @return answers, or -EPROTO */
static int
read_in_pieces(const char *text, size_t piece)
{
	struct load_answer a = {0};
	int n = 0;

	for (size_t at = 0, all = strlen(text); at < all; at += piece) {
		const size_t len = all - at < piece ? all - at : piece;
		char *copy = malloc(len);
		int rc;

		memcpy(copy, text + at, len);
		rc = load_answer_http(&a, copy, len);
		free(copy);
		if (rc < 0)
			return rc;
		n += rc;
	}
	return a.has_status ? -EAGAIN : n; /* one is not complete */
}

static int
reads(const char *text)
{
	const int n = read_in_pieces(text, strlen(text));

	for (size_t piece = 1; piece < strlen(text); piece++)
		CU_ASSERT_EQUAL(read_in_pieces(text, piece), n);
	return n;
}

static void
http_answers_end_where_their_length_says(void)
{
	CU_ASSERT_EQUAL(reads(HEAD "Content-Length: 5\r\n\r\n12345"), 1);
	CU_ASSERT_EQUAL(reads(HEAD "content-length:5\r\nDate: x\r\n\r\n\r\n\r\n1"), 1);
	CU_ASSERT_EQUAL(reads(HEAD "Content-Length: 0 \r\n\r\n"), 1);
	CU_ASSERT_EQUAL(reads(HEAD "Content-Length: 1\n\nx" HEAD "Content-Length: 2\r\n\r\nxy"), 2);
	CU_ASSERT_EQUAL(reads(HEAD "Content-Length: 5\r\n\r\n1234"), -EAGAIN);
}

static void
other_answers_are_errors(void)
{
	CU_ASSERT_EQUAL(reads("HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n"), -EPROTO);
	CU_ASSERT_EQUAL(reads("HTTP/1.1 2000\r\nContent-Length: 0\r\n\r\n"), -EPROTO);
	CU_ASSERT_EQUAL(reads("HTTP/1.1\r\n\r\n"), -EPROTO);
	CU_ASSERT_EQUAL(reads("\r\n\r\n"), -EPROTO);
	CU_ASSERT_EQUAL(reads(HEAD "\r\n"), -EPROTO);
	CU_ASSERT_EQUAL(reads(HEAD "Content-Length: 5x\r\n\r\n12345"), -EPROTO);
	CU_ASSERT_EQUAL(reads(HEAD "Content-Length: -5\r\n\r\n12345"), -EPROTO);
	CU_ASSERT_EQUAL(reads(HEAD "Content-Length:\r\n\r\n"), -EPROTO);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(an_empty_histogram_says_nothing),
		UNIT(every_value_comes_back_within_one_percent),
		UNIT(percentiles_are_the_values_at_their_rank),
		UNIT(values_beyond_the_range_count_as_the_largest),
		UNIT(a_histogram_is_printed_bucket_by_bucket),
		UNIT(echoes_are_counted_by_their_size),
		UNIT(http_answers_end_where_their_length_says),
		UNIT(other_answers_are_errors),
		{0},
	};

	return unit_main("app_load", tests, false);
}
