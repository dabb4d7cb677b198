/* logging.c - the logger: levels, fields, sinks, and the queue that keeps a blocking sink off the loop. */
#define _GNU_SOURCE
#include "coro.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define HOUR INT64_C(3600000000000)

/* ---- a sink that remembers ------------------------------------------------------------------- */

/* It says each message in the transcript, as level:text{key=value}. */
static void say_sink(int32_t level, const char *message, const rondo_log_field *fields, size_t count, void *arg)
{
    char text[400];
    int size = snprintf(text, sizeof text, "%d:%.200s", (int)level, message);
    (void)arg;
    for (size_t i = 0; i < count && size < 300; i++)
        if (fields[i].text != NULL)
            size += snprintf(text + size, sizeof text - (size_t)size, "{%s=%.40s}", fields[i].key, fields[i].text);
        else
            size += snprintf(text + size, sizeof text - (size_t)size, "{%s=%lld}", fields[i].key,
                             (long long)fields[i].number);
    kit_log("%s", text);
}

static void say_only(int32_t level, const char *message, const rondo_log_field *fields, size_t count, void *arg)
{
    (void)level, (void)fields, (void)count, (void)arg;
    kit_log("%s", message);
}

static void log_word(const char *word)
{
    CHECK_OK(rondo_log(RONDO_LOG_INFO, word, NULL, 0));
}

static void stderr_again(void)
{
    CHECK_OK(rondo_log_set_sink(NULL, NULL, NULL));
    CHECK_OK(rondo_log_flush(HOUR));
}

/* ---- levels and fields ----------------------------------------------------------------------- */

KIT_TEST(levels)
{
    static const int32_t levels[] = { RONDO_LOG_DEBUG, RONDO_LOG_INFO, RONDO_LOG_WARNING, RONDO_LOG_ERROR,
                                      RONDO_LOG_CRITICAL };
    CHECK_OK(rondo_log_set_sink(say_sink, NULL, kit_drop));
    CHECK_EQ_INT(rondo_log_get_level(), RONDO_LOG_INFO); /* as asyncio's logger */
    for (int i = 0; i < 5; i++)
        CHECK_OK(rondo_log(levels[i], "m", NULL, 0));
    kit_expect_log("20:m 30:m 40:m 50:m");
    for (int i = 0; i < 5; i++) {
        CHECK_OK(rondo_log_set_level(levels[i]));
        CHECK_EQ_INT(rondo_log_get_level(), levels[i]);
        CHECK_OK(rondo_log(levels[i] - 1, "below", NULL, 0));
        CHECK_OK(rondo_log(levels[i], "at", NULL, 0));
    }
    kit_expect_log("10:at 20:at 30:at 40:at 50:at");
    CHECK_OK(rondo_log_set_level(RONDO_LOG_INFO));
    CHECK_EQ_INT(kit_drops, 0);
    stderr_again();
    CHECK_EQ_INT(kit_drops, 1);
}

KIT_TEST(fields_of_the_program)
{
    rondo_log_field fields[] = { { "path", "/index", 7 }, { "size", NULL, -12 }, { "none", "", 0 } };
    CHECK_OK(rondo_log_set_sink(say_sink, NULL, NULL));
    CHECK_OK(rondo_log(RONDO_LOG_INFO, "served", fields, 3));
    kit_expect_log("20:served{path=/index}{size=-12}{none=}");
    stderr_again();
}

KIT_TEST(bad_messages)
{
    rondo_log_field fields[65] = { { "a", "b", 0 }, { NULL, "b", 0 } };
    CHECK_OK(rondo_log_set_sink(say_sink, NULL, NULL));
    CHECK_STATUS(rondo_log(RONDO_LOG_INFO, NULL, NULL, 0), -EINVAL);
    CHECK_STATUS(rondo_log(RONDO_LOG_INFO, "m", NULL, 1), -EINVAL);
    CHECK_STATUS(rondo_log(RONDO_LOG_INFO, "m", fields, 2), -EINVAL);
    CHECK_STATUS(rondo_log(RONDO_LOG_INFO, "m", fields, 65), -E2BIG);
    CHECK_STATUS(rondo_log(RONDO_LOG_INFO, "m", fields, SIZE_MAX), -E2BIG);
    kit_expect_log("");
    for (int i = 0; i < 64; i++)
        fields[i] = (rondo_log_field){ "k", NULL, i };
    CHECK_OK(rondo_log(RONDO_LOG_INFO, "m", fields, 64));
    stderr_again();
}

