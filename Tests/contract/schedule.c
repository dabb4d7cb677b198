/* schedule.c - the order of calls: seeds, choice functions, what varies and what never does, replay. */
#define _GNU_SOURCE
#include "coro.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define SECOND INT64_C(1000000000)
#define SEEDS 200

/* ---- words, and how often each order was seen ------------------------------------------------ */

static char words[256];

static void say(void *word)
{
    strcat(words, word);
}

static struct {
    char text[64];
    int count;
} seen[128];
static int seen_count;

static void forget_orders(void)
{
    seen_count = 0;
}

static void note_order(void)
{
    int i = 0;
    while (i < seen_count && strcmp(seen[i].text, words) != 0)
        i++;
    CHECK(i < 128);
    CHECK(strlen(words) < sizeof seen[0].text);
    if (i == seen_count) {
        memcpy(seen[i].text, words, sizeof seen[i].text);
        seen[i].count = 0;
        seen_count++;
    }
    seen[i].count++;
    words[0] = '\0';
}

static uint64_t hash_of(rondo_loop *loop)
{
    uint64_t hash = 0;
    CHECK_OK(rondo_loop_get_schedule_hash(loop, &hash));
    return hash;
}

static void soon(rondo_loop *loop, const char *word)
{
    CHECK_OK(rondo_loop_call_soon(loop, say, (void *)(uintptr_t)word, NULL, NULL));
}

static void sort_words(void)
{
    size_t size = strlen(words);
    for (size_t i = 0; i < size; i++)
        for (size_t j = i + 1; j < size; j++)
            if (words[j] < words[i]) {
                char other = words[i];
                words[i] = words[j];
                words[j] = other;
            }
}

/* ---- off ------------------------------------------------------------------------------------- */

KIT_TEST(without_a_seed_there_is_no_schedule)
{
    rondo_loop *loop = kit_loop();
    uint64_t value = 7;
    CHECK_STATUS(rondo_loop_get_schedule_hash(loop, &value), RONDO_E_INVALID_STATE);
    CHECK_EQ_INT(value, 7);
    CHECK_OK(rondo_loop_get_seed(loop, &value));
    CHECK_EQ_INT(value, 0);
    CHECK_STATUS(rondo_loop_get_seed(loop, NULL), -EINVAL);
    kit_loop_end(loop);
}

/* Asked to print it, a loop has a hash, and asyncio's order. */
KIT_TEST(a_hash_without_a_seed)
{
    uint64_t hashes[3];
    for (int i = 0; i < 3; i++) {
        kit_catch_log();
        rondo_loop *loop = kit_loop_of(RONDO_LOOP_PRINT_SCHEDULE | RONDO_LOOP_ANY_ORDER, 0);
        for (int j = 0; j < 3 + i / 2; j++)
            soon(loop, "x");
        kit_pass(loop);
        hashes[i] = hash_of(loop);
        CHECK_EQ_INT(strlen(words), 3 + i / 2);
        words[0] = '\0';
        kit_loop_end(loop);
    }
    CHECK(hashes[0] == hashes[1]);
    CHECK(hashes[0] != hashes[2]);
    CHECK(kit_logged_containing("rondo: seed=0 order=any decisions=2 schedule=0x"));
}

/* ---- any order ------------------------------------------------------------------------------- */

static void again(void *arg)
{
    say("1");
    soon(arg, "2");
}

/* Every order comes up, every call runs once, and what a pass runs does not change. */
KIT_TEST(any_order_is_every_order)
{
    forget_orders();
    for (uint64_t seed = 1; seed <= 4 * SEEDS; seed++) {
        rondo_loop *loop = kit_loop_of(RONDO_LOOP_ANY_ORDER, seed);
        uint64_t told = 0;
        CHECK_OK(rondo_loop_get_seed(loop, &told));
        CHECK(told == seed);
        soon(loop, "a");
        soon(loop, "b");
        soon(loop, "c");
        CHECK_OK(rondo_loop_call_soon(loop, again, loop, NULL, NULL));
        kit_pass(loop);
        CHECK_EQ_INT(strlen(words), 4);
        note_order();
        kit_pass(loop);
        CHECK_EQ_STR(words, "2");
        words[0] = '\0';
        kit_loop_end(loop);
    }
    CHECK_EQ_INT(seen_count, 24);
    for (int i = 0; i < 24; i++)
        CHECK(seen[i].count > 4 * SEEDS / 24 / 3);
}

