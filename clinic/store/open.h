/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLINIC_STORE_OPEN_H
#define CLINIC_STORE_OPEN_H

#include "store/store.h"

/* Opens a service's database by its settings; makes the folder of opts->path first
 * when that is missing (mode 0750). Blocks on the disk. Errors and why as
 * ct_store_new(). */
CT_MUST_USE ct_status clinic_store_open(const struct ct_store_opts *opts, struct ct_store_why *why,
					struct ct_store **ret_store);

#endif
