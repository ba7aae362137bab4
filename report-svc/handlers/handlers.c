/* SPDX-License-Identifier: Apache-2.0 */
#include "report-svc/handlers/handlers.h"

static const struct report_handlers handlers = {
	.put_reports = rsvc_put_reports,
	.get_reports = rsvc_get_reports,
	.put_visits = rsvc_put_visits,
	.get_visits = rsvc_get_visits,
};

ct_status rsvc_handlers_register(struct ct_server *s, struct rsvc *app)
{
	return report_register(s, &handlers, app);
}
