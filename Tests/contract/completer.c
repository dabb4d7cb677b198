/* completer.c - functions that complete: once, from any thread, late, released, forked, without memory. */
#define _GNU_SOURCE
#include "kit.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

typedef void (*number_fn)(int32_t number, void *user);
typedef int32_t (*text_fn)(const char *text, int32_t number);

static rondo_any_fn function_of(rondo_completer *completer)
{
    rondo_any_fn fn = NULL;
    CHECK_OK(rondo_completer_get_function(completer, &fn));
    CHECK(fn != NULL);
    return fn;
}

static void check_counts(rondo_completer *completer, uint64_t calls, uint64_t ignored)
{
    uint64_t got_calls = 99, got_ignored = 99;
    CHECK_OK(rondo_completer_get_counts(completer, &got_calls, &got_ignored));
    CHECK_EQ_INT(got_calls, calls);
    CHECK_EQ_INT(got_ignored, ignored);
}

static rondo_completer *completer_of(rondo_future *future, const char *signature, uint32_t flags)
{
    rondo_completer_options options = { .size = sizeof options, .flags = flags };
    rondo_completer *completer = NULL;
    CHECK_OK(rondo_future_completer(future, signature, &options, NULL, NULL, &completer));
    return completer;
}

/* ---- once ------------------------------------------------------------------------------------ */

KIT_TEST(the_first_call_completes)
{
    rondo_loop *loop = kit_loop();
    rondo_future *future = NULL;
    rondo_completer *completer = NULL;
    rondo_completer_options options = { .size = sizeof options, .result = &(int32_t){ -42 } };
    char text[] = "first";
    void *value = NULL;
    CHECK_OK(rondo_future_new(loop, &future));
    CHECK_OK(rondo_future_completer(future, "i32(str,i32)", &options, "arg", kit_drop, &completer));
    text_fn fn = (text_fn)function_of(completer);
    CHECK_EQ_INT(fn(text, 7), -42);
    CHECK_EQ_INT(fn("second", 8), -42);
    memset(text, 'x', 5);
    CHECK_EQ_INT(rondo_future_is_done(future), 0); /* not from inside the call */
    kit_pass(loop);
    check_counts(completer, 1, 1);
    CHECK_EQ_INT(kit_drops, 0);
    CHECK_OK(rondo_completer_release(completer));
    CHECK_EQ_INT(kit_drops, 1);
    CHECK_OK(rondo_future_take_result(future, &value));
    void **args = value;
    CHECK_EQ_STR(*(char **)args[0], "first");
    CHECK_EQ_INT(*(int32_t *)args[1], 7);
    rondo_completer_free(args);
    CHECK_OK(rondo_future_release(future));
    kit_loop_end(loop);
}

static rondo_step await_it(rondo_coroutine *co, void *frame, void *sent, rondo_error *thrown)
{
    (void)sent;
    if (thrown != NULL) {
        kit_log("%s", rondo_status_name(rondo_error_get_status(thrown)));
        return RONDO_STEP_RETURN;
    }
    if (sent != NULL) {
        kit_log("got%d", *(int32_t *)((void **)sent)[0]);
        return RONDO_STEP_RETURN;
    }
    return rondo_coroutine_await(co, *(rondo_future **)frame);
}

/* Who awaits is told when the last one who could complete it goes. */
KIT_TEST(a_completer_that_is_never_called)
{
    rondo_loop *loop = kit_loop();
    rondo_future *future = NULL;
    CHECK_OK(rondo_future_new(loop, &future));
    rondo_completer *completer = completer_of(future, "void(i32,user)", 0);
    CHECK_OK(rondo_loop_spawn(loop, await_it, &future, NULL, NULL, NULL));
    kit_pass(loop);
    CHECK_OK(rondo_future_release(future));
    CHECK_OK(rondo_completer_release(completer));
    kit_pass(loop);
    kit_pass(loop);
    kit_expect_log("RONDO_E_BROKEN_PROMISE");
    kit_loop_end(loop);
}

KIT_TEST(a_task_awaits_a_completer)
{
    rondo_loop *loop = kit_loop();
    rondo_future *future = NULL;
    CHECK_OK(rondo_future_new(loop, &future));
    rondo_completer *completer = completer_of(future, "void(i32,user)", 0);
    CHECK_OK(rondo_loop_spawn(loop, await_it, &future, NULL, NULL, NULL));
    kit_pass(loop);
    ((number_fn)function_of(completer))(5, completer);
    kit_pass(loop);
    kit_pass(loop);
    kit_expect_log("got5");
    CHECK_OK(rondo_completer_release(completer));
    CHECK_OK(rondo_future_release(future));
    kit_loop_end(loop);
}

