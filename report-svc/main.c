/* SPDX-License-Identifier: Apache-2.0 */
#include "report-svc/app.h"
#include "rpc/services/service_main.h"

int main(int argc, char **argv)
{
	return ct_service_main(&rsvc_service, argc, argv);
}
