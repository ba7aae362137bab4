/* SPDX-License-Identifier: Apache-2.0 */
/* sdtm-import: loads an SDTM study through the public calls. docs/import.md. */
#include "sdtm-import/import.h"

int main(int argc, char **argv)
{
	struct sdtm_args args;
	const int done = sdtm_args_parse(argc, argv, &args);

	return done >= 0 ? done : sdtm_import_run(&args);
}
