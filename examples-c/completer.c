/*
 * completer.c - a library with callbacks, awaited; and calls of its functions with their own types.
 *
 * "lookup" stands for any C library that works in a thread of its own and calls back from there. It knows
 * nothing of rondo. Each of its callbacks is the function of a completer, so a task just awaits.
 */
#include <pthread.h>
#include <rondo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the library ----------------------------------------------------------------------------- */

typedef void (*lookup_fn)(const char *name, int length, double score, void *user);

struct lookup {
    char name[32];
    lookup_fn done;
    void *user;
    pthread_t thread;
};

static void *look_up(void *arg)
{
    struct lookup *lookup = arg;
    lookup->done(lookup->name, (int)strlen(lookup->name), 0.5, lookup->user);
    return NULL;
}

static struct lookup *lookup_start(const char *name, lookup_fn done, void *user)
{
    struct lookup *lookup = calloc(1, sizeof *lookup);
    snprintf(lookup->name, sizeof lookup->name, "%s", name);
    lookup->done = done;
    lookup->user = user;
    pthread_create(&lookup->thread, NULL, look_up, lookup);
    return lookup;
}

static void lookup_end(void *lookup)
{
    pthread_join(((struct lookup *)lookup)->thread, NULL);
    free(lookup);
}

/* ---- the program ----------------------------------------------------------------------------- */

static void check(rondo_status status)
{
    if (status != RONDO_OK) {
        fprintf(stderr, "%s\n", rondo_status_message(status));
        exit(1);
    }
}

static void say(const char *text, int32_t number, double half)
{
    printf("%s %d %g\n", text, number, half);
}

struct frame {
    rondo_future *future;
    rondo_completer *completer;
    struct lookup *lookup;
};

static rondo_step ask(rondo_coroutine *co, void *arg, void *sent, rondo_error *thrown)
{
    struct frame *frame = arg;
    if (thrown != NULL)
        return rondo_coroutine_raise(co, thrown);
    if (sent != NULL) { /* the addresses of what the callback was called with */
        void **args = sent;
        printf("%s has %d letters, score %g\n", *(char **)args[0], *(int *)args[1], *(double *)args[2]);
        lookup_end(frame->lookup);
        check(rondo_completer_release(frame->completer));
        check(rondo_future_release(frame->future));
        return RONDO_STEP_RETURN;
    }
    rondo_any_fn done;
    check(rondo_future_new(rondo_running_loop(), &frame->future));
    check(rondo_future_completer(frame->future, "void(str,int,f64,user)", NULL, NULL, NULL, &frame->completer));
    check(rondo_completer_get_function(frame->completer, &done));
    frame->lookup = lookup_start("Rondo", (lookup_fn)done, frame->completer);
    return rondo_coroutine_await(co, frame->future);
}

int main(void)
{
    rondo_loop *loop;
    rondo_task *task;
    struct frame frame = { NULL, NULL, NULL };
    char text[] = "copied";
    check(rondo_loop_new(NULL, &loop));
    check(rondo_loop_call_soon_typed(loop, RONDO_ANY(say), "void(str,i32,f64)", text, 42, 0.5));
    memset(text, '-', sizeof text - 1);
    check(rondo_loop_spawn(loop, ask, &frame, NULL, NULL, &task));
    check(rondo_loop_run_until_complete(loop, task, NULL));
    check(rondo_task_release(task));
    check(rondo_loop_close(loop, NULL));
    check(rondo_loop_release(loop));
    return 0;
}