/* What comes out on stderr meanwhile. */
static const char *stderr_of(void (*body)(void))
{
    static char text[4096];
    int ends[2], saved = dup(2);
    CHECK(saved >= 0 && pipe(ends) == 0);
    CHECK(dup2(ends[1], 2) == 2);
    close(ends[1]);
    body();
    CHECK(dup2(saved, 2) == 2);
    close(saved);
    ssize_t size = read(ends[0], text, sizeof text - 1);
    close(ends[0]);
    text[size > 0 ? size : 0] = '\0';
    return text;
}

static void log_with_fields(void)
{
    rondo_log_field fields[] = { { "path", "/index", 0 }, { "size", NULL, 12 } };
    CHECK_OK(rondo_log(RONDO_LOG_WARNING, "served", fields, 2));
    CHECK_OK(rondo_log(RONDO_LOG_DEBUG, "hidden", fields, 2));
    CHECK_OK(rondo_log(RONDO_LOG_CRITICAL, "plain", NULL, 0));
}

static void log_with_fields_queued(void)
{
    CHECK_OK(rondo_log_set_queued_sink(NULL, NULL, NULL, NULL));
    log_with_fields();
    stderr_again();
}

KIT_TEST(stderr_is_the_first_sink)
{
    CHECK_EQ_STR(stderr_of(log_with_fields), "served path=/index size=12\nplain\n");
    CHECK_EQ_STR(stderr_of(log_with_fields_queued), "served path=/index size=12\nplain\n");
}

/* ---- what the library says ------------------------------------------------------------------- */

static int64_t seen_loop, seen_future, seen_status;
static char seen_name[40];

static void look_sink(int32_t level, const char *message, const rondo_log_field *fields, size_t count, void *arg)
{
    (void)message, (void)arg;
    kit_log("%d", (int)level);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(fields[i].key, "loop") == 0)
            seen_loop = fields[i].number;
        else if (strcmp(fields[i].key, "future") == 0)
            seen_future = fields[i].number;
        else if (strcmp(fields[i].key, "status") == 0)
            seen_status = fields[i].number;
        else if (strcmp(fields[i].key, "coroutine") == 0)
            snprintf(seen_name, sizeof seen_name, "%s", fields[i].text);
    }
}

KIT_TEST(fields_of_the_library)
{
    rondo_loop *loop = kit_loop();
    rondo_future *future = future_of(loop);
    rondo_error *error = kit_error(5, "five");
    struct frame frame = { .name = "work" };
    CHECK_OK(rondo_log_set_sink(look_sink, NULL, NULL));
    CHECK_OK(rondo_future_set_exception(future, error));
    CHECK_OK(rondo_error_release(error));
    CHECK_OK(rondo_future_release(future));
    CHECK_OK(rondo_coroutine_release(coroutine_of(no_step, &frame)));
    kit_expect_log("40 30");
    CHECK_EQ_INT(seen_loop, (intptr_t)loop);
    CHECK_EQ_INT(seen_future, (intptr_t)future);
    CHECK_EQ_INT(seen_status, RONDO_E_USER);
    CHECK_EQ_STR(seen_name, "work");
    stderr_again();
    kit_loop_end(loop);
}

/* ---- the queue ------------------------------------------------------------------------------- */

/* A sink that waits for its gate at each message. */
struct gate {
    struct kit_event arrived, open;
    atomic_int delivered, tid;
};

static void gate_sink(int32_t level, const char *message, const rondo_log_field *fields, size_t count, void *arg)
{
    struct gate *gate = arg;
    atomic_store(&gate->tid, kit_tid());
    kit_event_set(&gate->arrived);
    kit_event_wait(&gate->open);
    atomic_fetch_add(&gate->delivered, 1);
    say_only(level, message, fields, count, NULL);
}

