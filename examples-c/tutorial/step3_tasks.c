/*
 * step3_tasks.c - the tutorial, step 3: three tasks at the same time.
 */
#include <ctype.h>
#include <errno.h>
#include <rondo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MS INT64_C(1000000)
#define WORDS 3

static const char *const words[WORDS] = { "extraordinary", "hello", "wonderful" };

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
};

/* Takes 20 ms of breath for each letter. */
RONDO_STEP(shout_step)
{
    struct shout *self = frame;
    char *text = NULL;
    RONDO_BEGIN(self);
    printf("breathing in for %s\n", self->word);
    RONDO_SLEEP(self, 20 * MS * (int64_t)strlen(self->word));
    RONDO_CHECK(capitals(self->word, &text), "capitals");
    printf("%s!\n", text);
    return rondo_coroutine_return(co, text, free);
    RONDO_END(self);
}

/* [main] */
struct main_frame {
    RONDO_FRAME;
    struct shout shouts[WORDS];
    rondo_task *tasks[WORDS];
    int i;
};

static void main_drop(void *frame)
{
    struct main_frame *self = frame;
    for (int i = 0; i < WORDS; i++)
        rondo_task_release(self->tasks[i]);
}

static rondo_status start(struct main_frame *self, int i)
{
    self->shouts[i].word = words[i];
    return rondo_loop_spawn(rondo_running_loop(), shout_step, &self->shouts[i], NULL,
                            NULL, &self->tasks[i]);
}

RONDO_STEP(main_step)
{
    struct main_frame *self = frame;
    RONDO_BEGIN(self);
    for (int i = 0; i < WORDS; i++)
        RONDO_CHECK(start(self, i), "start");
    puts("all three are started");
    for (self->i = 0; self->i < WORDS; self->i++) {
        RONDO_AWAIT(self, self->tasks[self->i]);
        printf("result %d: %s\n", self->i, (char *)sent);
    }
    RONDO_END(self);
}

/* [run] */
int main(void)
{
    struct main_frame frame = { 0 };
    rondo_coroutine *coroutine = NULL;
    rondo_error *error = NULL;
    rondo_status status = rondo_coroutine_new("main", main_step, &frame, main_drop,
                                              &coroutine);
    if (status == RONDO_OK)
        status = rondo_run(coroutine, NULL, NULL, &error);
    if (status != RONDO_OK)
        fprintf(stderr, "%s\n", status == RONDO_E_RAISED
                               ? rondo_error_get_message(error)
                               : rondo_status_message(status));
    rondo_error_release(error);
    return status == RONDO_OK ? 0 : 1;
}
/* [end] */