/* Calls of every kind: with a drop, with a handle, with a context, timers; none is lost or doubled. */
KIT_TEST(any_order_moves_calls_of_every_kind)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        rondo_loop *loop = kit_loop_of(RONDO_LOOP_ANY_ORDER | RONDO_LOOP_VIRTUAL_CLOCK, seed);
        struct kit_arg args[6] = { 0 };
        rondo_handle *handles[2] = { NULL };
        rondo_context *context = NULL;
        CHECK_OK(rondo_context_new(&context));
        for (int i = 0; i < 6; i++) {
            rondo_handle **handle = i < 2 ? &handles[i] : NULL;
            if (i == 4)
                CHECK_OK(rondo_loop_call_later(loop, 0, kit_arg_call, &args[i], kit_arg_drop, NULL));
            else if (i == 5)
                CHECK_OK(rondo_loop_call_soon_in_context(loop, context, kit_arg_call, &args[i],
                                                         kit_arg_drop, NULL));
            else
                CHECK_OK(rondo_loop_call_soon(loop, kit_arg_call, &args[i], kit_arg_drop, handle));
            soon(loop, "x");
        }
        CHECK_OK(rondo_handle_cancel(handles[1]));
        kit_pass(loop);
        CHECK_EQ_STR(words, "xxxxxx");
        words[0] = '\0';
        for (int i = 0; i < 6; i++) {
            CHECK_EQ_INT(args[i].calls, i != 1);
            CHECK_EQ_INT(args[i].drops, 1);
        }
        CHECK_OK(rondo_handle_release(handles[0]));
        CHECK_OK(rondo_handle_release(handles[1]));
        CHECK_OK(rondo_context_release(context));
        kit_loop_end(loop);
    }
}

/* A timer that is due and is armed again before its turn: its entry comes to nothing, wherever it is. */
static void rearm(void *handle)
{
    say("r");
    rondo_status status = rondo_handle_rearm(*(rondo_handle **)handle, SECOND);
    CHECK(status == RONDO_OK || status == RONDO_E_INVALID_STATE);
}

KIT_TEST(any_order_and_a_timer_that_is_armed_again)
{
    forget_orders();
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        rondo_loop *loop = kit_loop_of(RONDO_LOOP_ANY_ORDER | RONDO_LOOP_VIRTUAL_CLOCK, seed);
        rondo_handle *handle = NULL;
        CHECK_OK(rondo_loop_call_later(loop, 0, say, "t", NULL, &handle));
        CHECK_OK(rondo_loop_call_soon(loop, rearm, &handle, NULL, NULL));
        CHECK_STATUS(rondo_loop_run_forever(loop), RONDO_E_DEADLOCK);
        note_order();
        CHECK_OK(rondo_handle_release(handle));
        kit_loop_end(loop);
    }
    /* Either it ran first, or was armed again and ran a second later; once in any case. */
    CHECK_EQ_INT(seen_count, 2);
    CHECK(strcmp(seen[0].text, "tr") == 0 || strcmp(seen[0].text, "rt") == 0);
}

/* A drive takes a part of the batch; the rest is there for the next one. */
KIT_TEST(any_order_under_limits)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        rondo_loop *loop = kit_loop_of(RONDO_LOOP_ANY_ORDER, seed);
        for (const char *word = "abcdefgh"; *word != '\0'; word++) {
            static const char *const names[] = { "a", "b", "c", "d", "e", "f", "g", "h" };
            soon(loop, names[*word - 'a']);
        }
        for (int i = 0; i < 4; i++) {
            uint64_t calls = 0;
            CHECK_OK(rondo_loop_drive(loop, 2, 0, &calls));
            CHECK_EQ_INT(calls, 2);
        }
        sort_words();
        CHECK_EQ_STR(words, "abcdefgh");
        words[0] = '\0';
        kit_loop_end(loop);
    }
}

/* ---- what asyncio leaves open ---------------------------------------------------------------- */

KIT_TEST(a_seed_alone_keeps_the_order_of_calls)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        rondo_loop *loop = kit_loop_of(0, seed);
        soon(loop, "a");
        CHECK_OK(rondo_loop_call_soon(loop, again, loop, NULL, NULL));
        soon(loop, "b");
        kit_pass(loop);
        kit_pass(loop);
        CHECK_EQ_STR(words, "a1b2");
        words[0] = '\0';
        kit_loop_end(loop);
    }
}