static void gate_drop(void *arg)
{
    struct gate *gate = arg;
    CHECK_EQ_INT(kit_tid(), atomic_load(&gate->tid)); /* on the queue's thread */
    kit_log("drop");
}

static struct gate *new_gate(void)
{
    static struct gate gates[16];
    static int used;
    CHECK(used < 16);
    gates[used] = (struct gate){ KIT_EVENT_INIT, KIT_EVENT_INIT, 0, 0 };
    return &gates[used++];
}

/* The first message is in the sink, which does not come out of it. */
static struct gate *blocked_sink(uint32_t capacity, uint32_t flags)
{
    struct gate *gate = new_gate();
    rondo_log_queue_options options = { .size = sizeof options, .capacity = capacity, .flags = flags };
    CHECK_OK(rondo_log_set_queued_sink(&options, gate_sink, gate, gate_drop));
    log_word("0");
    kit_event_wait(&gate->arrived);
    return gate;
}

static void look_at_thread(int32_t level, const char *message, const rondo_log_field *fields, size_t count, void *arg)
{
    char name[16];
    sigset_t blocked;
    pthread_getname_np(pthread_self(), name, sizeof name);
    pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    say_sink(level, message, fields, count, NULL);
    kit_log("%s %d", name, sigismember(&blocked, SIGTERM) && sigismember(&blocked, SIGUSR1));
    CHECK(kit_tid() != *(int *)arg);
}

KIT_TEST(queued_messages_in_order_on_a_thread_of_their_own)
{
    int me = kit_tid();
    rondo_log_queue_options options = { .size = sizeof options, .thread_name = "program-log" };
    char text[] = "first", value[] = "v";
    rondo_log_field field = { "k", value, 0 };
    CHECK_OK(rondo_log_set_queued_sink(&options, look_at_thread, &me, kit_drop));
    CHECK_OK(rondo_log(RONDO_LOG_INFO, text, &field, 1));
    text[0] = value[0] = 'x'; /* they were copied */
    log_word("second");
    CHECK_OK(rondo_log_flush(HOUR));
    kit_expect_log("20:first{k=v} program-log 1 20:second program-log 1");
    CHECK_EQ_INT(kit_drops, 0);
    stderr_again();
    CHECK_EQ_INT(kit_drops, 1);
}

/* "Network logging can block the event loop": not this way. */
static void log_soon(void *arg)
{
    int *left = arg;
    log_word("from the loop");
    if (--*left == 0)
        CHECK_OK(rondo_loop_stop(rondo_running_loop()));
    else
        CHECK_OK(rondo_loop_call_soon(rondo_running_loop(), log_soon, arg, NULL, NULL));
}

static void pipe_sink(int32_t level, const char *message, const rondo_log_field *fields, size_t count, void *arg)
{
    (void)level, (void)fields, (void)count;
    CHECK(write(*(int *)arg, message, strlen(message)) > 0);
}

KIT_TEST(a_sink_that_blocks_does_not_block_the_loop)
{
    rondo_loop *loop = kit_loop();
    int ends[2], left = 500;
    char buffer[4096];
    rondo_log_queue_options options = { .size = sizeof options, .capacity = 100000 };
    CHECK_EQ_INT(pipe(ends), 0);
    memset(buffer, 'x', sizeof buffer);
    for (int i = 0; i < 16; i++) /* the pipe is full: the sink cannot write a byte */
        CHECK_EQ_INT(write(ends[1], buffer, sizeof buffer), sizeof buffer);
    CHECK_OK(rondo_log_set_queued_sink(&options, pipe_sink, &ends[1], NULL));
    CHECK_OK(rondo_loop_call_soon(loop, log_soon, &left, NULL, NULL));
    CHECK_OK(rondo_loop_run_forever(loop));
    CHECK_EQ_INT(left, 0);
    CHECK_STATUS(rondo_log_flush(1), RONDO_E_TIMEOUT); /* and the sink still has the first one */
    for (int64_t size = 0, wanted = 16 * 4096 + 500 * 13; size < wanted;)
        size += read(ends[0], buffer, sizeof buffer);
    CHECK_OK(rondo_log_flush(HOUR));
    stderr_again();
    close(ends[0]);
    close(ends[1]);
    kit_loop_end(loop);
}

