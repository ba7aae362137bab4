/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CT_BASE_ATTRS_H
#define CT_BASE_ATTRS_H

/* Compiler attributes. Nothing else may use __attribute__ directly. */
#define CT_MUST_USE __attribute__((warn_unused_result))
#define CT_PRINTF(fmt, first) __attribute__((format(printf, fmt, first)))

/* Clang's thread-safety analysis, function level only: the field form cannot
 * name a sibling field in C. */
#if defined(__clang__)
#define CT_CAPABILITY(name) __attribute__((capability(name)))
#define CT_REQUIRES(...) __attribute__((requires_capability(__VA_ARGS__)))
#define CT_EXCLUDES(...) __attribute__((locks_excluded(__VA_ARGS__)))
#define CT_ACQUIRES(...) __attribute__((acquire_capability(__VA_ARGS__)))
#define CT_RELEASES(...) __attribute__((release_capability(__VA_ARGS__)))
#define CT_NO_TSA __attribute__((no_thread_safety_analysis))
#else
#define CT_CAPABILITY(name)
#define CT_REQUIRES(...)
#define CT_EXCLUDES(...)
#define CT_ACQUIRES(...)
#define CT_RELEASES(...)
#define CT_NO_TSA
#endif

/* The object that holds `member`, from a pointer to the member. */
#define CT_CONTAINER_OF(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

#define CT_ARRAY_N(a) (sizeof(a) / sizeof((a)[0]))

#endif