/* Timers with the same deadline come in any order; one that is due earlier always comes earlier. */
KIT_TEST(a_seed_varies_equal_deadlines)
{
    forget_orders();
    for (uint64_t seed = 1; seed <= 4 * SEEDS; seed++) {
        rondo_loop *loop = kit_loop_of(RONDO_LOOP_MANUAL_CLOCK, seed);
        CHECK_OK(rondo_loop_call_at(loop, 3, say, "z", NULL, NULL));
        CHECK_OK(rondo_loop_call_at(loop, 2, say, "a", NULL, NULL));
        CHECK_OK(rondo_loop_call_at(loop, 2, say, "b", NULL, NULL));
        CHECK_OK(rondo_loop_call_at(loop, 1, say, "y", NULL, NULL));
        CHECK_OK(rondo_loop_call_at(loop, 2, say, "c", NULL, NULL));
        CHECK_OK(rondo_loop_advance(loop, 3));
        kit_pass(loop);
        CHECK(words[0] == 'y' && words[4] == 'z' && words[5] == '\0');
        note_order();
        kit_loop_end(loop);
    }
    CHECK_EQ_INT(seen_count, 6);
}

/* A thousand of them: more than are taken out in one sweep without a seed. */
static int fired;

static void count_fired(void *arg)
{
    (void)arg;
    fired++;
}

KIT_TEST(a_seed_and_many_equal_deadlines)
{
    uint64_t hashes[2];
    for (int i = 0; i < 2; i++) {
        rondo_loop *loop = kit_loop_of(RONDO_LOOP_MANUAL_CLOCK, 11);
        fired = 0;
        for (int j = 0; j < 1000; j++)
            CHECK_OK(rondo_loop_call_at(loop, 5, count_fired, NULL, NULL, NULL));
        CHECK_OK(rondo_loop_advance(loop, 5));
        kit_pass(loop);
        CHECK_EQ_INT(fired, 1000);
        hashes[i] = hash_of(loop);
        kit_loop_end(loop);
    }
    CHECK(hashes[0] == hashes[1]);
}

static void on_fd(int32_t fd, void *word)
{
    kit_drain(fd);
    say(word);
}

/* Descriptors that are ready at once: in any order, whatever the kernel's was, and the reader of one
 * before its writer. */
KIT_TEST(a_seed_varies_descriptors)
{
    int fds[3][2];
    for (int i = 0; i < 3; i++)
        kit_socketpair(fds[i]);
    forget_orders();
    for (uint64_t seed = 1; seed <= 2 * SEEDS; seed++) {
        static const char *const names[] = { "a", "b", "c" };
        rondo_loop *loop = kit_loop_of(0, seed);
        for (int i = 0; i < 3; i++) {
            int at = (int)((seed + (uint64_t)i) % 3);
            CHECK_EQ_INT(write(fds[at][1], "x", 1), 1);
            CHECK_OK(rondo_loop_add_reader(loop, fds[at][0], on_fd, (void *)(uintptr_t)names[at], NULL));
        }
        kit_pass(loop);
        CHECK_EQ_INT(strlen(words), 3);
        note_order();
        for (int i = 0; i < 3; i++)
            CHECK_OK(rondo_loop_remove_reader(loop, fds[i][0], NULL));
        kit_loop_end(loop);
    }
    CHECK_EQ_INT(seen_count, 6);
    for (int i = 0; i < 3; i++) {
        close(fds[i][0]);
        close(fds[i][1]);
    }
}

/* The order in which descriptors became ready is nobody's decision: the same seed, the same order. */
KIT_TEST(the_kernels_order_is_not_the_schedules)
{
    int fds[3][2];
    for (int i = 0; i < 3; i++)
        kit_socketpair(fds[i]);
    for (uint64_t seed = 1; seed <= 20; seed++) {
        char first[8] = "";
        for (int turn = 0; turn < 6; turn++) {
            static const char *const names[] = { "a", "b", "c" };
            rondo_loop *loop = kit_loop_of(seed % 2 ? RONDO_LOOP_ANY_ORDER : 0, seed);
            for (int i = 0; i < 3; i++)
                CHECK_OK(rondo_loop_add_reader(loop, fds[i][0], on_fd, (void *)(uintptr_t)names[i], NULL));
            for (int i = 0; i < 3; i++) {
                int at = turn < 3 ? (turn + i) % 3 : (turn + 3 - i) % 3;
                CHECK_EQ_INT(write(fds[at][1], "x", 1), 1);
            }
            kit_pass(loop);
            if (turn == 0)
                strcpy(first, words);
            CHECK_EQ_STR(words, first);
            words[0] = '\0';
            for (int i = 0; i < 3; i++)
                CHECK_OK(rondo_loop_remove_reader(loop, fds[i][0], NULL));
            kit_loop_end(loop);
        }
    }
    for (int i = 0; i < 3; i++) {
        close(fds[i][0]);
        close(fds[i][1]);
    }
}