KIT_TEST(the_newest_are_dropped_and_the_gap_is_told)
{
    uint64_t before = rondo_log_get_dropped();
    struct gate *gate = blocked_sink(3, 0);
    for (int i = 1; i <= 5; i++)
        log_word((const char *[]){ "0", "1", "2", "3", "4", "5" }[i]);
    CHECK_EQ_INT(rondo_log_get_dropped() - before, 2);
    CHECK_EQ_INT(gate->delivered, 0);
    kit_event_set(&gate->open);
    CHECK_OK(rondo_log_flush(HOUR));
    kit_expect_log("0 1 2 3 2 messages were dropped");
    log_word("6");
    stderr_again();
    kit_expect_log("6 drop");
    CHECK_EQ_INT(rondo_log_get_dropped() - before, 2);
}

/* The gap is told where it is: before what came later. */
static void one_gate_sink(int32_t level, const char *message, const rondo_log_field *fields, size_t count, void *arg)
{
    struct gate *gate = arg;
    if (strcmp(message, "0") == 0)
        gate_sink(level, message, fields, count, arg);
    else
        say_sink(level, message, fields, count, NULL);
    if (strcmp(message, "1") == 0)
        log_word("later"); /* the sink logs, and now there is room */
    (void)gate;
}

KIT_TEST(a_gap_between_messages)
{
    struct gate *gate = new_gate();
    rondo_log_queue_options options = { .size = sizeof options, .capacity = 1 };
    CHECK_OK(rondo_log_set_queued_sink(&options, one_gate_sink, gate, NULL));
    log_word("0");
    kit_event_wait(&gate->arrived);
    log_word("1");
    log_word("lost");
    kit_event_set(&gate->open);
    CHECK_OK(rondo_log_flush(HOUR));
    CHECK_OK(rondo_log_flush(HOUR));
    kit_expect_log("0 20:1 30:1 message was dropped{dropped=1} 20:later");
    stderr_again();
}

KIT_TEST(the_oldest_are_dropped_if_asked)
{
    uint64_t before = rondo_log_get_dropped();
    struct gate *gate = blocked_sink(2, RONDO_LOG_QUEUE_DROP_OLDEST);
    for (int i = 1; i <= 5; i++)
        log_word((const char *[]){ "0", "1", "2", "3", "4", "5" }[i]);
    CHECK_EQ_INT(rondo_log_get_dropped() - before, 3);
    kit_event_set(&gate->open);
    stderr_again();
    kit_expect_log("0 3 messages were dropped 4 5 drop");
    gate = blocked_sink(1, RONDO_LOG_QUEUE_DROP_OLDEST);
    log_word("a");
    log_word("b");
    kit_event_set(&gate->open);
    stderr_again();
    kit_expect_log("0 1 message was dropped b drop");
}

/* Who replaces a sink that blocks does not wait; what is queued still goes to the old one. */
KIT_TEST(replaced_while_it_blocks)
{
    struct gate *gate = blocked_sink(0, 0);
    log_word("1");
    CHECK_OK(rondo_log_set_sink(say_only, NULL, NULL));
    log_word("direct");
    kit_expect_log("direct");
    CHECK_STATUS(rondo_log_flush(1000), RONDO_E_TIMEOUT);
    kit_event_set(&gate->open);
    CHECK_OK(rondo_log_flush(HOUR));
    kit_expect_log("0 1 drop");
    stderr_again();
}

static void flush_in_sink(int32_t level, const char *message, const rondo_log_field *fields, size_t count, void *arg)
{
    (void)level, (void)fields, (void)count, (void)arg;
    CHECK_STATUS(rondo_log_flush(HOUR), -EDEADLK);
    if (strcmp(message, "last") != 0)
        return;
    CHECK_OK(rondo_log_set_sink(say_only, NULL, NULL)); /* replaces itself */
    log_word("new");
}

