/* SPDX-License-Identifier: BSD-3-Clause */
#include "weir_log.h"

#include <stdio.h>
#include <stdlib.h>

#include "unit.h"

static void
log_type_is_registered_once(void)
{
	const int type = weir_log_type();

	CU_ASSERT(type >= 0);
	CU_ASSERT_EQUAL(weir_log_type(), type);
	CU_ASSERT_EQUAL(rte_log_get_level((uint32_t)type), RTE_LOG_NOTICE);
}

static void
a_line_is_prefixed_ended_and_filtered_by_level(void)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	rte_log_set_global_level(RTE_LOG_DEBUG);
	rte_openlog_stream(f);
	WEIR_LOG(NOTICE, "port %s: %d", "tap0", 7);
	WEIR_LOG(WARNING, "plain");
	WEIR_LOG(DEBUG, "not shown");
	rte_openlog_stream(NULL);
	fclose(f);
	CU_ASSERT_STRING_EQUAL(text, "weir: port tap0: 7\nweir: plain\n");
	free(text);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(log_type_is_registered_once),
		UNIT(a_line_is_prefixed_ended_and_filtered_by_level),
		{NULL},
	};

	return unit_main("base/log", tests, false);
}