struct poster {
    rondo_loop *loop;
    const char *first, *second;
    struct kit_event posted, leave;
};

static void *post_two(void *arg)
{
    struct poster *self = arg;
    CHECK_OK(rondo_loop_call_soon_threadsafe(self->loop, say, (void *)(uintptr_t)self->first, NULL, NULL));
    CHECK_OK(rondo_loop_call_soon_threadsafe(self->loop, say, (void *)(uintptr_t)self->second, kit_drop, NULL));
    kit_event_set(&self->posted);
    kit_event_wait(&self->leave);
    return NULL;
}

/* One thread after the other posts its two calls; all live meanwhile, else one might be told from the
 * other by nothing. */
static void post_from_threads(rondo_loop *loop, int count, const char *const *names)
{
    struct poster posters[2] = { { loop, names[0], names[1], KIT_EVENT_INIT, KIT_EVENT_INIT },
                                 { loop, count > 1 ? names[2] : "", count > 1 ? names[3] : "", KIT_EVENT_INIT,
                                   KIT_EVENT_INIT } };
    pthread_t threads[2];
    for (int i = 0; i < count; i++) {
        threads[i] = kit_thread_start(post_two, &posters[i]);
        kit_event_wait(&posters[i].posted);
    }
    for (int i = 0; i < count; i++) {
        kit_event_set(&posters[i].leave);
        kit_thread_join(threads[i]);
    }
}

/* Calls of two threads in between each other, each thread's in its own order: six ways. */
KIT_TEST_WITHIN(a_seed_varies_threads, 60)
{
    forget_orders();
    int seeds = kit_rounds(SEEDS);
    for (int seed = 1; seed <= seeds; seed++) {
        rondo_loop *loop = kit_loop_of(0, (uint64_t)seed);
        static const char *const names[] = { "a", "A", "b", "B" };
        rondo_close_report report = { .size = sizeof report };
        post_from_threads(loop, 2, names);
        kit_pass(loop);
        CHECK_EQ_INT(strlen(words), 4);
        CHECK(strchr(words, 'a') < strchr(words, 'A') && strchr(words, 'b') < strchr(words, 'B'));
        note_order();
        /* What is left in the inbox at close is counted as it was posted. */
        post_from_threads(loop, 1, names);
        CHECK_OK(rondo_loop_close(loop, &report));
        CHECK_EQ_INT(report.threadsafe_calls, 2);
        CHECK_OK(rondo_loop_release(loop));
    }
    CHECK(seeds < SEEDS || seen_count == 6);
}

/* ---- choice functions ------------------------------------------------------------------------ */

struct choices {
    int kind, asked;
    uint32_t counts[64], answers[64];
    rondo_loop *loop;
    rondo_status refused;
};

static uint32_t choose(rondo_loop *loop, int32_t kind, uint32_t count, void *arg)
{
    struct choices *self = arg;
    CHECK_EQ_PTR(loop, self->loop);
    CHECK(count >= 2);
    self->kind = kind;
    self->counts[self->asked] = count;
    return self->answers[self->asked++];
}

KIT_TEST(zeros_are_asyncios_order)
{
    struct choices zeros = { .loop = kit_loop_of(RONDO_LOOP_ANY_ORDER, 5) };
    CHECK_OK(rondo_loop_set_choice(zeros.loop, choose, &zeros, kit_drop));
    soon(zeros.loop, "a");
    soon(zeros.loop, "b");
    soon(zeros.loop, "c");
    kit_pass(zeros.loop);
    CHECK_EQ_STR(words, "abc");
    words[0] = '\0';
    CHECK_EQ_INT(zeros.asked, 2);
    CHECK_EQ_INT(zeros.counts[0], 3);
    CHECK_EQ_INT(zeros.counts[1], 2);
    CHECK_EQ_INT(zeros.kind, RONDO_CHOICE_READY);
    CHECK_EQ_INT(kit_drops, 0);
    kit_loop_end(zeros.loop);
    CHECK_EQ_INT(kit_drops, 1);
}

/* Too large is the last; nobody is asked where there is nothing to choose. */
KIT_TEST(a_choice_that_is_too_large)
{
    struct choices large = { .loop = kit_loop_of(RONDO_LOOP_ANY_ORDER, 0), .answers = { 99, UINT32_MAX } };
    CHECK_OK(rondo_loop_set_choice(large.loop, choose, &large, NULL));
    soon(large.loop, "a");
    kit_pass(large.loop);
    CHECK_EQ_INT(large.asked, 0);
    soon(large.loop, "b");
    soon(large.loop, "c");
    soon(large.loop, "d");
    kit_pass(large.loop);
    CHECK_EQ_STR(words, "adbc");
    words[0] = '\0';
    kit_loop_end(large.loop);
}