/* The future was cancelled or completed otherwise, or its loop is closed: late, and nothing leaks. */
KIT_TEST(late_completions)
{
    rondo_loop *loop = kit_loop();
    rondo_future *future = NULL, *other = NULL;
    CHECK_OK(rondo_future_new(loop, &future));
    CHECK_OK(rondo_future_new(loop, &other));
    rondo_completer *completer = completer_of(future, "void(str,user)", 0);
    rondo_completer *second = completer_of(future, "void(str,user)", 0);
    rondo_completer *third = completer_of(other, "void(str,user)", 0);
    void (*fn)(const char *, void *) = (void (*)(const char *, void *))function_of(completer);
    CHECK_OK(rondo_future_cancel(future, NULL, NULL));
    fn("late", completer);
    kit_pass(loop);
    CHECK_EQ_INT(rondo_future_is_cancelled(future), 1);
    fn("never collected", second);
    CHECK_OK(rondo_completer_release(completer));
    CHECK_OK(rondo_completer_release(second));
    CHECK_OK(rondo_loop_close(loop, NULL));
    fn("after close", third);
    check_counts(third, 0, 1);
    CHECK_OK(rondo_completer_release(third));
    CHECK_OK(rondo_future_release(future));
    CHECK_OK(rondo_future_release(other));
    kit_loop_end(loop);
}

/* ---- after the release ----------------------------------------------------------------------- */

/* A function is code for ever: a late call does nothing. With user data whatever is passed is looked at. */
KIT_TEST(calls_after_the_release)
{
    rondo_loop *loop = kit_loop();
    rondo_future *future = NULL;
    CHECK_OK(rondo_future_new(loop, &future));
    rondo_completer *own = completer_of(future, "i32(str,i32)", 0);
    rondo_completer *closure = completer_of(future, "i32(str,i32)", RONDO_COMPLETER_CLOSURE);
    rondo_completer *user = completer_of(future, "void(i32,user)", 0);
    text_fn own_fn = (text_fn)function_of(own), closure_fn = (text_fn)function_of(closure);
    number_fn user_fn = (number_fn)function_of(user);
    CHECK((void *)(uintptr_t)own_fn != (void *)(uintptr_t)closure_fn);
    user_fn(1, own); /* not one that is named by its user data */
    user_fn(1, NULL);
    user_fn(1, (void *)(uintptr_t)0x1234567);
    user_fn(1, future);
    check_counts(own, 0, 0);
    check_counts(user, 0, 0);
    CHECK_OK(rondo_completer_release(own));
    CHECK_OK(rondo_completer_release(closure));
    CHECK_OK(rondo_completer_release(user));
    CHECK_EQ_INT(own_fn("late", 1), 0);
    closure_fn("late", 1);
    user_fn(1, user);
    kit_pass(loop);
    CHECK_EQ_INT(rondo_future_is_done(future), 0);
    CHECK_OK(rondo_future_release(future));
    kit_loop_end(loop);
}

/* More than there are functions of the library's own: the rest are closures, and all lead to their own. */
KIT_TEST(many_functions)
{
    enum { COUNT = 200 };
    rondo_loop *loop = kit_loop();
    rondo_future *futures[COUNT];
    rondo_completer *completers[COUNT];
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < COUNT; i++) {
            CHECK_OK(rondo_future_new(loop, &futures[i]));
            completers[i] = completer_of(futures[i], "i32(str,i32)", 0);
        }
        for (int i = 0; i < COUNT; i++)
            ((text_fn)function_of(completers[i]))("text", i);
        kit_pass(loop);
        for (int i = 0; i < COUNT; i++) {
            void *value = NULL;
            CHECK_OK(rondo_future_result(futures[i], &value));
            CHECK_EQ_INT(*(int32_t *)((void **)value)[1], i);
            CHECK_OK(rondo_completer_release(completers[(i * 7 + round) % COUNT]));
            CHECK_OK(rondo_future_release(futures[i]));
        }
    }
    kit_loop_end(loop);
}