KIT_TEST(flush)
{
    CHECK_OK(rondo_log_flush(0)); /* nobody is behind */
    CHECK_STATUS(rondo_log_flush(-1), -EINVAL);
    CHECK_OK(rondo_log_set_queued_sink(NULL, flush_in_sink, NULL, kit_drop));
    log_word("first");
    CHECK_OK(rondo_log_flush(RONDO_NEVER));
    log_word("last");
    CHECK_OK(rondo_log_flush(RONDO_NEVER));
    CHECK_OK(rondo_log_flush(RONDO_NEVER));
    CHECK_EQ_INT(kit_drops, 1);
    kit_expect_log("new");
    stderr_again();
}

KIT_TEST(queue_options)
{
    struct {
        rondo_log_queue_options options;
        char tail[16];
    } big = { .options = { .size = 0 } };
    struct {
        uint32_t flags, capacity, reserved;
        int64_t wait;
        const char *name;
        rondo_status status;
    } cases[] = {
        { 0, 0, 0, 0, NULL, RONDO_OK },        { 2, 0, 0, 0, NULL, -EINVAL },
        { 0, 1 << 20, 0, 0, NULL, RONDO_OK },  { 0, (1 << 20) + 1, 0, 0, NULL, -EINVAL },
        { 0, UINT32_MAX, 0, 0, NULL, -EINVAL }, { 0, 0, 1, 0, NULL, -EINVAL },
        { 0, 0, 0, -2, NULL, -EINVAL },        { 0, 0, 0, -1, "fifteen-letters", RONDO_OK },
        { 0, 0, 0, 0, "sixteen--letters", -EINVAL },
    };
    long dropped = 0;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rondo_log_queue_options options = { sizeof options, cases[i].flags, cases[i].capacity,
                                            cases[i].reserved, cases[i].wait, cases[i].name };
        CHECK_STATUS(rondo_log_set_queued_sink(&options, say_only, NULL, kit_drop), cases[i].status);
        stderr_again();
        CHECK_EQ_INT(kit_drops, ++dropped); /* it moved in any case */
    }
    CHECK_STATUS(rondo_log_set_queued_sink(&big.options, say_only, NULL, kit_drop), -EINVAL);
    big.options.size = sizeof big;
    CHECK_OK(rondo_log_set_queued_sink(&big.options, say_only, NULL, kit_drop));
    big.tail[3] = 1;
    CHECK_STATUS(rondo_log_set_queued_sink(&big.options, say_only, NULL, kit_drop), -E2BIG);
    stderr_again();
    CHECK_EQ_INT(kit_drops, dropped + 3);
}

/* ---- many threads ---------------------------------------------------------------------------- */

static atomic_int last_number[4], received;

static void number_sink(int32_t level, const char *message, const rondo_log_field *fields, size_t count, void *arg)
{
    (void)level, (void)message, (void)arg;
    CHECK_EQ_INT(count, 2);
    CHECK(fields[1].number > atomic_load(&last_number[fields[0].number]));
    atomic_store(&last_number[fields[0].number], (int)fields[1].number);
    atomic_fetch_add(&received, 1);
}

static void *log_many(void *arg)
{
    int rounds = kit_rounds(2000);
    for (int i = 1; i <= rounds; i++) {
        rondo_log_field fields[] = { { "thread", NULL, (intptr_t)arg }, { "number", NULL, i } };
        CHECK_OK(rondo_log(RONDO_LOG_INFO, "m", fields, 2));
    }
    return NULL;
}

KIT_TEST(threads_log_and_each_keeps_its_order)
{
    pthread_t threads[4];
    rondo_log_queue_options options = { .size = sizeof options, .capacity = 10000 };
    for (int i = 0; i < 4; i++)
        atomic_store(&last_number[i], 0);
    atomic_store(&received, 0);
    CHECK_OK(rondo_log_set_queued_sink(&options, number_sink, NULL, NULL));
    for (intptr_t i = 0; i < 4; i++)
        threads[i] = kit_thread_start(log_many, (void *)i);
    for (int i = 0; i < 4; i++)
        kit_thread_join(threads[i]);
    stderr_again();
    CHECK_EQ_INT(received, 4 * kit_rounds(2000));
}