KIT_TEST(choices_have_kinds)
{
    struct choices kinds = { .loop = kit_loop_of(RONDO_LOOP_MANUAL_CLOCK, 0), .answers = { 1, 1, 1 } };
    int fds[2][2];
    CHECK_OK(rondo_loop_set_choice(kinds.loop, choose, &kinds, NULL));
    CHECK_OK(rondo_loop_call_at(kinds.loop, 0, say, "a", NULL, NULL));
    CHECK_OK(rondo_loop_call_at(kinds.loop, 0, say, "b", NULL, NULL));
    kit_pass(kinds.loop);
    CHECK_EQ_INT(kinds.kind, RONDO_CHOICE_TIMER);
    post_from_threads(kinds.loop, 2, (const char *const[]){ "c", "d", "e", "f" });
    kit_pass(kinds.loop);
    CHECK_EQ_INT(kinds.kind, RONDO_CHOICE_THREAD);
    for (int i = 0; i < 2; i++) {
        kit_socketpair(fds[i]);
        CHECK_EQ_INT(write(fds[i][1], "x", 1), 1);
        CHECK_OK(rondo_loop_add_reader(kinds.loop, fds[i][0], on_fd, i == 0 ? "g" : "h", NULL));
    }
    kinds.answers[kinds.asked] = 1;
    kit_pass(kinds.loop);
    CHECK_EQ_INT(kinds.kind, RONDO_CHOICE_DESCRIPTOR);
    CHECK_EQ_STR(words, "baefcdhg");
    words[0] = '\0';
    for (int i = 0; i < 2; i++) {
        CHECK_OK(rondo_loop_remove_reader(kinds.loop, fds[i][0], NULL));
        close(fds[i][0]);
        close(fds[i][1]);
    }
    kit_loop_end(kinds.loop);
}

/* While it chooses the loop is nobody's: what it tries is refused, and changes nothing. */
static uint32_t meddle(rondo_loop *loop, int32_t kind, uint32_t count, void *arg)
{
    struct choices *self = arg;
    (void)kind;
    (void)count;
    CHECK_STATUS(rondo_loop_call_soon(loop, kit_no_call, NULL, kit_drop, NULL), RONDO_E_WRONG_THREAD);
    CHECK_STATUS(rondo_loop_call_later(loop, 0, kit_no_call, NULL, kit_drop, NULL), RONDO_E_WRONG_THREAD);
    CHECK_STATUS(rondo_loop_set_choice(loop, NULL, NULL, NULL), RONDO_E_WRONG_THREAD);
    CHECK_STATUS(rondo_loop_stop(loop), RONDO_E_WRONG_THREAD);
    CHECK_STATUS(rondo_loop_run_forever(loop), RONDO_E_LOOP_RUNNING);
    CHECK_STATUS(rondo_loop_close(loop, NULL), RONDO_E_LOOP_RUNNING);
    self->asked++;
    return 1;
}

KIT_TEST(a_choice_function_cannot_use_the_loop)
{
    struct choices self = { .loop = kit_loop_of(RONDO_LOOP_ANY_ORDER, 0) };
    rondo_contextvar *variable = NULL;
    CHECK_OK(rondo_contextvar_new("v", NULL, &variable));
    CHECK_OK(rondo_loop_set_choice(self.loop, meddle, &self, NULL));
    soon(self.loop, "a");
    soon(self.loop, "b");
    kit_pass(self.loop);
    CHECK_EQ_STR(words, "ba");
    words[0] = '\0';
    CHECK_EQ_INT(self.asked, 1);
    CHECK_EQ_INT(kit_drops, 2);
    soon(self.loop, "c");
    kit_pass(self.loop);
    CHECK_EQ_STR(words, "c");
    words[0] = '\0';
    CHECK_OK(rondo_contextvar_release(variable));
    kit_loop_end(self.loop);
}

/* NULL gives the decisions back to the seed, the argument is dropped, the hash begins anew. */
KIT_TEST(a_choice_function_is_replaced)
{
    struct choices zeros = { .loop = kit_loop_of(RONDO_LOOP_ANY_ORDER, 3) };
    uint64_t begin = hash_of(zeros.loop);
    CHECK_OK(rondo_loop_set_choice(zeros.loop, choose, &zeros, kit_drop));
    soon(zeros.loop, "a");
    soon(zeros.loop, "b");
    kit_pass(zeros.loop);
    CHECK(hash_of(zeros.loop) != begin);
    CHECK_OK(rondo_loop_set_choice(zeros.loop, NULL, NULL, kit_drop));
    CHECK_EQ_INT(kit_drops, 2);
    CHECK(hash_of(zeros.loop) == begin);
    soon(zeros.loop, "c");
    soon(zeros.loop, "d");
    kit_pass(zeros.loop);
    CHECK_EQ_INT(zeros.asked, 1);
    words[0] = '\0';
    kit_loop_end(zeros.loop);
}

