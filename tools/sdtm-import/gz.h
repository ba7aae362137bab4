/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SDTM_GZ_H
#define SDTM_GZ_H

#include "base/attrs.h"
#include "base/status.h"
#include "sdtm-import/csv.h"

/* A file as a source of bytes: plain, or gzip, which it recognises by itself.
 * The one user of zlib here. One thread. */
struct sdtm_gz;

/* NOT_FOUND: no such file. FAILED_PRECONDITION: it cannot be opened or is not
 * a regular file. RESOURCE_EXHAUSTED: memory. *ret_why: for people, static. */
CT_MUST_USE ct_status sdtm_gz_open(const char *path, struct sdtm_gz **ret_gz, const char **ret_why);
struct sdtm_gz *sdtm_gz_close(struct sdtm_gz *g); /* NULL ok; returns NULL */

/* Borrowed, valid until close. A gzip stream that ends early or is damaged
 * fails after the bytes before that. */
struct sdtm_csv_source sdtm_gz_source(struct sdtm_gz *g);

/* Bytes of the file as it lies on the disk: taken so far, and in all. */
uint64_t sdtm_gz_offset(const struct sdtm_gz *g);
uint64_t sdtm_gz_size(const struct sdtm_gz *g);

#endif
