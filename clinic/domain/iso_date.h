/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLINIC_DOMAIN_ISO_DATE_H
#define CLINIC_DOMAIN_ISO_DATE_H

/*
 * ISO 8601 dates as SDTM writes them: text with the precision that is known,
 * "2003", "2003-05", "2003-05-17", "2014-01-16T13:17", "2014-01-16T13:17:30.5",
 * the last two also with a zone ("Z", "+08:00", "+0800", "+08"). A part that is
 * not known though a later one is, is a hyphen: "2003---17" (some 17th of 2003),
 * "2003-05-17T-:30". Never a timestamp type. Pure functions, any thread.
 */
enum { CLINIC_DATE_SIZE = 20 }; /* "9999-12-31T23:59:59" and a NUL */

/* NULL: it is such a date and exists. Else why not, half a sentence (static).
 * An empty text is no date. */
const char *clinic_date_fault(const char *text);

/* The first and the last second that a date may mean, always to the second:
 * "2003-02" is 2003-02-01T00:00:00 to 2003-02-28T23:59:59. Compares as text. A
 * year that is not known is 0000 and 9999; an empty or faulty text all of time.
 * The zone is not looked at: two dates are compared as their places wrote them. */
void clinic_date_first(const char *text, char out[CLINIC_DATE_SIZE]);
void clinic_date_last(const char *text, char out[CLINIC_DATE_SIZE]);

#endif
