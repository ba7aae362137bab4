/* SPDX-License-Identifier: Apache-2.0 */
#include "patient-svc/app.h"
#include "rpc/services/service_main.h"

int main(int argc, char **argv)
{
	return ct_service_main(&psvc_service, argc, argv);
}
