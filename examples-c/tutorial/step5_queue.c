/*
 * step5_queue.c - the tutorial, step 5: a queue of words, and two workers that shout them.
 */
#include <ctype.h>
#include <errno.h>
#include <rondo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MS INT64_C(1000000)
#define WORDS 5
#define WORKERS 2

static const char *const words[WORDS] = { "hello", "extraordinary", "wonderful", "rondo",
                                          "bye" };

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
    RONDO_SLEEP(self, 20 * MS * (int64_t)strlen(self->word));
    text = self->text;
    self->text = NULL;
    return rondo_coroutine_return(co, text, free);
    RONDO_END(self);
}

/* [worker] */
struct worker {
    RONDO_FRAME;
    int number;
    rondo_queue *words; /* borrowed: main holds it until the workers have ended */
    struct shout shout;
};

RONDO_STEP(worker_step)
{
    struct worker *self = frame;
    rondo_coroutine *next = NULL, *shout = NULL;
    RONDO_BEGIN(self);
    for (;;) {
        RONDO_CHECK(rondo_queue_get(self->words, &next), "get");
        RONDO_TRY_AWAIT(self, next);
        if (thrown != NULL)
            break;
        self->shout = (struct shout){ .word = sent };
        RONDO_CHECK(rondo_coroutine_new("shout", shout_step, &self->shout, shout_drop,
                                        &shout), "shout");
        RONDO_AWAIT(self, shout);
        printf("worker %d: %s!\n", self->number, (char *)sent);
    }
    if (rondo_error_get_status(thrown) != RONDO_E_QUEUE_SHUT_DOWN)
        return rondo_coroutine_raise(co, thrown);
    printf("worker %d: no more words\n", self->number);
    RONDO_END(self);
}

/* [main] */
struct main_frame {
    RONDO_FRAME;
    rondo_queue *words;
    struct worker workers[WORKERS];
    rondo_task *tasks[WORKERS];
    int i;
};

static void main_drop(void *frame)
{
    struct main_frame *self = frame;
    for (int i = 0; i < WORKERS; i++)
        rondo_task_release(self->tasks[i]);
    rondo_queue_release(self->words);
}

static rondo_status start(struct main_frame *self, int i)
{
    self->workers[i] = (struct worker){ .number = i, .words = self->words };
    return rondo_loop_spawn(rondo_running_loop(), worker_step, &self->workers[i], NULL,
                            NULL, &self->tasks[i]);
}

/* [put] */
RONDO_STEP(main_step)
{
    struct main_frame *self = frame;
    rondo_coroutine *put = NULL;
    RONDO_BEGIN(self);
    RONDO_CHECK(rondo_queue_new(rondo_running_loop(), 1, &self->words), "queue");
    for (int i = 0; i < WORKERS; i++)
        RONDO_CHECK(start(self, i), "start");
    for (self->i = 0; self->i < WORDS; self->i++) {
        RONDO_CHECK(rondo_queue_put(self->words, (void *)words[self->i], NULL, &put),
                    "put");
        RONDO_AWAIT(self, put);
        printf("put: %s\n", words[self->i]);
    }
    RONDO_CHECK(rondo_queue_shutdown(self->words, 0), "shutdown");
    for (self->i = 0; self->i < WORKERS; self->i++)
        RONDO_AWAIT(self, self->tasks[self->i]);
    puts("all is said");
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