/* ---- threads --------------------------------------------------------------------------------- */

struct crowd {
    pthread_barrier_t start;
    number_fn fn;
    rondo_completer *completer;
};

static void *call_once(void *arg)
{
    struct crowd *crowd = arg;
    pthread_barrier_wait(&crowd->start);
    crowd->fn(1, crowd->completer);
    return NULL;
}

static void crowd_calls(uint32_t flags, const char *signature)
{
    rondo_loop *loop = kit_loop();
    for (int round = 0; round < kit_rounds(200); round++) {
        struct crowd crowd = { .fn = NULL };
        pthread_t threads[8];
        rondo_future *future = NULL;
        CHECK_OK(rondo_future_new(loop, &future));
        crowd.completer = completer_of(future, signature, flags);
        crowd.fn = (number_fn)function_of(crowd.completer);
        CHECK_EQ_INT(pthread_barrier_init(&crowd.start, NULL, 8), 0);
        for (int i = 0; i < 8; i++)
            threads[i] = kit_thread_start(call_once, &crowd);
        while (!rondo_future_is_done(future))
            kit_pass(loop);
        for (int i = 0; i < 8; i++)
            kit_thread_join(threads[i]);
        check_counts(crowd.completer, 1, 7);
        CHECK_OK(rondo_completer_release(crowd.completer));
        CHECK_OK(rondo_future_release(future));
        pthread_barrier_destroy(&crowd.start);
    }
    kit_loop_end(loop);
}

KIT_TEST_WITHIN(eight_threads_at_once_by_user_data, 30) { crowd_calls(0, "void(i32,user)"); }
KIT_TEST_WITHIN(eight_threads_at_once_by_function, 30) { crowd_calls(0, "void(i32,ptr)"); }
KIT_TEST_WITHIN(eight_threads_at_once_by_closure, 30) { crowd_calls(RONDO_COMPLETER_CLOSURE, "void(i32,ptr)"); }

static void *call_many(void *arg)
{
    struct crowd *crowd = arg;
    pthread_barrier_wait(&crowd->start);
    for (int i = 0; i < 100; i++)
        crowd->fn(i, crowd->completer);
    return NULL;
}

/* The release comes while threads are in the function: no call is half done, and none is lost track of. */
static void release_in_between(uint32_t flags, const char *signature)
{
    rondo_loop *loop = kit_loop();
    for (int round = 0; round < kit_rounds(200); round++) {
        struct crowd crowd = { .fn = NULL };
        pthread_t threads[4];
        rondo_future *future = NULL;
        CHECK_OK(rondo_future_new(loop, &future));
        crowd.completer = completer_of(future, signature, flags);
        crowd.fn = (number_fn)function_of(crowd.completer);
        CHECK_EQ_INT(pthread_barrier_init(&crowd.start, NULL, 5), 0);
        for (int i = 0; i < 4; i++)
            threads[i] = kit_thread_start(call_many, &crowd);
        pthread_barrier_wait(&crowd.start);
        CHECK_OK(rondo_completer_release(crowd.completer));
        for (int i = 0; i < 4; i++)
            kit_thread_join(threads[i]);
        kit_pass(loop);
        CHECK_OK(rondo_future_release(future));
        pthread_barrier_destroy(&crowd.start);
    }
    kit_loop_end(loop);
}

KIT_TEST_WITHIN(released_while_called_by_user_data, 30) { release_in_between(0, "void(i32,user)"); }
KIT_TEST_WITHIN(released_while_called_by_function, 30) { release_in_between(0, "void(i32,ptr)"); }

/* ---- queues ---------------------------------------------------------------------------------- */

static void *feed(void *arg)
{
    struct crowd *crowd = arg;
    for (int i = 0; i < 100; i++)
        crowd->fn(i, crowd->completer);
    return NULL;
}