/* ---- replay ---------------------------------------------------------------------------------- */

struct work {
    rondo_loop *loop;
    rondo_queue *queue;
    rondo_lock *lock;
    int turns;
};

struct worker {
    RONDO_FRAME;
    struct work *work;
    int i, n;
    const char *name;
};

RONDO_STEP(worker_step)
{
    struct worker *self = frame;
    rondo_coroutine *next = NULL;
    RONDO_BEGIN(self);
    for (self->i = 0; self->i < self->n; self->i++) {
        RONDO_SLEEP(self, SECOND * (self->i % 3));
        next = NULL;
        CHECK_OK(rondo_lock_acquire(self->work->lock, &next));
        RONDO_AWAIT_MOVED(self, next);
        self->work->turns = self->work->turns * 31 + self->name[0];
        RONDO_YIELD(self);
        CHECK_OK(rondo_lock_unlock(self->work->lock));
    }
    RONDO_RETURN(NULL);
    RONDO_END(self);
}

/* Runs a program of some 200 calls; what it did, and the hash of how. */
static uint64_t run_work(uint32_t flags, uint64_t seed, int *out_turns)
{
    struct work work = { .loop = kit_loop_of(flags | RONDO_LOOP_VIRTUAL_CLOCK, seed) };
    struct worker workers[5] = { { .name = "a" }, { .name = "b" }, { .name = "c" }, { .name = "d" },
                                 { .name = "e" } };
    CHECK_OK(rondo_lock_new(work.loop, &work.lock));
    for (int i = 0; i < 5; i++) {
        workers[i].work = &work;
        workers[i].n = 4 + i;
        CHECK_OK(rondo_loop_spawn(work.loop, worker_step, &workers[i], NULL, NULL, NULL));
    }
    CHECK_STATUS(rondo_loop_run_forever(work.loop), RONDO_E_DEADLOCK);
    uint64_t hash = hash_of(work.loop);
    CHECK_OK(rondo_lock_release(work.lock));
    CHECK_OK(rondo_loop_close(work.loop, NULL));
    CHECK(hash_of(work.loop) == hash);
    CHECK_OK(rondo_loop_release(work.loop));
    *out_turns = work.turns;
    return hash;
}

KIT_TEST(the_same_seed_is_the_same_run)
{
    for (uint32_t flags = 0; flags <= RONDO_LOOP_ANY_ORDER; flags += RONDO_LOOP_ANY_ORDER) {
        int different = 0, last = 0;
        for (uint64_t seed = 1; seed <= 50; seed++) {
            int first = 0, second = 0;
            uint64_t hash = run_work(flags, seed, &first);
            CHECK(run_work(flags, seed, &second) == hash);
            CHECK_EQ_INT(first, second);
            different += first != last;
            last = first;
        }
        CHECK(different > 40);
    }
}

struct recorded {
    uint32_t answers[4096];
    int count, at;
    uint64_t state;
};

static uint32_t record(rondo_loop *loop, int32_t kind, uint32_t count, void *arg)
{
    struct recorded *self = arg;
    (void)loop;
    (void)kind;
    CHECK(self->count < 4096);
    self->state = self->state * 6364136223846793005u + 1442695040888963407u;
    return self->answers[self->count++] = (uint32_t)(self->state >> 33) % count;
}

static uint32_t play(rondo_loop *loop, int32_t kind, uint32_t count, void *arg)
{
    struct recorded *self = arg;
    (void)loop;
    (void)kind;
    (void)count;
    return self->answers[self->at++];
}

/* Decisions that were recorded are played back: the same run, the same hash. */
KIT_TEST(recorded_decisions_are_a_replay)
{
    static struct recorded tape;
    uint64_t hashes[2];
    char texts[2][64];
    tape = (struct recorded){ .state = 42 };
    for (int turn = 0; turn < 2; turn++) {
        rondo_loop *loop = kit_loop_of(RONDO_LOOP_ANY_ORDER, 0);
        CHECK_OK(rondo_loop_set_choice(loop, turn == 0 ? record : play, &tape, NULL));
        for (int i = 0; i < 8; i++) {
            static const char *const names[] = { "a", "b", "c", "d", "e", "f", "g", "h" };
            soon(loop, names[i]);
        }
        kit_pass(loop);
        hashes[turn] = hash_of(loop);
        strcpy(texts[turn], words);
        words[0] = '\0';
        kit_loop_end(loop);
    }
    CHECK(hashes[0] == hashes[1]);
    CHECK_EQ_STR(texts[0], texts[1]);
    CHECK(strcmp(texts[0], "abcdefgh") != 0);
    CHECK_EQ_INT(tape.at, tape.count);
}

