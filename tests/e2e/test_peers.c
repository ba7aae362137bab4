/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Peers that are not ours: nng's own REQ sockets and nngcat call our server with
 * messages made here byte by byte, and our client calls a server on nng's own REP
 * socket. Stock sockets live in this program alone.
 */
#include "base/check.h"
#include "tests/e2e/child.h"
#include "tests/lib/rpc/ask.h"
#include "tests/lib/tally.h"
#include "wire/header.h"

#include <fcntl.h>
#include <nng/nng.h>
#include <nng/protocol/reqrep0/rep.h>
#include <nng/protocol/reqrep0/req.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	MESSAGE_MAX = 1024,
	PATIENT_MS = 20000,
	SHORT_MS = 300,
	LATE_MS = 2000,
	SEQUENTIAL = 100,
	RESTARTS = 10
};

static const char greeting[] = "张三 at 协和医院";

/* ---- messages, by hand ------------------------------------------------------------------- */

/* A CALL of Hall/Tell that wants the greeting back. */
static size_t make_call(uint8_t out[MESSAGE_MAX], struct ct_id *ret_id)
{
	struct ct_wire_header h = { .kind = CT_WIRE_CALL,
				    .attempt = 1,
				    .budget_us = PATIENT_MS * UINT64_C(1000),
				    .cancel_id = ct_id_new(),
				    .method = ct_fnv1a32(ct_bytes_of_str("hall.v1.Hall/Tell")) };
	Hall__V1__Ask ask = HALL__V1__ASK__INIT;

	ask.payload = (ProtobufCBinaryData){ sizeof(greeting), (uint8_t *)(uintptr_t)greeting };
	ct_wire_encode(&h, out);
	*ret_id = h.cancel_id;
	return CT_WIRE_HEADER_BYTES + hall__v1__ask__pack(&ask, out + CT_WIRE_HEADER_BYTES);
}

/* The REPLY to it: OK, its id, its greeting. */
static bool is_reply(const uint8_t *bytes, size_t len, const struct ct_id *id)
{
	struct ct_bytes meta, payload;
	Hall__V1__Answer *answer;
	struct ct_wire_header h;
	const char *why;
	bool same;

	if (ct_wire_decode(ct_bytes_of(bytes, len), &h, &meta, &payload, &why) != CT_OK ||
	    h.kind != CT_WIRE_REPLY || h.code != CT_OK || !ct_id_equal(&h.cancel_id, id))
		return false;
	answer = hall__v1__answer__unpack(NULL, payload.len, payload.ptr);
	same = answer != NULL && answer->payload.len == sizeof(greeting) &&
	       memcmp(answer->payload.data, greeting, sizeof(greeting)) == 0;
	hall__v1__answer__free_unpacked(answer, NULL);
	return same;
}

/* ---- stock REQ sockets -> our server --------------------------------------------------------- */

static nng_socket stock_req(const char *url)
{
	nng_socket req;

	CT_CHECK(nng_req0_open(&req) == 0);
	CT_CHECK(nng_socket_set_ms(req, NNG_OPT_RECVTIMEO, PATIENT_MS) == 0);
	CT_CHECK(nng_socket_set_ms(req, NNG_OPT_SENDTIMEO, PATIENT_MS) == 0);
	CT_CHECK(nng_dial(req, url, NULL, 0) == 0);
	return req;
}

static bool stock_call(nng_socket req)
{
	uint8_t message[MESSAGE_MAX], answer[MESSAGE_MAX];
	size_t answer_len = sizeof(answer);
	struct ct_id id;
	const size_t len = make_call(message, &id);

	return nng_send(req, message, len, 0) == 0 && nng_recv(req, answer, &answer_len, 0) == 0 &&
	       is_reply(answer, answer_len, &id);
}

static void stock_req_calls(const char *url)
{
	const nng_socket req = stock_req(url);
	unsigned answered = 0;

	expect(stock_call(req), "a stock REQ socket calls our server");
	while (answered < SEQUENTIAL && stock_call(req))
		answered++;
	expect(answered == SEQUENTIAL, "100 times, one after the other");
	CT_CHECK(nng_close(req) == 0);
}

static void stock_req_sends_garbage(const char *url)
{
	const nng_socket bad = stock_req(url), good = stock_req(url);
	char byte;
	size_t n = 1;

	CT_CHECK(nng_socket_set_ms(bad, NNG_OPT_RECVTIMEO, SHORT_MS) == 0);
	CT_CHECK(nng_send(bad, (void *)(uintptr_t)greeting, sizeof(greeting), 0) == 0);
	expect(nng_recv(bad, &byte, &n, 0) == NNG_ETIMEDOUT,
	       "a stock socket that sends something else gets no answer");
	expect(stock_call(good), "and another one is served meanwhile");
	expect(stock_call(bad), "and it as well, once it asks properly");
	CT_CHECK(nng_close(bad) == 0);
	CT_CHECK(nng_close(good) == 0);
}

