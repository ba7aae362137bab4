/* SPDX-License-Identifier: Apache-2.0 */
#include "rpc/services/standard.h"

ct_status ct_server_add_standard(struct ct_server *s)
{
	const ct_status st = ct_standard__add_health(s);

	return st != CT_OK ? st : ct_standard__add_runtime(s);
}
