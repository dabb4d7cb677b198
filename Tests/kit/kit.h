/*
 * kit.h - the test kit of the contract tests. kit.c has main(): a program is a list of KIT_TESTs.
 *
 *     KIT_TEST(stop_before_run)
 *     {
 *         rondo_loop *loop = kit_loop();
 *         CHECK_OK(rondo_loop_stop(loop));
 *         CHECK_STATUS(rondo_loop_run_forever(loop), RONDO_OK);
 *         kit_loop_end(loop);
 *     }
 *
 * The tests run one after the other in this process, or only the one named as argument. A check
 * that fails, a crash or a timeout ends the process image: the next test starts in a fresh one,
 * so that one failure is one failure. After each test descriptors, threads, the library's live
 * objects and its memory must be what they were before.
 *
 * Environment: KIT_SCALE multiplies every time limit (for valgrind and slow machines).
 */
#ifndef KIT_H
#define KIT_H

#include <pthread.h>
#include <rondo.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__)
#define KIT_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define KIT_ASAN 1
#elif __has_feature(thread_sanitizer)
#define KIT_TSAN 1
#endif
#endif
#if defined(__SANITIZE_THREAD__)
#define KIT_TSAN 1
#endif
#if defined(KIT_ASAN) || defined(KIT_TSAN)
#define KIT_SANITIZED 1
#else
#define KIT_SANITIZED 0
#endif

/* ---- tests ----------------------------------------------------------------------------------- */

struct kit_test {
    const char *name;
    void (*body)(void);
    int line;
    int seconds;
    struct kit_test *next;
};

void kit_register(struct kit_test *test);