/* For the next test: a process of its own, with RONDO_SEED in its environment. */
KIT_TEST(a_program_to_replay)
{
    int turns = 0;
    bool alone = getenv("RONDO_SEED") == NULL;
    if (alone)
        CHECK_EQ_INT(setenv("RONDO_SEED", "5", 1), 0);
    uint64_t hash = run_work(0, 0, &turns);
    if (alone) {
        CHECK(run_work(0, 5, &turns) == hash);
        unsetenv("RONDO_SEED");
    }
    kit_note("replay %016llx %d %p", (unsigned long long)hash, turns, (void *)&worker_step);
}

struct replayed {
    char hash[32];
    int turns;
    char address[32];
};

static struct replayed run_again(const char *seed)
{
    struct replayed told = { .turns = -1 };
    int fds[2];
    CHECK_EQ_INT(pipe(fds), 0);
    int child = kit_fork();
    if (child == 0) {
        dup2(fds[1], 1);
        dup2(fds[1], 2);
        setenv("RONDO_SEED", seed, 1);
        unsetenv("KIT_RESUME");
        execl("/proc/self/exe", "schedule", "a_program_to_replay", (char *)NULL);
        _exit(96);
    }
    close(fds[1]);
    char line[512];
    FILE *from = fdopen(fds[0], "r");
    while (fgets(line, sizeof line, from) != NULL)
        if (sscanf(line, "# replay %31s %d %31s", told.hash, &told.turns, told.address) == 3)
            continue;
    fclose(from);
    CHECK_EQ_INT(kit_wait_child(child), 0);
    CHECK(told.turns != -1);
    return told;
}

/* The same seed in other processes, at other addresses: the same hash and the same outcome. */
KIT_TEST_WITHIN(processes_replay_a_seed, 60)
{
    static const char *const seeds[] = { "1", "77", "77:any", "0xfeed:any" };
    struct replayed first[4];
    int moved = 0;
    for (int i = 0; i < 4; i++) {
        first[i] = run_again(seeds[i]);
        for (int turn = 0; turn < 3; turn++) {
            struct replayed next = run_again(seeds[i]);
            CHECK_EQ_STR(next.hash, first[i].hash);
            CHECK_EQ_INT(next.turns, first[i].turns);
            moved += strcmp(next.address, first[i].address) != 0;
        }
        for (int j = 0; j < i; j++)
            CHECK(strcmp(first[i].hash, first[j].hash) != 0);
    }
    kit_note("%d of 12 runs had the program at another address", moved);
}

/* ---- the environment, and the line at the end ------------------------------------------------- */

KIT_TEST(the_environment_has_a_seed)
{
    static const struct {
        const char *text;
        uint64_t seed;
    } cases[] = { { "7", 7 },    { "7:any", 7 }, { "0x10", 16 }, { "", 0 },
                  { "any", 0 },  { "7x", 0 },    { "0", 0 },     { "18446744073709551615", UINT64_MAX } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        setenv("RONDO_SEED", cases[i].text, 1);
        rondo_loop *loop = kit_loop();
        uint64_t seed = 1;
        CHECK_OK(rondo_loop_get_seed(loop, &seed));
        CHECK(seed == cases[i].seed);
        kit_loop_end(loop);
    }
    setenv("RONDO_SEED", "7", 1);
    rondo_loop *own = kit_loop_of(0, 9);
    uint64_t seed = 0;
    CHECK_OK(rondo_loop_get_seed(own, &seed));
    CHECK_EQ_INT(seed, 9);
    kit_loop_end(own);
    unsetenv("RONDO_SEED");
}

KIT_TEST(debug_mode_prints_a_seed)
{
    kit_catch_log();
    kit_loop_end(kit_loop_of(RONDO_LOOP_DEBUG, 0));
    kit_loop_end(kit_loop_of(0, 7));
    CHECK_EQ_INT(kit_logged(), 0);
    kit_loop_end(kit_loop_of(RONDO_LOOP_DEBUG, 7));
    CHECK_EQ_INT(kit_logged(), 1);
    CHECK(kit_logged_containing("rondo: seed=7 order=open decisions=0 schedule=0x"));
    kit_loop_end(kit_loop_of(RONDO_LOOP_PRINT_SCHEDULE | RONDO_LOOP_ANY_ORDER, UINT64_MAX));
    CHECK(kit_logged_containing("rondo: seed=0xffffffffffffffff order=any decisions=0 schedule=0x"));
}

