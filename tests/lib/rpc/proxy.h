/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CT_TESTS_LIB_RPC_PROXY_H
#define CT_TESTS_LIB_RPC_PROXY_H

/*
 * Stands between a caller and a server, so that a test can hold replies back or
 * cut the connection at a moment of its choosing. One thread; tcp and ipc.
 */
struct proxy;

/* Listens at a free address of the target's kind, dir holds its ipc socket. */
struct proxy *proxy_new(const char *target_url, const char *dir);
const char *proxy_url(const struct proxy *p);
/* From here on the server's bytes are kept back / let go again. */
void proxy_hold(struct proxy *p);
void proxy_let_go(struct proxy *p);
/* The next bytes of the server are dropped, and their connection is cut instead, once:
 * what was asked for on it is done, and nobody hears of it. */
void proxy_cut_at_reply(struct proxy *p);
/* Cuts every connection, and takes no new one. */
void proxy_cut(struct proxy *p);
struct proxy *proxy_free(struct proxy *p);

#endif