/* A second request on a REQ socket gives the first one up. */
static void stock_req_changes_its_mind(const char *url)
{
	const nng_socket req = stock_req(url);
	uint8_t message[MESSAGE_MAX];
	struct ct_id id;
	const size_t len = make_call(message, &id);

	CT_CHECK(nng_send(req, message, len, 0) == 0);
	expect(stock_call(req), "a stock socket that asks twice hears the second answer");
	CT_CHECK(nng_close(req) == 0);
}

/* ---- nngcat -> our server ---------------------------------------------------------------- */

static int run(const char *const *argv, const char *out_path)
{
	posix_spawn_file_actions_t actions;
	int status = -1;
	pid_t pid;

	CT_CHECK(posix_spawn_file_actions_init(&actions) == 0);
	CT_CHECK(posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, out_path,
						  O_WRONLY | O_CREAT | O_TRUNC, 0600) == 0);
	if (posix_spawnp(&pid, argv[0], &actions, NULL, (char **)(uintptr_t)argv, environ) == 0)
		CT_CHECK(waitpid(pid, &status, 0) == pid);
	CT_CHECK(posix_spawn_file_actions_destroy(&actions) == 0);
	return status;
}

static size_t read_all(const char *path, uint8_t *out, size_t size)
{
	FILE *f = fopen(path, "re");
	size_t n;

	CT_CHECK(f != NULL);
	n = fread(out, 1, size, f);
	CT_CHECK(fclose(f) == 0);
	return n;
}

/* "\x43\x54…" in quotes, as nngcat --hex prints it. */
static size_t unhex(const uint8_t *text, size_t len, uint8_t *out)
{
	size_t n = 0;

	for (size_t i = 0; i + 3 < len; i++) {
		char digits[3] = { (char)text[i + 2], (char)text[i + 3], '\0' };

		if (text[i] != '\\' || text[i + 1] != 'x')
			continue;
		out[n++] = (uint8_t)strtoul(digits, NULL, 16);
		i += 3;
	}
	return n;
}

static void nngcat_calls(const char *url, const char *dir)
{
	char request[64], answer[64];
	uint8_t message[MESSAGE_MAX], text[4 * MESSAGE_MAX], bytes[MESSAGE_MAX];
	struct ct_id id;
	const size_t len = make_call(message, &id);
	const char *const raw[] = { "nngcat", "--req0", "--dial",         url,  "-F",
				    request,  "--raw",  "--recv-timeout", "10", NULL };
	const char *const hex[] = { "nngcat", "--req0", "--dial",         url,  "-F",
				    request,  "--hex",  "--recv-timeout", "10", NULL };
	size_t n;
	FILE *f;

	(void)snprintf(request, sizeof(request), "%s/request", dir);
	(void)snprintf(answer, sizeof(answer), "%s/answer", dir);
	f = fopen(request, "we");
	CT_CHECK(f != NULL);
	CT_CHECK(fwrite(message, 1, len, f) == len);
	CT_CHECK(fclose(f) == 0);

	expect(run(raw, answer) == 0, "nngcat --raw calls our server");
	n = read_all(answer, text, sizeof(text));
	expect(is_reply(text, n, &id), "and prints the reply as it came");
	expect(run(hex, answer) == 0, "nngcat --hex calls our server");
	n = unhex(text, read_all(answer, text, sizeof(text)), bytes);
	expect(is_reply(bytes, n, &id), "and prints the reply in digits");
	CT_CHECK(unlink(request) == 0);
	CT_CHECK(unlink(answer) == 0);
}

/* ---- our client -> a stock REP socket ---------------------------------------------------- */

enum { REASONS = CT_CANCEL_PEER_GONE + 1 };

static void rep_send(nng_socket rep, const struct ct_wire_header *to, struct ct_bytes payload)
{
	const struct ct_wire_header h = { .kind = CT_WIRE_REPLY,
					  .code = CT_OK,
					  .attempt = to->attempt,
					  .cancel_id = to->cancel_id };
	uint8_t message[MESSAGE_MAX];

	ct_wire_encode(&h, message);
	if (payload.len > 0)
		memcpy(message + CT_WIRE_HEADER_BYTES, payload.ptr, payload.len);
	(void)nng_send(rep, message, CT_WIRE_HEADER_BYTES + payload.len, 0); /* or he is gone */
}