/* ---- no memory -------------------------------------------------------------------------------- */

/* What putting in order needs is there from the beginning, or there is no loop. */
KIT_TEST(without_memory_there_is_no_schedule)
{
    if (!kit_alloc_works())
        return kit_skip("allocations cannot be made to fail here");
    rondo_loop_options options = { .size = sizeof options, .seed = 3, .flags = RONDO_LOOP_ANY_ORDER };
    rondo_status status = -ENOMEM;
    long points = 0;
    while (status == -ENOMEM) {
        rondo_loop *loop = NULL;
        kit_alloc_fail(++points, false);
        status = rondo_loop_new(&options, &loop);
        kit_alloc_end();
        if (status == RONDO_OK)
            kit_loop_end(loop);
        else
            CHECK_EQ_PTR(loop, NULL);
    }
    CHECK_OK(status);
    CHECK(points > 1);
    struct choices zeros = { .loop = kit_loop() };
    kit_alloc_fail(1, true);
    CHECK_STATUS(rondo_loop_set_choice(zeros.loop, choose, &zeros, kit_drop), -ENOMEM);
    CHECK_EQ_INT(kit_drops, 1);
    kit_alloc_end();
    uint64_t hash = 0;
    CHECK_STATUS(rondo_loop_get_schedule_hash(zeros.loop, &hash), RONDO_E_INVALID_STATE);
    CHECK_OK(rondo_loop_set_choice(zeros.loop, choose, &zeros, kit_drop));
    kit_loop_end(zeros.loop);
    CHECK_EQ_INT(kit_drops, 2);
}

/* A pass needs no memory for its order. */
KIT_TEST(a_pass_without_memory)
{
    if (!kit_alloc_works())
        return kit_skip("allocations cannot be made to fail here");
    for (uint32_t flags = 0; flags <= RONDO_LOOP_ANY_ORDER; flags += RONDO_LOOP_ANY_ORDER) {
        rondo_loop *loop = kit_loop_of(flags | RONDO_LOOP_MANUAL_CLOCK, 3);
        post_from_threads(loop, 1, (const char *const[]){ "a", "b" });
        CHECK_OK(rondo_loop_call_at(loop, 0, say, "e", NULL, NULL));
        CHECK_OK(rondo_loop_call_at(loop, 0, say, "f", NULL, NULL));
        soon(loop, "c");
        soon(loop, "d");
        kit_alloc_fail(1, true);
        kit_pass(loop);
        kit_alloc_end();
        sort_words();
        CHECK_EQ_STR(words, "abcdef");
        words[0] = '\0';
        kit_loop_end(loop);
    }
}

/* Many calls are put in order a stretch at a time; each runs once. */
static int runs[5000], last_run;

static void run_once(void *arg)
{
    last_run = (int)(intptr_t)arg;
    runs[last_run]++;
}

KIT_TEST(many_calls)
{
    rondo_loop *loop = kit_loop_of(RONDO_LOOP_ANY_ORDER, 1);
    for (intptr_t i = 0; i < 5000; i++)
        CHECK_OK(rondo_loop_call_soon(loop, run_once, (void *)i, i % 3 == 0 ? kit_drop : NULL, NULL));
    kit_pass(loop);
    for (int i = 0; i < 5000; i++)
        CHECK_EQ_INT(runs[i], 1);
    CHECK_EQ_INT(kit_drops, 1667);
    CHECK(last_run >= 4 * 1024);
    kit_loop_end(loop);
}

/* A seed is the same order on every machine, and in the versions to come. */
KIT_TEST(a_seed_is_the_same_everywhere)
{
    static const char *const names[] = { "a", "b", "c", "d", "e", "f", "g", "h" };
    static const char *const orders[] = { "eghfdcab", "egfbcdha", "afbdegch" };
    for (uint64_t seed = 1; seed <= 3; seed++) {
        rondo_loop *loop = kit_loop_of(RONDO_LOOP_ANY_ORDER, seed);
        for (int i = 0; i < 8; i++)
            soon(loop, names[i]);
        kit_pass(loop);
        CHECK_EQ_STR(words, orders[seed - 1]);
        words[0] = '\0';
        kit_loop_end(loop);
    }
}
