/* Calls from a thread run in order; coroutines from a thread give their outcome back (X). */
#include "parity.h"
#include <pthread.h>
#include <semaphore.h>

static char results[5][64];
static sem_t started;

RONDO_STEP(returns)
{
    SELF;
    RONDO_SLEEP(self, 0);
    RONDO_RETURN("value");
    RONDO_END(self);
}

RONDO_STEP(raises)
{
    SELF;
    RONDO_SLEEP(self, 0);
    RONDO_RAISE(1, "from the task");
    RONDO_END(self);
}

RONDO_STEP(blocks)
{
    SELF;
    self->f = new_future();
    RONDO_TRY_AWAIT_MOVED(self, self->f);
    say("task cancelled");
    soon(stop, NULL);
    return rondo_coroutine_raise(co, thrown);
    RONDO_END(self);
}

RONDO_STEP(cancels_itself)
{
    SELF;
    return rondo_coroutine_raise_status(co, RONDO_E_CANCELLED, NULL);
    RONDO_END(self);
}

static rondo_thread_future *submit(rondo_step_fn step)
{
    static struct frame frames[4];
    static int used;
    rondo_thread_future *made = NULL;

    MUST(rondo_loop_run_coroutine_threadsafe(loop, new_coroutine("c", step, &frames[used++]),
                                             &made));
    return made;
}

static void post_started(void *arg)
{
    (void)arg;
    sem_post(&started);
}

static void call_started_soon(void *arg)
{
    soon(post_started, arg);
}

static void read_outcomes(void)
{
    rondo_thread_future *future = submit(returns);
    rondo_error *error = NULL;
    void *value = NULL;

    MUST(rondo_thread_future_result(future, RONDO_NEVER, &value));
    snprintf(results[0], sizeof results[0], "result %s", text(value));
    MUST(rondo_thread_future_release(future));
    future = submit(raises);
    MUST(rondo_thread_future_exception(future, RONDO_NEVER, &error));
    snprintf(results[1], sizeof results[1], "raised %s", rondo_error_get_message(error));
    MUST(rondo_error_release(error));
    MUST(rondo_thread_future_release(future));
    future = submit(cancels_itself);
    if (rondo_thread_future_result(future, RONDO_NEVER, NULL) == RONDO_E_CANCELLED)
        strcpy(results[2], "cancelled");
    MUST(rondo_thread_future_release(future));
}

static void *thread(void *arg)
{
    static char *const calls[] = { "call 0", "call 1", "call 2", "call 3", "call 4" };
    rondo_thread_future *future;

    for (int i = 0; i < 5; i++)
        MUST(rondo_loop_call_soon_threadsafe(loop, say_arg, calls[i], NULL, NULL));
    read_outcomes();
    future = submit(blocks);
    MUST(rondo_loop_call_soon_threadsafe(loop, call_started_soon, NULL, NULL, NULL));
    while (sem_wait(&started) != 0)
        ;
    snprintf(results[3], sizeof results[3], "cancel %d",
             rondo_thread_future_cancel(future) == RONDO_OK);
    snprintf(results[4], sizeof results[4], "cancelled %d",
             rondo_thread_future_is_cancelled(future));
    MUST(rondo_thread_future_release(future));
    return arg;
}

int main(void)
{
    pthread_t worker;

    loop = new_loop();
    sem_init(&started, 0, 0);
    if (pthread_create(&worker, NULL, thread, NULL) != 0)
        return 2;
    MUST(rondo_loop_run_forever(loop));
    pthread_join(worker, NULL);
    for (int i = 0; i < 5; i++)
        say("%s", results[i]);
    return finish();
}