/* The answer's payload: how many CANCELs came, by reason, and what was asked. */
static void rep_tell(nng_socket rep, const struct ct_wire_header *h, struct ct_bytes request,
		     const uint8_t cancels[REASONS])
{
	Hall__V1__Ask *ask = hall__v1__ask__unpack(NULL, request.len, request.ptr);
	Hall__V1__Answer answer = HALL__V1__ANSWER__INIT;
	uint8_t payload[MESSAGE_MAX / 2], packed[MESSAGE_MAX];

	CT_CHECK(ask != NULL && ask->payload.len + REASONS <= sizeof(payload));
	memcpy(payload, cancels, REASONS);
	if (ask->payload.len > 0)
		memcpy(payload + REASONS, ask->payload.data, ask->payload.len);
	answer.payload = (ProtobufCBinaryData){ REASONS + ask->payload.len, payload };
	rep_send(rep, h, ct_bytes_of(packed, hall__v1__answer__pack(&answer, packed)));
	hall__v1__ask__free_unpacked(ask, NULL);
}

/*
 * The part "--rep URL": a server on nng's REP0. Answers Tell with what it has seen,
 * CANCEL with OK, and Hold never: a REP socket that receives again gives the last
 * request up.
 */
_Noreturn static void rep_part(const char *url)
{
	uint8_t cancels[REASONS] = { 0 }, message[MESSAGE_MAX];
	nng_listener listener;
	nng_socket rep;
	char where[64];
	int port;

	child_begin();
	CT_CHECK(nng_rep0_open(&rep) == 0);
	CT_CHECK(nng_listen(rep, url, &listener, 0) == 0);
	if (nng_listener_get_int(listener, NNG_OPT_TCP_BOUND_PORT, &port) == 0)
		(void)snprintf(where, sizeof(where), "tcp://127.0.0.1:%d", port);
	else
		(void)snprintf(where, sizeof(where), "%s", url);
	child_ready(where);
	for (;;) {
		struct ct_bytes meta, payload;
		size_t len = sizeof(message);
		struct ct_wire_header h;
		const char *why;

		CT_CHECK(nng_recv(rep, message, &len, 0) == 0);
		CT_CHECK(ct_wire_decode(ct_bytes_of(message, len), &h, &meta, &payload, &why) ==
			 CT_OK);
		if (h.kind == CT_WIRE_CANCEL) {
			cancels[h.code]++;
			rep_send(rep, &h, CT_BYTES_NONE);
		} else if (h.method == hall_tell_method.hash) {
			rep_tell(rep, &h, payload, cancels);
		}
	}
}

struct caller {
	struct ct_runtime rt;
	struct ct_client *c;
	struct child rep;
	char url[128];
};

static void caller_init(struct caller *k, const char *url)
{
	const struct ct_runtime_opts ro = { .service = "test",
					    .net = { .backoff_min_ms = 2, .backoff_max_ms = 20 } };
	const struct ct_client_opts co = { .rt = &k->rt,
					   .peer = "rep",
					   .urls = (const char *[]){ k->url },
					   .urls_n = 1,
					   .attempts_max = 1,
					   .wait = CT_WAIT_READY };

	child_start(&k->rep, (const char *[]){ "--rep", url, NULL });
	memcpy(k->url, k->rep.line, sizeof(k->url));
	CT_CHECK(ct_runtime_init(&k->rt, &ro) == CT_OK);
	k->c = client_with(&co);
}

static void caller_fini(struct caller *k)
{
	k->c = ct_client_free(k->c);
	ct_runtime_fini(&k->rt);
	child_kill(&k->rep);
}

/* One Tell; what the server has counted goes to cancels. */
static bool ask_rep(struct caller *k, uint8_t cancels[REASONS])
{
	const Hall__V1__Answer *answer;
	struct ask a;
	bool ok;

	ask_init(&a, PATIENT_MS);
	a.req.payload = (ProtobufCBinaryData){ sizeof(greeting), (uint8_t *)(uintptr_t)greeting };
	ok = ask_now(&a, k->c, &hall_tell_method) == CT_OK;
	answer = ask_answer(&a);
	ok = ok && answer->payload.len == REASONS + sizeof(greeting) &&
	     memcmp(answer->payload.data + REASONS, greeting, sizeof(greeting)) == 0;
	if (ok)
		memcpy(cancels, answer->payload.data, REASONS);
	ask_fini(&a);
	return ok;
}

