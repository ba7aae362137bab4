/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Feeds a fuzz target its saved inputs without the fuzzer, so that what once
 * failed is tried by every compiler and on every run:
 *   corpus-NAME [FILE_OR_DIR]...   without arguments: tests/fuzz/corpus/NAME
 * Besides the files there are always the empty input and some fixed noise.
 */
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { INPUT_BYTES_MAX = 1 << 20, NOISE_INPUTS = 64, NOISE_BYTES_MAX = 512 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned passed, failed;

/* A copy of its own size, so that a sanitizer sees a read past the end. */
static void feed(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size > 0 ? size : 1);

	if (copy == NULL) {
		failed++;
		return;
	}
	if (size > 0)
		memcpy(copy, data, size);
	if (LLVMFuzzerTestOneInput(copy, size) == 0)
		passed++;
	else
		failed++;
	free(copy);
}

static void feed_file(const char *path)
{
	static uint8_t buffer[INPUT_BYTES_MAX];
	FILE *f = fopen(path, "rb");
	size_t len;

	if (f == NULL) {
		printf("%s: %s\n", path, strerror(errno));
		failed++;
		return;
	}
	len = fread(buffer, 1, sizeof(buffer), f);
	(void)fclose(f); /* only read */
	feed(buffer, len);
}

static void feed_dir(const char *path)
{
	DIR *dir = opendir(path);
	char file[4096];

	if (dir == NULL) {
		printf("%s: %s\n", path, strerror(errno));
		failed++;
		return;
	}
	for (const struct dirent *e; (e = readdir(dir)) != NULL;) {
		if (e->d_name[0] == '.')
			continue;
		if (snprintf(file, sizeof(file), "%s/%s", path, e->d_name) < (int)sizeof(file))
			feed_file(file);
	}
	(void)closedir(dir); /* only read */
}

static void feed_path(const char *path)
{
	struct stat s;

	if (stat(path, &s) == 0 && S_ISDIR(s.st_mode))
		feed_dir(path);
	else
		feed_file(path);
}

/* xorshift with a fixed seed: the same inputs on every run. */
static void feed_noise(void)
{
	uint8_t buffer[NOISE_BYTES_MAX] = { 0 };
	uint32_t x = 0x9e3779b9U;

	feed(buffer, 0);
	for (unsigned i = 0; i < NOISE_INPUTS; i++) {
		const size_t len = (size_t)(i + 1) * NOISE_BYTES_MAX / NOISE_INPUTS;

		for (size_t b = 0; b < len; b++) {
			x ^= x << 13;
			x ^= x >> 17;
			x ^= x << 5;
			buffer[b] = (uint8_t)x;
		}
		feed(buffer, len);
	}
}

int main(int argc, char **argv)
{
	const char *name = strstr(argv[0], "corpus-");
	char path[4096];

	feed_noise();
	for (int i = 1; i < argc; i++)
		feed_path(argv[i]);
	if (argc == 1 && name != NULL) {
		(void)snprintf(path, sizeof(path), "tests/fuzz/corpus/%s",
			       name + strlen("corpus-"));
		feed_path(path);
	}
	printf("%u passed, %u failed\n", passed, failed);
	return failed == 0 ? 0 : 1;
}