static void count_sink(int32_t level, const char *message, const rondo_log_field *fields, size_t count, void *arg)
{
    (void)level, (void)message, (void)fields, (void)count;
    kit_arg_call(arg);
}

/* Sinks are replaced while others log: each is dropped once, none is called afterwards. */
KIT_TEST(sinks_are_replaced_while_threads_log)
{
    enum { SINKS = 60 };
    static struct kit_arg args[SINKS];
    pthread_t threads[2];
    memset(args, 0, sizeof args);
    for (int i = 0; i < 4; i++)
        atomic_store(&last_number[i], 0);
    CHECK_OK(rondo_log_set_sink(number_sink, NULL, NULL));
    for (intptr_t i = 0; i < 2; i++)
        threads[i] = kit_thread_start(log_many, (void *)i);
    for (int i = 0; i < SINKS; i++) {
        rondo_log_queue_options options = { .size = sizeof options, .capacity = 4, .flags = i & 1 };
        CHECK_OK(rondo_log_set_queued_sink(&options, count_sink, &args[i], kit_arg_drop));
    }
    for (int i = 0; i < 2; i++)
        kit_thread_join(threads[i]);
    stderr_again();
    for (int i = 0; i < SINKS; i++)
        CHECK_EQ_INT(args[i].drops, 1);
}

/* ---- fork and exit --------------------------------------------------------------------------- */

static void tell_pipe(int32_t level, const char *message, const rondo_log_field *fields, size_t count, void *arg)
{
    (void)level, (void)fields, (void)count;
    dprintf(*(int *)arg, "%d:%s ", kit_tid() == getpid(), message);
}

static void gated_pipe(int32_t level, const char *message, const rondo_log_field *fields, size_t count, void *arg)
{
    struct gate *gate = ((void **)arg)[0];
    if (strcmp(message, "0") == 0) {
        kit_event_set(&gate->arrived);
        kit_event_wait(&gate->open);
    }
    tell_pipe(level, message, fields, count, ((void **)arg)[1]);
}

/* A child has an empty queue, and a thread of its own once it logs. */
KIT_TEST(fork_while_messages_wait)
{
#ifdef KIT_TSAN
    return kit_skip("this sanitizer has no threads in children of fork()");
#endif
    struct gate *gate = new_gate();
    int ends[2];
    char text[200] = "";
    void *arg[2] = { gate, &ends[1] };
    CHECK_EQ_INT(pipe(ends), 0);
    CHECK_OK(rondo_log_set_queued_sink(NULL, gated_pipe, arg, NULL));
    log_word("0");
    kit_event_wait(&gate->arrived);
    log_word("parent");
    int pid = kit_fork();
    if (pid == 0) {
        if (rondo_log_flush(0) != RONDO_OK) /* nothing is there to wait for */
            _exit(1);
        log_word("child");
        if (rondo_log_flush(HOUR) != RONDO_OK)
            _exit(2);
        rondo_log_set_sink(NULL, NULL, NULL);
        _exit(rondo_log_flush(HOUR) == RONDO_OK ? 0 : 3);
    }
    CHECK_EQ_INT(kit_wait_child(pid), 0);
    CHECK(read(ends[0], text, sizeof text - 1) > 0);
    CHECK_EQ_STR(text, "0:child ");
    kit_event_set(&gate->open);
    stderr_again();
    memset(text, 0, sizeof text);
    CHECK(read(ends[0], text, sizeof text - 1) > 0);
    CHECK_EQ_STR(text, "0:0 0:parent ");
    close(ends[0]);
    close(ends[1]);
}

