/* Asynchronous generators at random: who asks them what in which pass, cancelled and dropped at any time. */
#include "told.h"

#define MOST 60

static uint32_t seed;

static int roll(uint32_t *dice, int count)
{
    *dice = *dice * 1664525u + 1013904223u;
    return (int)((*dice >> 16) % (uint32_t)count);
}

static int choose(int count)
{
    return roll(&seed, count);
}

/* ---- words ------------------------------------------------------------------------------------ */

static char *words[2000];
static int word_count;

__attribute__((format(printf, 1, 2))) static void note(const char *format, ...)
{
    char text[200];
    int length = snprintf(text, sizeof text, "%d:", ticks);
    va_list args;

    va_start(args, format);
    vsnprintf(text + length, sizeof text - (size_t)length, format, args);
    va_end(args);
    words[word_count++] = strdup(text);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void say_words(int sorted)
{
    if (sorted)
        qsort(words, (size_t)word_count, sizeof *words, by_text);
    for (int i = 0; i < word_count; i++) {
        printf("%s%s", i > 0 ? " " : "", words[i]);
        free(words[i]);
    }
    putchar('\n');
    word_count = 0;
}

static const char *error_text(rondo_error *error)
{
    static char text[200];
    rondo_status status = rondo_error_get_status(error);
    const char *message = rondo_error_get_message(error);

    if (strcmp(message, rondo_status_message(status)) == 0)
        message = "";
    snprintf(text, sizeof text, "%s%s%s", class_of(status), *message ? ": " : "", message);
    return text;
}

/* ---- bodies ----------------------------------------------------------------------------------- */

struct body {
    RONDO_FRAME;
    char name[16];
    uint32_t dice;
    int count, what;
    rondo_async_generator *inner;
    rondo_error *error;
};

static void end_body(void *frame)
{
    struct body *self = frame;

    rondo_error_release(self->error);
    rondo_async_generator_release(self->inner);
}

static rondo_step raise_kept(rondo_coroutine *co, struct body *self)
{
    rondo_step step = rondo_coroutine_raise(co, self->error);

    rondo_error_release(self->error);
    self->error = NULL;
    return step;
}

static rondo_step raise_own(rondo_coroutine *co, struct body *self)
{
    switch (roll(&self->dice, 4)) {
    case 1: return rondo_coroutine_raise_status(co, RONDO_E_STOP_ASYNC_ITERATION, NULL);
    case 2: return rondo_coroutine_raise_status(co, RONDO_E_STOP_ITERATION, NULL);
    default: return rondo_coroutine_raise_new(co, RONDO_DOMAIN_USER, 1, "own");
    }
}

RONDO_STEP(body_step)
{
    struct body *self = frame;

    RONDO_BEGIN(self);
    note("%s(", self->name);
    for (;;) {
        self->what = roll(&self->dice, 12);
        if (self->what == 0)
            return rondo_coroutine_return(co, NULL, NULL);
        if (self->what == 1)
            return raise_own(co, self);
        if (self->what < 7) {
            self->count++;
            RONDO_TRY_YIELD_VALUE(self, (void *)(intptr_t)self->count, NULL);
            if (thrown == NULL && sent != NULL)
                note("%s<%d", self->name, (int)(intptr_t)sent);
        } else if (self->what < 9 && self->inner != NULL) {
            RONDO_TRY(self, rondo_coroutine_anext(co, self->inner));
            if (thrown == NULL)
                note("%s=%d", self->name, (int)(intptr_t)sent);
        } else {
            RONDO_TRY(self, rondo_coroutine_sleep(co, 0));
        }
        if (thrown == NULL)
            continue;
        note("%s!%s", self->name, class_of(rondo_error_get_status(thrown)));
        self->what = roll(&self->dice, 8);
        if (self->what == 0)
            continue;
        if (self->what == 1)
            return rondo_coroutine_return(co, NULL, NULL);
        if (self->what == 2)
            return rondo_coroutine_raise_new(co, RONDO_DOMAIN_USER, 1, "handling");
        if (self->what > 5)
            return rondo_coroutine_raise(co, thrown);
        self->error = thrown;
        rondo_error_retain(self->error);
        RONDO_SLEEP(self, 0);
        note("%s)", self->name);
        return raise_kept(co, self);
    }
    RONDO_END(self);
}

/* ---- who asks --------------------------------------------------------------------------------- */

static rondo_async_generator *generators[MOST];
static int generator_count;
static rondo_async_generator *inners[MOST]; /* held until the end of the round */
static int inner_count;
static rondo_task *tasks[MOST];
static int task_count;

struct asker {
    RONDO_FRAME;
    char name[16];
    rondo_coroutine *operation;
    rondo_async_generator *generator; /* held until the task is done, as in Python */
};

static struct asker askers[MOST];

static void forget(rondo_future *future)
{
    int i = 0;

    while ((rondo_future *)tasks[i] != future)
        i++;
    rondo_task_release(tasks[i]);
    memmove(tasks + i, tasks + i + 1, (size_t)(--task_count - i) * sizeof *tasks);
}

static void worker_done(rondo_future *future, void *arg)
{
    struct asker *asker = arg;

    forget(future);
    rondo_async_generator_release(asker->generator);
}

static void asked(rondo_future *future, void *arg)
{
    struct asker *asker = arg;
    rondo_error *error = NULL;
    void *value = NULL;
    rondo_status status = rondo_future_result(future, &value);

    if (status == RONDO_OK && value == NULL) {
        note("%s=None", asker->name);
    } else if (status == RONDO_OK) {
        note("%s=%d", asker->name, (int)(intptr_t)value);
    } else if (status == RONDO_E_CANCELLED) {
        note("%s~", asker->name);
    } else {
        MUST(rondo_future_exception(future, &error));
        note("%s!%s", asker->name, error_text(error));
        rondo_error_release(error);
    }
    forget(future);
    rondo_async_generator_release(asker->generator);
}

RONDO_STEP(worker_step)
{
    struct asker *self = frame;
    rondo_coroutine *operation;

    RONDO_BEGIN(self);
    operation = self->operation;
    self->operation = NULL;
    RONDO_TRY_AWAIT(self, operation);
    if (thrown != NULL && rondo_error_get_status(thrown) == RONDO_E_CANCELLED)
        note("%s~%s", self->name, rondo_error_get_message(thrown));
    else if (thrown != NULL)
        note("%s!%s", self->name, error_text(thrown));
    else if (sent == NULL)
        note("%s=None", self->name);
    else
        note("%s=%d", self->name, (int)(intptr_t)sent);
    RONDO_END(self);
}

static void end_worker(void *frame)
{
    struct asker *self = frame;

    rondo_coroutine_release(self->operation);
}

static rondo_coroutine *operation_on(rondo_async_generator *generator, int number)
{
    int what = choose(8);
    rondo_error *error;
    rondo_coroutine *made;

    if (what < 3)
        return CO(rondo_async_generator_anext, generator);
    if (what < 5)
        return CO(rondo_async_generator_asend, generator, what == 3 ? (void *)(intptr_t)number : NULL, NULL);
    if (what == 7)
        return CO(rondo_async_generator_aclose, generator);
    error = new_error("thrown");
    made = CO(rondo_async_generator_athrow, generator, error);
    rondo_error_release(error);
    return made;
}

static void ask(int number)
{
    rondo_async_generator *generator = generators[choose(generator_count)];
    rondo_coroutine *operation = operation_on(generator, number);
    struct asker *asker = &askers[number];
    rondo_task *task = NULL;

    *asker = (struct asker){ .operation = operation, .generator = generator };
    MUST(rondo_async_generator_retain(generator));
    if (choose(2)) {
        snprintf(asker->name, sizeof asker->name, "w%d", number);
        MUST(rondo_loop_spawn(loop, worker_step, asker, end_worker, NULL, &task));
        MUST(rondo_future_add_done_callback(rondo_task_as_future(task), worker_done, asker, NULL));
    } else {
        snprintf(asker->name, sizeof asker->name, "t%d", number);
        MUST(rondo_loop_create_task(loop, operation, NULL, &task));
        MUST(rondo_future_add_done_callback(rondo_task_as_future(task), asked, asker, NULL));
    }
    tasks[task_count++] = task;
}

static void make(int number)
{
    rondo_async_generator *inner = NULL, *made = NULL;
    struct body *body;
    void *frame = NULL;

    if (choose(3) == 0 && generator_count > 0)
        inner = generators[choose(generator_count)];
    MUST(rondo_async_generator_new_with_frame("body", body_step, sizeof *body, end_body, &frame, &made));
    body = frame;
    snprintf(body->name, sizeof body->name, "g%d", number);
    body->dice = (uint32_t)(number * 77 + choose(1000));
    body->inner = inner;
    MUST(rondo_async_generator_retain(inner));
    MUST(rondo_async_generator_retain(inner));
    inners[inner_count++] = inner;
    generators[generator_count++] = made;
}

static void act(int what, int number)
{
    char message[16];
    int i;

    if (what < 2) {
        make(number);
    } else if (what < 7 && generator_count > 0) {
        ask(number);
    } else if (what == 7 && task_count > 0) {
        snprintf(message, sizeof message, "m%d", number);
        rondo_task_cancel(tasks[choose(task_count)], message, NULL);
    } else if (what == 8 && generator_count > 0) {
        i = choose(generator_count);
        rondo_async_generator *dropped = generators[i];
        memmove(generators + i, generators + i + 1, (size_t)(--generator_count - i) * sizeof *generators);
        rondo_async_generator_release(dropped);
    }
}

static void reported(rondo_loop *of, rondo_exception_context *context, void *arg)
{
    (void)of, (void)arg;
    note("%s!%s", rondo_exception_context_get_asyncgen(context) != NULL ? "closing" : "report",
         error_text(rondo_exception_context_get_error(context)));
}

static int seeds = 40;

RONDO_STEP(live_step)
{
    static int number, what;

    SELF;
    start_ticks();
    for (number = 1; number < MOST; number++) {
        what = choose(13);
        if (what >= 9)
            RONDO_SLEEP(self, 0);
        else
            act(what, number);
    }
    for (self->i = 0; self->i < 20; self->i++)
        RONDO_SLEEP(self, 0);
    say_words(0);
    note("shutdown");
    RONDO_AWAIT(self, CO(rondo_loop_shutdown_asyncgens, loop));
    for (self->i = 0; self->i < 10; self->i++)
        RONDO_SLEEP(self, 0);
    stop_ticks();
    say_words(1);
    RONDO_END(self);
}

RONDO_STEP(passes_step)
{
    SELF;
    for (self->i = 0; self->i < 20; self->i++)
        RONDO_SLEEP(self, 0);
    RONDO_END(self);
}

static void no_log(int32_t level, const char *message, const rondo_log_field *fields, size_t field_count,
                   void *arg)
{
    (void)fields, (void)field_count;
    (void)level, (void)message, (void)arg;
}

int main(int argc, char **argv)
{
    loop = new_loop();
    MUST(rondo_loop_set_exception_handler(loop, reported, NULL, NULL));
    MUST(rondo_log_set_sink(no_log, NULL, NULL)); /* "was never awaited", "after shutdown_asyncgens()" */
    if (argc > 1)
        seeds = atoi(argv[1]);
    for (int round = 0; round < seeds; round++) {
        struct frame frame = { 0 };

        seed = (uint32_t)round;
        say("seed %d", round);
        run(live_step, &frame);
        while (generator_count > 0)
            rondo_async_generator_release(generators[--generator_count]);
        while (inner_count > 0)
            rondo_async_generator_release(inners[--inner_count]);
        frame = (struct frame){ 0 };
        run(passes_step, &frame);
        while (word_count > 0) /* of what is no longer compared */
            free(words[--word_count]);
    }
    return finish();
}
