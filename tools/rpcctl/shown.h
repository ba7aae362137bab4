/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RPCCTL_SHOWN_H
#define RPCCTL_SHOWN_H

#include "base/text.h"

enum { RPCCTL_SHOWN_SIZE = 256 };

/* What a server says, which may be what a stranger told it: cut, and without what drives
 * a terminal. */
struct shown {
	char text[RPCCTL_SHOWN_SIZE];
};

static inline struct shown shown(const char *text)
{
	struct shown s;

	(void)ct_text_show(s.text, sizeof(s.text), text);
	return s;
}

#endif
