/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SDTM_DATE_H
#define SDTM_DATE_H

#include <stddef.h>

/* ISO 8601 dates as SDTM writes them. A date is text with a precision and is
 * stored as written; this only says whether it is one, by the same rules as the
 * services, so that a bad one is found before it travels. Pure. */
enum sdtm_date_precision {
	SDTM_DATE_YEAR,   /* 2003 */
	SDTM_DATE_MONTH,  /* 2003-05 */
	SDTM_DATE_DAY,    /* 2003-05-17; 2003---17: some 17th of 2003 */
	SDTM_DATE_HOUR,   /* 2003-05-17T09 */
	SDTM_DATE_MINUTE, /* 2003-05-17T09:30; 2003-05-17T-:30 */
	SDTM_DATE_SECOND, /* 2003-05-17T09:30:05, also with a fraction */
};

/* From the hour on, "Z", "+08:00", "+0800" or "+08" may follow. NULL: it is a
 * date and *ret_precision is set; else why it is not (static). */
const char *sdtm_date_check(const char *text, size_t len, enum sdtm_date_precision *ret_precision);

#endif