KIT_TEST(threads_feed_a_queue)
{
    struct crowd crowd = { .fn = NULL };
    rondo_thread_queue *queue = NULL;
    pthread_t threads[8];
    long sum = 0;
    void *item = NULL;
    CHECK_OK(rondo_thread_queue_new(0, &queue));
    CHECK_OK(rondo_thread_queue_completer(queue, "void(i32,user)", NULL, NULL, kit_drop, &crowd.completer));
    crowd.fn = (number_fn)function_of(crowd.completer);
    for (int i = 0; i < 8; i++)
        threads[i] = kit_thread_start(feed, &crowd);
    for (int i = 0; i < 800; i++) {
        CHECK_OK(rondo_thread_queue_get(queue, RONDO_NEVER, &item));
        sum += *(int32_t *)((void **)item)[0];
        rondo_completer_free(item);
    }
    for (int i = 0; i < 8; i++)
        kit_thread_join(threads[i]);
    CHECK_EQ_INT(sum, 8 * 4950);
    check_counts(crowd.completer, 800, 0);
    CHECK_OK(rondo_completer_release(crowd.completer));
    CHECK_EQ_INT(kit_drops, 1);
    CHECK_OK(rondo_thread_queue_release(queue));
}

KIT_TEST(a_full_queue)
{
    rondo_thread_queue *queue = NULL;
    rondo_completer *completer = NULL;
    CHECK_OK(rondo_thread_queue_new(2, &queue));
    CHECK_OK(rondo_thread_queue_completer(queue, "void(bytes,i32)", NULL, NULL, NULL, &completer));
    void (*fn)(const void *, size_t, int32_t) = (void (*)(const void *, size_t, int32_t))function_of(completer);
    for (int i = 0; i < 5; i++)
        fn("bytes", 5, i);
    check_counts(completer, 2, 3);
    CHECK_OK(rondo_thread_queue_shutdown(queue, 1));
    fn("bytes", 5, 6);
    check_counts(completer, 2, 4);
    CHECK_OK(rondo_thread_queue_release(queue)); /* the completer holds it */
    CHECK_OK(rondo_completer_release(completer));
}

/* ---- refused --------------------------------------------------------------------------------- */

KIT_TEST(refused)
{
    rondo_loop *loop = kit_loop();
    rondo_future *future = NULL, *sleeping = NULL;
    rondo_completer *completer = NULL;
    struct {
        rondo_completer_options options;
        char tail[8];
    } big = { .options = { .size = 0 } };
    CHECK_OK(rondo_future_new(loop, &future));
    CHECK_STATUS(rondo_future_completer(future, "void(i33)", NULL, NULL, kit_drop, &completer), RONDO_E_BAD_SIGNATURE);
    CHECK_STATUS(rondo_future_completer(future, "void(own)", NULL, NULL, kit_drop, &completer), RONDO_E_BAD_SIGNATURE);
    CHECK_STATUS(rondo_future_completer(future, "coro()", NULL, NULL, kit_drop, &completer), RONDO_E_BAD_SIGNATURE);
    CHECK_STATUS(rondo_future_completer(future, "void(int,...,int)", NULL, NULL, kit_drop, &completer),
                 RONDO_E_BAD_SIGNATURE);
    CHECK_STATUS(rondo_future_completer(future, NULL, NULL, NULL, kit_drop, &completer), -EINVAL);
    CHECK_STATUS(rondo_future_completer(future, "void()", NULL, NULL, kit_drop, NULL), -EINVAL);
    CHECK_STATUS(rondo_future_completer(future, "void()", &big.options, NULL, kit_drop, &completer), -EINVAL);
    big.options.size = sizeof big;
    big.tail[7] = 1;
    CHECK_STATUS(rondo_future_completer(future, "void()", &big.options, NULL, kit_drop, &completer), -E2BIG);
    big.options.size = sizeof big.options;
    big.options.flags = 8;
    CHECK_STATUS(rondo_future_completer(future, "void()", &big.options, NULL, kit_drop, &completer), -EINVAL);
    CHECK_OK(rondo_gather(loop, (rondo_awaitable *[]){ future }, 1, 0, &sleeping));
    CHECK_STATUS(rondo_future_completer(sleeping, "void()", NULL, NULL, kit_drop, &completer), RONDO_E_RUNTIME);
    CHECK_EQ_INT(kit_drops, 10);
    CHECK_OK(rondo_future_release(sleeping));
    CHECK_OK(rondo_loop_close(loop, NULL));
    CHECK_STATUS(rondo_future_completer(future, "void()", NULL, NULL, kit_drop, &completer), RONDO_E_LOOP_CLOSED);
    CHECK_EQ_PTR(completer, NULL);
    CHECK_OK(rondo_future_release(future));
    kit_loop_end(loop);
}

