/*
 * step4_timeout.c - the tutorial, step 4: a limit for how long it may take, and cleaning up when it is over.
 */
#include <ctype.h>
#include <errno.h>
#include <rondo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MS INT64_C(1000000)
#define WORDS 3

static const char *const words[WORDS] = { "hello", "extraordinary", "wonderful" };

/* A copy of the word in capitals, for free(). */
static rondo_status capitals(const char *word, char **out)
{
    char *text = strdup(word);
    if (text == NULL)
        return -ENOMEM;
    for (char *p = text; *p != '\0'; p++)
        *p = (char)toupper((unsigned char)*p);
    *out = text;
    return RONDO_OK;
}

/* [shout] */
struct shout {
    RONDO_FRAME;
    const char *word; /* the argument */
    char *text;       /* ours until it is returned */
};

/* However the coroutine ends: with a result, an error, cancelled, or never begun. */
static void shout_drop(void *frame)
{
    struct shout *self = frame;
    free(self->text);
}

/* Takes 20 ms of breath for each letter. */
RONDO_STEP(shout_step)
{
    struct shout *self = frame;
    char *text = NULL;
    RONDO_BEGIN(self);
    RONDO_CHECK(capitals(self->word, &self->text), "capitals");
    printf("breathing in for %s\n", self->word);
    RONDO_TRY(self, rondo_coroutine_sleep(co, 20 * MS * (int64_t)strlen(self->word)));
    if (thrown != NULL) {
        printf("%s: breathing out again\n", self->word);
        return rondo_coroutine_raise(co, thrown);
    }
    printf("%s!\n", self->text);
    text = self->text;
    self->text = NULL;
    return rondo_coroutine_return(co, text, free);
    RONDO_END(self);
}

/* [main] */
struct main_frame {
    RONDO_FRAME;
    struct shout shouts[WORDS];
    rondo_task *tasks[WORDS];
    rondo_timeout *limit;
    rondo_error *error; /* what left the part under the timeout */
    int i;
};

static void main_drop(void *frame)
{
    struct main_frame *self = frame;
    for (int i = 0; i < WORDS; i++)
        rondo_task_release(self->tasks[i]);
    rondo_timeout_release(self->limit); /* NULL, unless main ends inside of the part */
    rondo_error_release(self->error);
}

static rondo_status start(struct main_frame *self, int i)
{
    self->shouts[i].word = words[i];
    return rondo_loop_spawn(rondo_running_loop(), shout_step, &self->shouts[i],
                            shout_drop, NULL, &self->tasks[i]);
}

/* [part] */
RONDO_STEP(main_step)
{
    struct main_frame *self = frame;
    RONDO_BEGIN(self);
    for (int i = 0; i < WORDS; i++)
        RONDO_CHECK(start(self, i), "start");

    RONDO_TIMEOUT_ENTER(self, self->limit, rondo_running_loop(), 220 * MS);
    for (self->i = 0; self->i < WORDS; self->i++) {
        RONDO_AWAIT_IN(self, listening, self->tasks[self->i]);
        printf("result %d: %s\n", self->i, (char *)sent);
    }
    RONDO_TRY_TIMEOUT_EXIT(self, listening, self->limit, self->error);
    if (self->error != NULL)
        printf("that was it: %s\n", rondo_error_get_message(self->error));

    for (int i = 0; i < WORDS; i++)
        printf("%s: %s\n", words[i],
               rondo_future_is_cancelled(rondo_task_as_future(self->tasks[i])) ? "cancelled" : "done");
    RONDO_END(self);
}

/* [clock] */
/* A loop whose clock jumps to the next deadline when nothing is ready. */
static rondo_status fast_loop(void *arg, rondo_loop **out_loop)
{
    rondo_loop_options options = { .size = sizeof options,
                                   .flags = RONDO_LOOP_VIRTUAL_CLOCK };
    (void)arg;
    return rondo_loop_new(&options, out_loop);
}

/* [run] */
int main(void)
{
    struct main_frame frame = { 0 };
    rondo_run_options options = { .size = sizeof options, .loop_factory = fast_loop };
    rondo_coroutine *coroutine = NULL;
    rondo_error *error = NULL;
    rondo_status status = rondo_coroutine_new("main", main_step, &frame, main_drop,
                                              &coroutine);
    if (status == RONDO_OK)
        status = rondo_run(coroutine, &options, NULL, &error);
    if (status != RONDO_OK)
        fprintf(stderr, "%s\n", status == RONDO_E_RAISED
                               ? rondo_error_get_message(error)
                               : rondo_status_message(status));
    rondo_error_release(error);
    return status == RONDO_OK ? 0 : 1;
}
/* [end] */
