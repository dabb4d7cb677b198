/* staggered_race(): who starts when and who wins, with every kind of delay (G-36, G-37). */
#include "parity.h"

static rondo_future *future;
static const char *whats[4];
static char words[4][8];
static size_t count;

struct contestant {
    RONDO_FRAME;
    int index, i;
    char value[16];
};

static void drop_contestant(void *frame)
{
    (void)frame; /* its value is read after it */
}

RONDO_STEP(contend)
{
    struct contestant *self = frame;
    char message[8];

    RONDO_BEGIN(self);
    say("+%d", self->index);
    for (self->i = 0; self->i < atoi(whats[self->index] + 1); self->i++) {
        RONDO_TRY(self, rondo_coroutine_yield(co, NULL));
        if (thrown != NULL)
            goto cancelled;
    }
    if (whats[self->index][0] == 'w')
        RONDO_TRY_AWAIT(self, future);
    if (thrown == NULL && whats[self->index][0] == 't') {
        set(future, "set");
        RONDO_TRY(self, rondo_coroutine_sleep(co, 60000 * MS));
    }
    if (thrown != NULL) {
    cancelled:
        say("-%d", self->index);
        return rondo_coroutine_raise(co, thrown);
    }
    snprintf(message, sizeof message, "%d", self->index);
    if (whats[self->index][0] == 'f')
        return rondo_coroutine_raise_new(co, RONDO_DOMAIN_USER, 1, message);
    snprintf(self->value, sizeof self->value, "value %d", self->index);
    return rondo_coroutine_return(co, self->value, NULL);
    RONDO_END(self);
}

static rondo_status make(size_t index, void *arg, rondo_coroutine **out)
{
    static struct contestant contestants[4];

    (void)arg;
    contestants[index] = (struct contestant){ .index = (int)index };
    return rondo_coroutine_new("contend", contend, &contestants[index], drop_contestant, out);
}

static rondo_coroutine *race(int64_t delay, const char *a, const char *b, const char *c, const char *d)
{
    const char *all[] = { a, b, c, d };
    rondo_coroutine *made = NULL;

    rondo_future_release(future);
    future = new_future();
    for (count = 0; count < 4 && all[count] != NULL; count++) {
        snprintf(words[count], sizeof words[count], "%s", all[count]);
        whats[count] = words[count];
    }
    MUST(rondo_staggered_race(count, delay, make, NULL, NULL, &made));
    return made;
}

static void tell(const rondo_race_result *result)
{
    char line[64] = "", label[8];

    for (size_t i = 0; i < count; i++)
        sprintf(line + strlen(line), "%s%s", i > 0 ? " " : "", whats[i]);
    if (result->winner < 0)
        say("%s: None of None", line);
    else
        say("%s: %s of %d", line, text(result->value), (int)result->winner);
    for (size_t i = 0; i < result->started; i++) {
        snprintf(label, sizeof label, "%d", (int)i);
        if (result->errors[i] == NULL)
            say("%s: None", label);
        else
            say_error(label, result->errors[i]);
    }
}

RONDO_STEP(main_step)
{
    static int64_t delay;
    char word[16];

    SELF;
    RONDO_AWAIT(self, race(RONDO_NEVER, NULL, NULL, NULL, NULL));
    tell(sent);
    RONDO_AWAIT(self, race(RONDO_NEVER, "s", "s", NULL, NULL));
    tell(sent);
    RONDO_AWAIT(self, race(RONDO_NEVER, "f", "f", "s", "s"));
    tell(sent);
    RONDO_AWAIT(self, race(60000 * MS, "f", "f3", "s5", "s"));
    tell(sent);
    RONDO_AWAIT(self, race(RONDO_NEVER, "f", "f", "f", NULL));
    tell(sent);
    RONDO_AWAIT(self, race(MS, "w", "s", NULL, NULL));
    tell(sent);
    RONDO_AWAIT(self, race(MS, "f2", "w", "s", NULL));
    tell(sent);
    RONDO_AWAIT(self, race(MS, "w", "w", "w", "t"));
    tell(sent);
    for (delay = 0; delay >= -1; delay--)
        for (self->i = 0; self->i < 9; self->i++) {
            snprintf(word, sizeof word, "s%d", self->i);
            RONDO_AWAIT(self, race(delay, word, "s", "s", NULL));
            tell(sent);
            snprintf(word, sizeof word, "f%d", self->i);
            RONDO_AWAIT(self, race(delay, word, "w", "s1", "s"));
            tell(sent);
        }
    RONDO_END(self);
}

int main(void)
{
    static struct frame frame;

    loop = new_loop();
    run(main_step, &frame);
    MUST(rondo_future_release(future));
    return finish();
}