#if defined(__x86_64__) || defined(__aarch64__)
/* From now on this process gets no executable memory, as under a strict policy. */
static void forbid_executable_memory(void)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mmap, 1, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mprotect, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[2])),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EACCES),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = { sizeof filter / sizeof *filter, filter };
    CHECK_EQ_INT(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    CHECK_EQ_INT(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
}

static int use_without_executable_memory(void)
{
    rondo_loop *loop = kit_loop();
    rondo_future *future = NULL;
    rondo_completer *completer = NULL;
    forbid_executable_memory();
    CHECK_OK(rondo_future_new(loop, &future));
    /* What there was before may still be had. */
    rondo_status status = RONDO_OK;
    for (int i = 0; i < 8000 && status == RONDO_OK; i++)
        status = rondo_future_completer(future, "void({i32})", NULL, NULL, kit_drop, &completer);
    CHECK_STATUS(status, RONDO_E_NO_CLOSURES);
    CHECK_EQ_INT(kit_drops, 1);
    completer = completer_of(future, "i32(str,i32)", 0);
    ((text_fn)function_of(completer))("text", 1);
    kit_pass(loop);
    CHECK_OK(rondo_future_result(future, NULL));
    CHECK_OK(rondo_completer_release(completer));
    CHECK_OK(rondo_future_release(future));
    kit_loop_end(loop);
    return 0;
}

/* What needs a closure is refused; what does not works. */
KIT_TEST(no_executable_memory)
{
    if (KIT_SANITIZED) {
        kit_skip("a sanitizer wants memory of its own");
        return;
    }
    int pid = kit_fork();
    if (pid == 0)
        _exit(use_without_executable_memory());
    CHECK_EQ_INT(kit_wait_child(pid), 0);
}
#endif

/* ---- a child process --------------------------------------------------------------------------- */

static int use_in_child(rondo_future *future, rondo_completer *completer)
{
    rondo_completer *other = NULL;
    rondo_thread_queue *queue = NULL;
    void *item = NULL;
    ((number_fn)function_of(completer))(1, completer);
    check_counts(completer, 0, 1);
    CHECK_STATUS(rondo_future_completer(future, "void()", NULL, NULL, NULL, &other), RONDO_E_WRONG_PROCESS);
    CHECK_OK(rondo_thread_queue_new(0, &queue));
    CHECK_OK(rondo_thread_queue_completer(queue, "void({i32},user)", NULL, NULL, NULL, &other));
    struct { int32_t number; } given = { 17 };
    ((void (*)(__typeof__(given), void *))function_of(other))(given, other);
    CHECK_OK(rondo_thread_queue_get_nowait(queue, &item));
    CHECK_EQ_INT(*(int32_t *)((void **)item)[0], 17);
    rondo_completer_free(item);
    CHECK_OK(rondo_completer_release(other));
    CHECK_OK(rondo_thread_queue_release(queue));
    return 0;
}

static atomic_int stop;

static void *make_closures(void *arg)
{
    rondo_thread_queue *queue = arg;
    while (!atomic_load(&stop)) {
        rondo_completer *completer = NULL;
        CHECK_OK(rondo_thread_queue_completer(queue, "void({i32})", NULL, NULL, NULL, &completer));
        CHECK_OK(rondo_completer_release(completer));
    }
    return NULL;
}

/* The process forks while another thread makes closures: the child's library and libffi go on working. */
KIT_TEST_WITHIN(fork_while_closures_are_made, 30)
{
    rondo_loop *loop = kit_loop();
    rondo_future *future = NULL;
    rondo_thread_queue *queue = NULL;
    CHECK_OK(rondo_future_new(loop, &future));
    CHECK_OK(rondo_thread_queue_new(0, &queue));
    rondo_completer *completer = completer_of(future, "void(i32,user)", 0);
    atomic_store(&stop, 0);
    pthread_t thread = kit_thread_start(make_closures, queue);
    for (int i = 0; i < kit_rounds(50); i++) {
        int pid = kit_fork();
        if (pid == 0)
            _exit(use_in_child(future, completer));
        CHECK_EQ_INT(kit_wait_child(pid), 0);
    }
    atomic_store(&stop, 1);
    kit_thread_join(thread);
    check_counts(completer, 0, 0);
    CHECK_OK(rondo_completer_release(completer));
    CHECK_OK(rondo_future_release(future));
    CHECK_OK(rondo_thread_queue_release(queue));
    kit_loop_end(loop);
}