#define KIT_TEST_WITHIN(name, seconds)                                                            \
    static void kit_body_##name(void);                                                            \
    static struct kit_test kit_entry_##name = { #name, kit_body_##name, __LINE__, seconds, NULL }; \
    __attribute__((constructor)) static void kit_register_##name(void)                            \
    {                                                                                             \
        kit_register(&kit_entry_##name);                                                          \
    }                                                                                             \
    static void kit_body_##name(void)

/** A test with the default limit of 10 seconds. */
#define KIT_TEST(name) KIT_TEST_WITHIN(name, 10)

/** End this test as skipped, visibly. Return from the test afterwards. */
void kit_skip(const char *why);
/** This test leaves something behind on purpose; say what. */
void kit_no_balance(const char *why);
/** Print a line of information ("# ..."). */
void kit_note(const char *format, ...) __attribute__((format(printf, 1, 2)));
/** n, or fewer where a sanitizer or valgrind makes everything slow. */
int kit_rounds(int n);

/* ---- checks: from any thread, and in a child of kit_fork() ----------------------------------- */

_Noreturn void kit_fail(const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void kit_check_status(const char *file, int line, const char *call, rondo_status got,
                      rondo_status expected);
void kit_check_int(const char *file, int line, const char *what, long long got, long long expected);
void kit_check_str(const char *file, int line, const char *what, const char *got,
                   const char *expected);
void kit_check_ptr(const char *file, int line, const char *what, const void *got,
                   const void *expected);

#define CHECK(expr)                                                                               \
    do {                                                                                          \
        if (!(expr))                                                                              \
            kit_fail(__FILE__, __LINE__, "not so: %s", #expr);                                    \
    } while (0)
#define CHECK_EQ_INT(got, expected)                                                               \
    kit_check_int(__FILE__, __LINE__, #got, (long long)(got), (long long)(expected))
#define CHECK_EQ_STR(got, expected) kit_check_str(__FILE__, __LINE__, #got, (got), (expected))
#define CHECK_EQ_PTR(got, expected) kit_check_ptr(__FILE__, __LINE__, #got, (got), (expected))
/** CHECK_STATUS(call, RONDO_E_...): the status must be this one. */
#define CHECK_STATUS(call, expected) \
    kit_check_status(__FILE__, __LINE__, #call, (call), (expected))
#define CHECK_OK(call) CHECK_STATUS(call, RONDO_OK)

/* ---- transcript: words in the order in which things happened --------------------------------- */

void kit_log(const char *format, ...) __attribute__((format(printf, 1, 2)));
/** Compare the words so far, joined with one space, and forget them. */
#define kit_expect_log(expected) kit_check_log(__FILE__, __LINE__, (expected))
void kit_check_log(const char *file, int line, const char *expected);

/* ---- callbacks ------------------------------------------------------------------------------- */

/** Counts its calls; a drop for any arg. Zero at the start of each test. */
void kit_drop(void *arg);
extern atomic_long kit_drops;

/** An arg that knows how often it was used. */
struct kit_arg {
    atomic_int calls;
    atomic_int drops;
    void *value;
};
void kit_arg_call(void *arg);                      /**< rondo_call_fn: calls++ */
void kit_arg_fd(int32_t fd, void *arg);            /**< rondo_fd_fn: calls++ */
void kit_arg_future(rondo_future *future, void *arg); /**< rondo_future_fn: calls++ */
void kit_arg_drop(void *arg);                      /**< drops++; a second drop fails the test */

void kit_log_call(void *arg); /**< rondo_call_fn: kit_log() of arg, a string */
void kit_stop_call(void *arg); /**< rondo_call_fn: rondo_loop_stop(arg) */
void kit_no_call(void *arg);  /**< rondo_call_fn: must never run */

/* ---- loops ----------------------------------------------------------------------------------- */

rondo_loop *kit_loop(void);          /**< A new loop. */
rondo_loop *kit_loop_of(uint32_t flags, uint64_t seed); /**< With RONDO_LOOP_ flags and a seed. */
rondo_loop *kit_virtual_loop(void);  /**< With RONDO_LOOP_VIRTUAL_CLOCK: sleeps take no time. */
void kit_loop_end(rondo_loop *loop); /**< Close, which must find nothing, and release. */
void kit_loop_end_with_pool(rondo_loop *loop); /**< The same for a loop with a default pool, whose threads end first. */
void kit_loop_drop(rondo_loop *loop); /**< Close, whatever is left, and release. */
void kit_pass(rondo_loop *loop);     /**< One pass: stop, then run_forever. */
void kit_stop_soon(rondo_loop *loop);/**< call_soon(stop). */
/** Run until *flag is not zero, with rondo_loop_iterate() of at most 1 ms of sleep each. */
void kit_run_until(rondo_loop *loop, atomic_int *flag);
rondo_error *kit_error(int32_t code, const char *message); /**< Of RONDO_DOMAIN_USER; owned. */
rondo_error *kit_rondo_error(int32_t code, const char *message); /**< Of RONDO_DOMAIN_RONDO; owned. */

/** An exception handler that remembers; needs no arg. Forgotten at the start of each test. */
void kit_record_report(rondo_loop *loop, rondo_exception_context *context, void *arg);
void kit_record_reports(rondo_loop *loop); /**< Make it the loop's exception handler. */
int kit_reports(void);
const char *kit_report_message(int index);
int32_t kit_report_code(int index); /**< The code of its error, 0 without one. */

/** Take what the library logs, instead of stderr, until the test ends. */
void kit_catch_log(void);
int kit_logged(void);
const char *kit_logged_message(int index);
bool kit_logged_containing(const char *text);

/* ---- threads --------------------------------------------------------------------------------- */

/** Run fn(arg) in a thread of its own and wait for its end. */
void kit_in_thread(void (*fn)(void *arg), void *arg);
pthread_t kit_thread_start(void *(*fn)(void *arg), void *arg);
void kit_thread_join(pthread_t thread);

/** Set once, waited for by any number. */
struct kit_event {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int set;
};
#define KIT_EVENT_INIT { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0 }
void kit_event_set(struct kit_event *event);
void kit_event_wait(struct kit_event *event);
bool kit_event_is_set(struct kit_event *event);

/** Wait until this thread of ours sleeps in the kernel (state S): no timing, the kernel's word. */
void kit_wait_asleep(int32_t tid);
int32_t kit_tid(void);

/* ---- processes ------------------------------------------------------------------------------- */

/** fork() with the kit's handlers off in the child; a failed check exits the child with 97. */
int kit_fork(void);
/** Wait for a child; returns its exit status, or 128 + signal. */
int kit_wait_child(int pid);

/* ---- sockets --------------------------------------------------------------------------------- */

void kit_socketpair(int fds[2]); /**< Two connected, non-blocking stream sockets. */
void kit_pipe(int fds[2]);       /**< A non-blocking pipe. */
int kit_listener(uint16_t *port); /**< A non-blocking listener on a free loopback port. */
int kit_connect(uint16_t port);  /**< A connected blocking socket. */
void kit_fill(int fd);           /**< Write until it would block. */
void kit_drain(int fd);          /**< Read until it would block. */
int64_t kit_now(void);           /**< CLOCK_MONOTONIC in nanoseconds. */
int64_t kit_cpu(void);           /**< CPU time of this process in nanoseconds. */

/* ---- memory ---------------------------------------------------------------------------------- */

/** 1 if allocations are counted and can be made to fail; 0 in sanitizer builds. */
bool kit_alloc_works(void);
/** Let the n-th allocation of the library from now on fail (1 is the next), and if sticky all
 * after it. 0: none fails, they are only counted. */
void kit_alloc_fail(long n, bool sticky);
/** Stop failing; returns how many allocations the library asked for since kit_alloc_fail(). */
long kit_alloc_end(void);
/** How often an allocation was refused since kit_alloc_fail(). */
long kit_alloc_failed(void);
/** Let only this thread's allocations count and fail. */
void kit_alloc_only_this_thread(bool only);
/** Whether an address lies in the library's code: for a function that takes a libc function's place. */
bool kit_is_library(const void *caller);
/** The library's live bytes, the pool's chunks not counted. */
size_t kit_alloc_bytes(void);

/* internal: alloc.c, api.c */
void kit_alloc_setup(void);
void kit_alloc_mark(void);
int kit_alloc_leaks(bool print);

#endif