/* A replaced sink that was still blocked: the child is not kept by it, and drops its argument. */
KIT_TEST(fork_while_an_old_sink_ends)
{
    struct gate *gate = new_gate();
    rondo_log_queue_options options = { .size = sizeof options };
    CHECK_OK(rondo_log_set_queued_sink(&options, gate_sink, gate, kit_drop));
    log_word("0");
    kit_event_wait(&gate->arrived);
    CHECK_OK(rondo_log_set_sink(NULL, NULL, NULL));
    int pid = kit_fork();
    if (pid == 0)
        _exit(rondo_log_flush(HOUR) == RONDO_OK && kit_drops == 1 ? 0 : 1);
    CHECK_EQ_INT(kit_wait_child(pid), 0);
    kit_event_set(&gate->open);
    stderr_again();
    CHECK_EQ_INT(kit_drops, 1);
}

KIT_TEST(exit_delivers_what_waits)
{
    int ends[2];
    char text[100] = "";
    CHECK_EQ_INT(pipe(ends), 0);
    int pid = kit_fork();
    if (pid == 0) {
        rondo_log_queue_options options = { .size = sizeof options, .exit_wait_ns = HOUR };
        rondo_log_set_queued_sink(&options, tell_pipe, &ends[1], NULL);
        for (int i = 0; i < 3; i++)
            rondo_log(RONDO_LOG_INFO, "m", NULL, 0);
        exit(0);
    }
    CHECK_EQ_INT(kit_wait_child(pid), 0);
    CHECK(read(ends[0], text, sizeof text - 1) > 0);
    CHECK_EQ_STR(text, "0:m 0:m 0:m ");
    close(ends[0]);
    close(ends[1]);
}

static void stuck_sink(int32_t level, const char *message, const rondo_log_field *fields, size_t count, void *arg)
{
    (void)level, (void)message, (void)fields, (void)count, (void)arg;
    for (;;)
        pause();
}

/* A sink that never comes back does not hang exit(). */
KIT_TEST(exit_does_not_hang)
{
    int pid = kit_fork();
    if (pid == 0) {
        rondo_log_queue_options options = { .size = sizeof options, .exit_wait_ns = 1000000 };
        rondo_log_set_queued_sink(&options, stuck_sink, NULL, NULL);
        rondo_log(RONDO_LOG_INFO, "m", NULL, 0);
        exit(7);
    }
    CHECK_EQ_INT(kit_wait_child(pid), 7);
    pid = kit_fork();
    if (pid == 0) {
        rondo_log_queue_options options = { .size = sizeof options, .exit_wait_ns = -1 };
        rondo_log_set_queued_sink(&options, stuck_sink, NULL, NULL);
        rondo_log(RONDO_LOG_INFO, "m", NULL, 0);
        rondo_log_set_sink(NULL, NULL, NULL); /* replaced, but it is still in there */
        exit(8);
    }
    CHECK_EQ_INT(kit_wait_child(pid), 8);
}

/* ---- out of memory --------------------------------------------------------------------------- */

KIT_TEST(without_memory)
{
    if (!kit_alloc_works())
        return kit_skip("allocations cannot be made to fail in this build");
    long drops = 0;
    rondo_status status = -ENOMEM;
    for (long n = 1; status == -ENOMEM; n++) {
        CHECK(n < 20);
        kit_alloc_fail(n, false);
        status = rondo_log_set_queued_sink(NULL, say_only, NULL, kit_drop);
        kit_alloc_end();
        if (status == -ENOMEM) {
            CHECK_OK(rondo_log_flush(HOUR)); /* a queue without a sink to be installed in ends */
            CHECK_EQ_INT(kit_drops, ++drops);
        }
    }
    CHECK(drops >= 3);
    CHECK_OK(status);
    uint64_t before = rondo_log_get_dropped();
    kit_alloc_only_this_thread(true);
    kit_alloc_fail(1, false);
    log_word("lost");
    kit_alloc_end();
    kit_alloc_only_this_thread(false);
    CHECK_EQ_INT(rondo_log_get_dropped() - before, 1);
    log_word("next");
    stderr_again();
    CHECK_EQ_INT(kit_drops, drops + 1);
    CHECK_OK(rondo_log_flush(HOUR));
    kit_expect_log("1 message was dropped next");
}
