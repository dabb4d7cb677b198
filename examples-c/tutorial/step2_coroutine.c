/*
 * step2_coroutine.c - the tutorial, step 2: a coroutine with an argument and a result, awaited by another.
 */
#include <ctype.h>
#include <errno.h>
#include <rondo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MS INT64_C(1000000)

/* [capitals] */
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
    RONDO_SLEEP(self, 20 * MS * (int64_t)strlen(self->word));
    RONDO_CHECK(capitals(self->word, &text), "capitals");
    return rondo_coroutine_return(co, text, free);
    RONDO_END(self);
}

/* [main] */
struct main_frame {
    RONDO_FRAME;
    struct shout shout;
};

RONDO_STEP(main_step)
{
    struct main_frame *self = frame;
    rondo_coroutine *shout = NULL;
    RONDO_BEGIN(self);
    puts("hello ...");
    self->shout.word = "world";
    RONDO_CHECK(rondo_coroutine_new("shout", shout_step, &self->shout, NULL, &shout),
                "shout");
    RONDO_AWAIT(self, shout);
    printf("... %s\n", (char *)sent);
    RONDO_END(self);
}

/* [run] */
int main(void)
{
    struct main_frame frame = { 0 };
    rondo_coroutine *coroutine = NULL;
    rondo_error *error = NULL;
    rondo_status status = rondo_coroutine_new("main", main_step, &frame, NULL,
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