static void client_calls_stock_rep(struct caller *k)
{
	uint8_t cancels[REASONS];
	unsigned counts[CT_STATUS_N], answered = 0;
	struct ask *asks;

	expect(ask_rep(k, cancels), "our client calls a stock REP socket");
	while (answered < SEQUENTIAL && ask_rep(k, cancels))
		answered++;
	expect(answered == SEQUENTIAL, "100 times, one after the other");
	asks = asks_start(k->c, &hall_tell_method, SEQUENTIAL, PATIENT_MS);
	expect(asks_wait(asks, SEQUENTIAL, counts) && counts[CT_OK] == SEQUENTIAL,
	       "and 100 at once, which it takes in turn");
	asks_free(asks, SEQUENTIAL);
}

static void client_cancels_at_stock_rep(struct caller *k)
{
	uint8_t cancels[REASONS] = { 0 };
	struct ct_ctx *ctx = NULL;
	struct ask late, unwanted;

	ask_init(&late, LATE_MS); /* it is out before that, on any machine */
	expect(ask_now(&late, k->c, &hall_hold_method) == CT_DEADLINE_EXCEEDED,
	       "a call that a stock REP never answers ends at its deadline");
	CT_CHECK(ct_ctx_new_root(k->rt.timers, CT_NEVER, &ctx) == CT_OK);
	ask_init(&unwanted, PATIENT_MS);
	unwanted.parent = ctx;
	ask_start(&unwanted, k->c, &hall_hold_method);
	CT_CHECK(ct_ctx_cancel(ctx, CT_CANCEL_CALLER));
	expect(ask_wait(&unwanted) && unwanted.reply.status == CT_CANCELLED,
	       "and one that is cancelled ends then");
	expect(ask_rep(k, cancels), "the connection goes on");
	expect(cancels[CT_CANCEL_DEADLINE] == 1 && cancels[CT_CANCEL_CALLER] == 1,
	       "the REP socket got both CANCELs with their reasons");
	expect(client_stats(k->c).late_replies == 0, "replies to CANCELs are no late replies");
	ask_fini(&late);
	ask_fini(&unwanted);
	ct_ctx_unref(ctx);
}

static void stock_rep_restarts(struct caller *k)
{
	uint8_t cancels[REASONS];
	unsigned found = 0;
	bool ended = true;
	struct ask out;

	for (unsigned i = 0; i < RESTARTS; i++) {
		ask_init(&out, PATIENT_MS);
		ask_start(&out, k->c, &hall_hold_method);
		ended = ask_rep(k, cancels) && ended; /* so the other one is out */
		child_kill(&k->rep);
		ended = ask_wait(&out) && out.reply.status == CT_UNAVAILABLE && ended;
		child_start(&k->rep, (const char *[]){ "--rep", k->url, NULL });
		found += ask_rep(k, cancels) ? 1 : 0;
		ask_fini(&out);
	}
	expect(ended, "a call that is out when a stock REP is killed is UNAVAILABLE");
	expect(found == RESTARTS, "and the restarted one is found again, 10 times");
	expect(client_adds_up(k->c), "the client's counts add up");
}

/* ---- all --------------------------------------------------------------------------------- */

static void our_server(const char *listen_url, const char *dir)
{
	struct child hall;

	child_start(&hall, (const char *[]){ "--hall", listen_url, NULL });
	printf("our server at %s\n", hall.line);
	stock_req_calls(hall.line);
	stock_req_changes_its_mind(hall.line);
	stock_req_sends_garbage(hall.line);
	nngcat_calls(hall.line, dir);
	expect(child_stop(&hall), "the server ends with 0, and its accounts are right");
}

static void their_server(const char *url)
{
	struct caller k;

	caller_init(&k, url);
	printf("stock REP at %s\n", k.url);
	client_calls_stock_rep(&k);
	client_cancels_at_stock_rep(&k);
	stock_rep_restarts(&k);
	caller_fini(&k);
}

int main(int argc, char **argv)
{
	char dir[] = "/tmp/ct-peers-XXXXXX", ours[64], theirs[64];

	if (argc == 3 && strcmp(argv[1], "--hall") == 0)
		return hall_part(argv[2]);
	if (argc == 3 && strcmp(argv[1], "--rep") == 0)
		rep_part(argv[2]);
	CT_CHECK(setvbuf(stdout, NULL, _IOLBF, 0) == 0);
	CT_CHECK(mkdtemp(dir) != NULL);
	(void)snprintf(ours, sizeof(ours), "ipc://%s/ours", dir);
	(void)snprintf(theirs, sizeof(theirs), "ipc://%s/theirs", dir);
	our_server("tcp://127.0.0.1:0", dir);
	our_server(ours, dir);
	their_server("tcp://127.0.0.1:0");
	their_server(theirs);
	(void)unlink(theirs + strlen("ipc://")); /* the last one was killed and left it */
	CT_CHECK(rmdir(dir) == 0);
	return tally_end();
}
