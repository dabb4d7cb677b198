/*
 * misuse.c - every public function against NULL, stale, foreign, invented and forked handles, and
 * against the wrong thread. The table is the headers themselves (kit/api.h): F54, F57, F77, F79.
 */
#define _GNU_SOURCE
#include "api.h"

#include <dlfcn.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* ---- one of everything ----------------------------------------------------------------------- */

struct world {
    rondo_loop *loop;
    rondo_handle *handle;
    rondo_future *future;
    rondo_task *task;
    rondo_coroutine *coroutine;
    rondo_async_generator *generator;
    rondo_thread_future *thread_future;
    rondo_error *error;
    rondo_context *context;
    rondo_contextvar *variable;
    rondo_exception_context *report;
    rondo_lock *lock;
    rondo_event *event;
    rondo_condition *condition;
    rondo_semaphore *semaphore;
    rondo_barrier *barrier;
    rondo_queue *queue;
    rondo_timeout *timeout;
    rondo_task_group *group;
    rondo_cancel_scope *scope;
    rondo_as_completed *completed;
    rondo_executor *executor; /* a custom one, which only keeps what it gets */
    rondo_job *job;
    rondo_runner *runner;
    rondo_thread_queue *thread_queue;
    rondo_thread_event *thread_event;
    rondo_signature *signature;
    rondo_completer *completer;
    rondo_context_token *token;
    rondo_call_graph *graph;
    int fds[2];
};

static rondo_step sleep_long(rondo_coroutine *co, void *frame, void *sent, rondo_error *thrown)
{
    (void)frame;
    (void)sent;
    if (thrown != NULL)
        return rondo_coroutine_raise(co, thrown);
    return rondo_coroutine_sleep(co, INT64_C(3600000000000));
}

static void ignore_report(rondo_loop *loop, rondo_exception_context *context, void *arg)
{
    (void)loop;
    (void)context;
    (void)arg;
}

/* A custom executor's submit: the last job it got, by its self. The others are abandoned there. */
static rondo_status keep_job(void *self, rondo_job *job, int32_t lane)
{
    rondo_job **kept = self;
    (void)lane;
    if (*kept != NULL)
        return rondo_job_abandon(job);
    *kept = job;
    return RONDO_OK;
}

static rondo_status nop_job(rondo_job *job, void *arg)
{
    (void)job;
    (void)arg;
    return RONDO_OK;
}

static void make_executor(struct world *world)
{
    rondo_executor_vtable vtable = { .size = sizeof vtable, .submit = keep_job };
    rondo_job **kept = calloc(1, sizeof *kept);
    CHECK_OK(rondo_executor_new_custom(&vtable, kept, free, &world->executor));
    CHECK_OK(rondo_loop_run_in_executor(world->loop, world->executor, NULL, nop_job, NULL, NULL, NULL));
    world->job = *kept;
    CHECK(world->job != NULL);
}

static struct world make_world(void)
{
    struct world world = { .loop = kit_loop() };
    CHECK_OK(rondo_loop_set_exception_handler(world.loop, ignore_report, NULL, NULL));
    CHECK_OK(rondo_loop_call_later(world.loop, INT64_C(3600000000000), kit_no_call, NULL, NULL,
                                   &world.handle));
    CHECK_OK(rondo_future_new(world.loop, &world.future));
    CHECK_OK(rondo_loop_spawn(world.loop, sleep_long, NULL, NULL, NULL, &world.task));
    CHECK_OK(rondo_coroutine_new("c", sleep_long, NULL, NULL, &world.coroutine));
    CHECK_OK(rondo_async_generator_new("g", sleep_long, NULL, NULL, &world.generator));
    CHECK_OK(rondo_thread_future_new(&world.thread_future));
    world.error = kit_error(1, "misuse");
    CHECK_OK(rondo_context_new(&world.context));
    CHECK_OK(rondo_contextvar_new("v", NULL, &world.variable));
    CHECK_OK(rondo_exception_context_new("misuse", &world.report));
    CHECK_OK(rondo_lock_new(world.loop, &world.lock));
    CHECK_OK(rondo_event_new(world.loop, &world.event));
    CHECK_OK(rondo_condition_new(world.loop, NULL, &world.condition));
    CHECK_OK(rondo_semaphore_new(world.loop, 1, 0, &world.semaphore));
    CHECK_OK(rondo_barrier_new(world.loop, 2, &world.barrier));
    CHECK_OK(rondo_queue_new(world.loop, 0, &world.queue));
    CHECK_OK(rondo_timeout_new(world.loop, RONDO_NEVER, &world.timeout));
    CHECK_OK(rondo_task_group_new(world.loop, &world.group));
    CHECK_OK(rondo_cancel_scope_new(world.loop, NULL, &world.scope));
    CHECK_OK(rondo_as_completed_new(world.loop, (rondo_awaitable *[]){ world.future }, 1, RONDO_NEVER,
                                    &world.completed));
    make_executor(&world);
    CHECK_OK(rondo_contextvar_set_with_token(world.variable, NULL, NULL, &world.token));
    CHECK_OK(rondo_contextvar_reset(world.variable, world.token));
    CHECK_OK(rondo_runner_new(NULL, &world.runner));
    CHECK_OK(rondo_thread_queue_new(0, &world.thread_queue));
    CHECK_OK(rondo_thread_event_new(&world.thread_event));
    CHECK_OK(rondo_signature_new("void(ptr)", &world.signature));
    CHECK_OK(rondo_thread_queue_completer(world.thread_queue, "void(ptr,i32)", NULL, NULL, NULL,
                                          &world.completer));
    CHECK_OK(rondo_capture_call_graph(world.task, 0, RONDO_CALL_GRAPH_NO_LIMIT, &world.graph));
    kit_socketpair(world.fds);
    return world;
}

/* Releases may fail: the function under test may have consumed the thing. */
static void end_world(struct world *world)
{
    rondo_coroutine_release(world->coroutine);
    rondo_async_generator_release(world->generator);
    rondo_future_release(world->future);
    rondo_task_release(world->task);
    rondo_handle_release(world->handle);
    rondo_thread_future_release(world->thread_future);
    rondo_context_release(world->context);
    rondo_contextvar_release(world->variable);
    rondo_exception_context_release(world->report);
    rondo_lock_release(world->lock);
    rondo_event_release(world->event);
    rondo_condition_release(world->condition);
    rondo_semaphore_release(world->semaphore);
    rondo_barrier_release(world->barrier);
    rondo_queue_release(world->queue);
    rondo_timeout_release(world->timeout);
    rondo_task_group_release(world->group);
    rondo_cancel_scope_release(world->scope);
    rondo_as_completed_release(world->completed);
    rondo_job_abandon(world->job);
    rondo_executor_release(world->executor);
    /* A job that ends after the loop would be settled later than the balance. */
    rondo_executor *made = NULL;
    if (rondo_loop_get_default_executor(world->loop, &made) == RONDO_OK && made != NULL) {
        CHECK_OK(rondo_executor_shutdown(made, 0, RONDO_NEVER, NULL));
        CHECK_OK(rondo_executor_release(made));
    }
    rondo_context_token_release(world->token);
    rondo_runner_close(world->runner);
    rondo_runner_release(world->runner);
    rondo_completer_release(world->completer);
    rondo_signature_release(world->signature);
    rondo_thread_queue_release(world->thread_queue);
    rondo_thread_event_release(world->thread_event);
    rondo_call_graph_release(world->graph);
    rondo_loop_close(world->loop, NULL);
    rondo_loop_release(world->loop);
    rondo_error_release(world->error);
    close(world->fds[0]);
    close(world->fds[1]);
}

/* The handle of the world that fits a type; *other is one that does not. */
static void *object_of(const struct world *world, const char *type, void **other)
{
    const struct {
        const char *name;
        void *object;
    } objects[] = {
        { "rondo_loop *", world->loop },           { "rondo_handle *", world->handle },
        { "rondo_future *", world->future },       { "rondo_task *", world->task },
        { "rondo_coroutine *", world->coroutine }, { "rondo_thread_future *", world->thread_future },
        { "rondo_error *", world->error },         { "rondo_context *", world->context },
        { "rondo_contextvar *", world->variable }, { "rondo_exception_context *", world->report },
        { "rondo_awaitable *", world->future },    { "rondo_lock *", world->lock },
        { "rondo_event *", world->event },         { "rondo_condition *", world->condition },
        { "rondo_semaphore *", world->semaphore }, { "rondo_barrier *", world->barrier },
        { "rondo_queue *", world->queue },         { "rondo_async_generator *", world->generator },
        { "rondo_timeout *", world->timeout },     { "rondo_cancel_scope *", world->scope },
        { "rondo_object *", world->future },
        { "rondo_task_group *", world->group },    { "rondo_as_completed *", world->completed },
        { "rondo_executor *", world->executor },   { "rondo_job *", world->job },
        { "rondo_runner *", world->runner },       { "rondo_thread_queue *", world->thread_queue },
        { "rondo_thread_event *", world->thread_event },
        { "rondo_signature *", world->signature },  { "rondo_completer *", world->completer },
        { "rondo_context_token *", world->token },
        { "rondo_call_graph *", world->graph },
    };
    if (strncmp(type, "const ", 6) == 0)
        type += 6;
    *other = strcmp(type, "rondo_error *") == 0 ? (void *)world->loop : (void *)world->error;
    for (size_t i = 0; i < sizeof objects / sizeof *objects; i++)
        if (strcmp(type, objects[i].name) == 0)
            return objects[i].object;
    kit_fail(__FILE__, __LINE__, "no object for the type %s", type);
}

/* ---- arguments that are right ---------------------------------------------------------------- */

static atomic_int drops;

static void count_drop(void *arg)
{
    (void)arg;
    atomic_fetch_add(&drops, 1);
}

static void nop_fd(int32_t fd, void *arg) { (void)fd; (void)arg; }
static void nop_loop(rondo_loop *loop, void *arg) { (void)loop; (void)arg; }
static void nop_generator(rondo_loop *loop, rondo_async_generator *g, void *arg) { (void)loop; (void)g; (void)arg; }
static void nop_future(rondo_future *future, void *arg) { (void)future; (void)arg; }
static void nop_thread(rondo_thread_future *future, void *arg) { (void)future; (void)arg; }
static void nop_log(int32_t level, const char *text, const rondo_log_field *fields, size_t count, void *arg)
{
    (void)level; (void)text; (void)fields; (void)count; (void)arg;
}
static void nop_call(void *arg) { (void)arg; }
static int32_t nop_predicate(void *arg) { (void)arg; return 1; }
static int32_t nop_compare(const void *a, const void *b, void *arg) { (void)a; (void)b; (void)arg; return 0; }
static rondo_status nop_race(size_t i, void *arg, rondo_coroutine **out) { (void)i; (void)arg; (void)out; return -EIO; }

static uint32_t nop_choice(rondo_loop *loop, int32_t kind, uint32_t count, void *arg)
{
    (void)loop;
    (void)kind;
    (void)count;
    (void)arg;
    return 0;
}

static rondo_status nop_factory(rondo_loop *loop, rondo_coroutine *coroutine,
                                const rondo_task_options *options, void *arg, rondo_task **out_task)
{
    (void)arg;
    return rondo_task_new(loop, coroutine, options, out_task);
}

static uint64_t callback_of(const char *type)
{
    if (strcmp(type, "rondo_choice_fn") == 0)
        return (uintptr_t)nop_choice;
    if (strcmp(type, "rondo_task_factory_fn") == 0)
        return (uintptr_t)nop_factory;
    if (strcmp(type, "rondo_fd_fn") == 0)
        return (uintptr_t)nop_fd;
    if (strcmp(type, "rondo_loop_fn") == 0)
        return (uintptr_t)nop_loop;
    if (strcmp(type, "rondo_async_generator_fn") == 0)
        return (uintptr_t)nop_generator;
    if (strcmp(type, "rondo_future_fn") == 0)
        return (uintptr_t)nop_future;
    if (strcmp(type, "rondo_thread_future_fn") == 0)
        return (uintptr_t)nop_thread;
    if (strcmp(type, "rondo_log_fn") == 0)
        return (uintptr_t)nop_log;
    if (strcmp(type, "rondo_exception_handler_fn") == 0)
        return (uintptr_t)ignore_report;
    if (strcmp(type, "rondo_step_fn") == 0)
        return (uintptr_t)sleep_long;
    if (strcmp(type, "rondo_predicate_fn") == 0)
        return (uintptr_t)nop_predicate;
    if (strcmp(type, "rondo_compare_fn") == 0)
        return (uintptr_t)nop_compare;
    if (strcmp(type, "rondo_job_fn") == 0)
        return (uintptr_t)nop_job;
    if (strcmp(type, "rondo_race_fn") == 0)
        return (uintptr_t)nop_race;
    if (strcmp(type, "rondo_any_fn") == 0)
        return (uintptr_t)nop_call;
    CHECK_EQ_STR(type, "rondo_call_fn");
    return (uintptr_t)nop_call;
}

/* Memory that arguments point to; each call starts with it zeroed. */
static struct {
    uint64_t out[API_PARAMS][8];
    char buffer[256];
    struct sockaddr_in address;
    uint32_t address_size;
    void *array[1];
    rondo_close_report report;
    char cell;
} memory;

static uint64_t value_of(const struct api_param *param, const struct world *world)
{
    if (strcmp(param->name, "fd") == 0)
        return (uint32_t)world->fds[0];
    if (strcmp(param->name, "domain") == 0)
        return RONDO_DOMAIN_USER;
    if (strcmp(param->name, "level") == 0)
        return RONDO_LOG_INFO;
    if (strcmp(param->name, "size") == 0)
        return sizeof memory.buffer;
    if (strcmp(param->name, "address_size") == 0)
        return sizeof memory.address;
    if (strcmp(param->name, "count") == 0 || strcmp(param->name, "code") == 0 ||
        strcmp(param->name, "parties") == 0)
        return 1;
    if (strcmp(param->name, "status") == 0)
        return (uint32_t)-EIO;
    if (strcmp(param->name, "frame_size") == 0)
        return 16;
    if (strcmp(param->name, "delay_ns") == 0)
        return 1000000000;
    return 0; /* flags, indexes, limits, switches, capacities */
}

static uint64_t pointer_of(const struct api_param *param, const struct world *world)
{
    static const rondo_executor_vtable vtable = { .size = sizeof vtable, .submit = keep_job };
    if (strstr(param->type, "_vtable *") != NULL)
        return (uintptr_t)&vtable;
    static const rondo_process_call call = { .size = sizeof call, .library = "/no/library", .symbol = "none" };
    if (strstr(param->type, "_process_call *") != NULL)
        return (uintptr_t)&call;
    if (strstr(param->type, "_options *") != NULL || strstr(param->type, "rondo_task **") != NULL)
        return 0;
    if (strstr(param->type, "sockaddr") != NULL)
        return (uintptr_t)&memory.address;
    if (strcmp(param->type, "uint32_t *") == 0)
        return (uintptr_t)&memory.address_size;
    if (strcmp(param->name, "signature") == 0)
        return (uintptr_t)"void()";
    if (strcmp(param->type, "const char *") == 0)
        return (uintptr_t)"text";
    if (strcmp(param->type, "const void *const *") == 0) {
        memory.array[0] = memory.buffer;
        return (uintptr_t)memory.array;
    }
    if (strstr(param->type, "*const *") != NULL) {
        memory.array[0] = strstr(param->type, "rondo_error") != NULL ? (void *)world->error
                                                                       : (void *)world->future;
        return (uintptr_t)memory.array;
    }
    return (uintptr_t)memory.buffer;
}

static void good_arguments(const struct api_function *function, const struct world *world,
                           uint64_t *args)
{
    void *other;
    memset(&memory, 0, sizeof memory);
    memory.address.sin_family = AF_INET;
    memory.address_size = sizeof memory.address;
    memory.report.size = sizeof memory.report;
    memset(args, 0, API_PARAMS * sizeof *args);
    for (int i = 0; i < function->count; i++) {
        const struct api_param *param = &function->params[i];
        switch (param->kind) {
        case API_VALUE: args[i] = value_of(param, world); break;
        case API_OBJECT: args[i] = (uintptr_t)object_of(world, param->type, &other); break;
        case API_OUT:
            args[i] = strstr(param->type, "close_report") ? (uintptr_t)&memory.report
                                                           : (uintptr_t)memory.out[i];
            break;
        case API_POINTER: args[i] = pointer_of(param, world); break;
        case API_FN: args[i] = callback_of(param->type); break;
        case API_DROP: args[i] = (uintptr_t)count_drop; break;
        case API_ARG: args[i] = (uintptr_t)&memory.cell; break;
        }
    }
}

/* ---- what is known about single functions ---------------------------------------------------- */

static bool is_named(const struct api_function *function, const char *const *names)
{
    for (; *names != NULL; names++)
        if (strcmp(function->name, *names) == 0)
            return true;
    return false;
}

/* Not to be called with arguments that are all right: they end the process or wait for ever. */
static const char *const dangerous[] = { "rondo_debug_trap", "rondo_run", "rondo_loop_run_forever",
                                         "rondo_loop_run_until_complete", "rondo_runner_run",
                                         "rondo_runner_run_in_context", NULL };
/* Actions of a running step: outside of one they have no status to answer with. */
static bool is_action(const struct api_function *function)
{
    return strcmp(function->result, "rondo_step") == 0;
}

static bool is_status(const struct api_function *function)
{
    return strcmp(function->result, "rondo_status") == 0;
}

static bool ends_with(const char *text, const char *end)
{
    size_t size = strlen(text), tail = strlen(end);
    return size >= tail && strcmp(text + size - tail, end) == 0;
}

static bool null_is_allowed(const struct api_function *function, const struct api_param *param)
{
    static const char *const names[] = { "rondo_set_event_loop", "rondo_current_task",
                                         "rondo_all_tasks", "rondo_current_deadline", "rondo_current_time_left",
                                         "rondo_capture_call_graph", "rondo_format_call_graph",
                                         "rondo_print_call_graph", NULL };
    return ends_with(function->name, "_retain") || ends_with(function->name, "_release") ||
           is_named(function, names) || strcmp(param->name, "reason") == 0 ||
           strcmp(param->name, "cause") == 0 || strcmp(param->name, "thrown") == 0 ||
           (strcmp(param->name, "executor") == 0 && strncmp(function->name, "rondo_loop_run_in_executor", 26) == 0) ||
           (strcmp(function->name, "rondo_loop_getaddrinfo") == 0 &&
            (strcmp(param->name, "host") == 0 || strcmp(param->name, "service") == 0)) ||
           strcmp(function->name, "rondo_addrinfo_free") == 0 ||
           (strcmp(param->name, "lock") == 0 && strcmp(function->name, "rondo_condition_new") == 0) ||
           (strcmp(param->name, "context") == 0 && strstr(function->name, "_in_context") != NULL);
}

/* Does the function take over drop's argument in every case? */
static int drop_index(const struct api_function *function)
{
    for (int i = 0; i < function->count; i++)
        if (function->params[i].kind == API_DROP &&
            strstr(function->name, "_new_with_frame") == NULL)
            return i;
    return -1;
}

/* What an answer without a status says about a thing that is none. */
static void check_empty(const struct api_function *function, uint64_t result)
{
    if (strcmp(function->result, "int32_t") == 0) {
        if ((int32_t)result != (strcmp(function->name, "rondo_loop_is_closed") == 0))
            kit_fail(__FILE__, __LINE__, "%s() of no object is %d", function->name, (int32_t)result);
    } else if (strcmp(function->result, "size_t") == 0) {
        CHECK_EQ_INT(result, 0);
    } else if (strcmp(function->result, "const char *") == 0) {
        const char *text = (const char *)(uintptr_t)result;
        if (text != NULL && text[0] != '\0')
            kit_fail(__FILE__, __LINE__, "%s() of no object is \"%s\"", function->name, text);
    } else if (strchr(function->result, '*') != NULL && result != 0) {
        kit_fail(__FILE__, __LINE__, "%s() of no object is a pointer", function->name);
    }
}

static int trouble;

static void complain(const struct api_function *function, int index, const char *what,
                     rondo_status got, const char *expected)
{
    kit_note("%s(%s: %s) is %s (%d), not %s", function->name, function->params[index].name, what,
             rondo_status_name(got), got, expected);
    trouble++;
}

static void check_outputs_untouched(const struct api_function *function)
{
    for (int i = 0; i < function->count; i++)
        if (function->params[i].kind == API_OUT && strstr(function->params[i].type, "report") == NULL &&
            memory.out[i][0] != 0) {
            kit_note("%s() failed and wrote %s", function->name, function->params[i].name);
            trouble++;
        }
}

/* ---- bad handles ----------------------------------------------------------------------------- */

enum bad { BAD_NULL, BAD_STALE, BAD_TYPE, BAD_SMALL, BAD_MAX, BAD_RANDOM, BAD_COUNT };
static const char *const bad_names[] = { "NULL", "stale", "other type", "small number", "all bits",
                                         "random" };

static uint64_t next_random(void)
{
    static uint64_t seed = 88172645463325252u;
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

static uint64_t bad_handle(enum bad bad, const struct world *world, const struct world *dead,
                           const char *type)
{
    void *other;
    switch (bad) {
    case BAD_NULL: return 0;
    case BAD_STALE: return (uintptr_t)object_of(dead, type, &other);
    case BAD_TYPE: object_of(world, type, &other); return (uintptr_t)other;
    case BAD_SMALL: return 1 + next_random() % 4096;
    case BAD_MAX: return UINT64_MAX;
    default: return next_random();
    }
}

static void expect_refused(const struct api_function *function, int index, enum bad bad,
                           uint64_t result)
{
    rondo_status status = (rondo_status)result;
    if (is_action(function))
        return; /* it has no status: not crashing is all it can do */
    if (!is_status(function)) {
        check_empty(function, result);
        return;
    }
    if (strcmp(function->name, "rondo_error_get_status") == 0)
        return;
    bool fits = bad == BAD_NULL    ? status == -EINVAL
                : bad == BAD_STALE ? status == RONDO_E_STALE_HANDLE
                : bad == BAD_TYPE  ? status == RONDO_E_BAD_HANDLE || status == RONDO_E_TYPE
                                   : status == RONDO_E_BAD_HANDLE || status == RONDO_E_STALE_HANDLE ||
                                        status == RONDO_E_TYPE;
    if (!fits)
        complain(function, index, bad_names[bad], status,
                 bad == BAD_NULL ? "-EINVAL" : "a handle error");
    if (status != RONDO_OK)
        check_outputs_untouched(function);
}

static void try_bad_handle(const struct api_function *function, int index, enum bad bad,
                           const struct world *dead)
{
    struct world world = make_world();
    uint64_t args[API_PARAMS];
    good_arguments(function, &world, args);
    args[index] = bad_handle(bad, &world, dead, function->params[index].type);
    atomic_store(&drops, 0);
    expect_refused(function, index, bad, api_call(function, args));
    if (drop_index(function) >= 0 && !is_action(function) && atomic_load(&drops) != 1) {
        kit_note("%s(%s: %s) dropped its argument %d times, not once", function->name,
                 function->params[index].name, bad_names[bad], atomic_load(&drops));
        trouble++;
    }
    end_world(&world);
}

static void check_handles_of(const struct api_function *function, const struct world *dead)
{
    for (int i = 0; i < function->count; i++) {
        if (function->params[i].kind != API_OBJECT)
            continue;
        for (int bad = BAD_NULL; bad < BAD_COUNT; bad++) {
            if (bad == BAD_NULL && null_is_allowed(function, &function->params[i]))
                continue;
            int rounds = bad >= BAD_SMALL ? kit_rounds(20) : 1;
            for (int round = 0; round < rounds; round++)
                try_bad_handle(function, i, (enum bad)bad, dead);
        }
    }
}

/* F77: NULL, stale, of another type, small numbers and random 64-bit values, for every function. */
KIT_TEST_WITHIN(bad_handles_everywhere, 60)
{
    int count = api_load(), checked = 0;
    struct world dead = make_world();
    kit_catch_log();
    end_world(&dead);
    trouble = 0;
    for (int i = 0; i < count; i++) {
        check_handles_of(&api_functions[i], &dead);
        checked++;
    }
    kit_note("functions=%d", checked);
    CHECK_EQ_INT(trouble, 0);
}

/* F77: one release too many, for every kind of object. */
KIT_TEST(double_release_everywhere)
{
    int count = api_load(), checked = 0;
    kit_catch_log();
    for (int i = 0; i < count; i++) {
        const struct api_function *function = &api_functions[i];
        uint64_t args[API_PARAMS];
        if (!ends_with(function->name, "_release"))
            continue;
        struct world world = make_world();
        good_arguments(function, &world, args);
        CHECK_OK((rondo_status)api_call(function, args));
        rondo_status status = (rondo_status)api_call(function, args);
        if (status != RONDO_E_STALE_HANDLE)
            kit_fail(__FILE__, __LINE__, "the second %s() is %s", function->name,
                     rondo_status_name(status));
        args[0] = 0;
        CHECK_OK((rondo_status)api_call(function, args));
        end_world(&world);
        checked++;
    }
    CHECK(checked >= 9);
}

/* ---- NULL for what is no handle -------------------------------------------------------------- */

static bool null_callback_is_allowed(const struct api_function *function)
{
    static const char *const names[] = { "rondo_loop_set_exception_handler",
                                         "rondo_loop_set_poll_hooks", "rondo_loop_set_choice", "rondo_log_set_sink",
                                         "rondo_loop_set_task_factory", "rondo_log_set_queued_sink",
                                         "rondo_loop_set_asyncgen_hooks",
                                         "rondo_job_set_unblock", NULL };
    return is_named(function, names);
}

/* Give back what a call that worked handed out: the contract line names the release function. */
static void release_outputs(const struct api_function *function)
{
    for (int i = 0; i < function->count; i++) {
        char mark[64], release[64];
        void *out = (void *)(uintptr_t)memory.out[i][0];
        snprintf(mark, sizeof mark, "owns:%s(", function->params[i].name);
        const char *owns = strstr(function->contract, mark);
        if (out == NULL || owns == NULL || sscanf(owns + strlen(mark), "%63[a-z_]", release) != 1)
            continue;
        rondo_status (*call)(void *) = (rondo_status(*)(void *))(uintptr_t)dlsym(RTLD_DEFAULT, release);
        if (call != NULL)
            CHECK_OK(call(out));
    }
}

static void check_null_of(const struct api_function *function, int index)
{
    /* NULL is a value like any other there, and would stay in this thread's context. */
    if (strncmp(function->name, "rondo_contextvar_set", 20) == 0)
        return;
    struct world world = make_world();
    uint64_t args[API_PARAMS];
    good_arguments(function, &world, args);
    args[index] = 0;
    atomic_store(&drops, 0);
    rondo_status status = (rondo_status)api_call(function, args);
    bool strict = function->params[index].kind == API_FN && !null_callback_is_allowed(function);
    if (strict && is_status(function) && status != -EINVAL)
        complain(function, index, "NULL", status, "-EINVAL");
    if (status == -EINVAL && is_status(function)) {
        check_outputs_untouched(function);
        if (drop_index(function) >= 0 && atomic_load(&drops) != 1) {
            kit_note("%s(%s: NULL) dropped its argument %d times", function->name,
                     function->params[index].name, atomic_load(&drops));
            trouble++;
        }
    }
    if (status == RONDO_OK && is_status(function))
        release_outputs(function);
    end_world(&world);
}

/* F79, F50: NULL for every callback, buffer, string, and result. */
KIT_TEST_WITHIN(null_pointers_everywhere, 60)
{
    int count = api_load();
    kit_catch_log();
    trouble = 0;
    for (int i = 0; i < count; i++) {
        const struct api_function *function = &api_functions[i];
        if (is_named(function, dangerous) || is_action(function))
            continue;
        for (int p = 0; p < function->count; p++) {
            enum api_kind kind = function->params[p].kind;
            if (kind == API_OUT || kind == API_POINTER || kind == API_FN || kind == API_DROP)
                check_null_of(function, p);
        }
        kit_catch_log(); /* rondo_log_set_sink() was among them */
    }
    rondo_log_set_level(RONDO_LOG_INFO);
    CHECK_OK(rondo_set_event_loop(NULL));
    CHECK_EQ_INT(trouble, 0);
}

/* ---- the wrong thread ------------------------------------------------------------------------ */

struct elsewhere {
    struct world world;
    int checked;
};

static bool is_thread_loop(const struct api_function *function)
{
    return strncmp(function->contract, "thread:loop", 11) == 0;
}

/* Only what names a loop through a handle can be on the wrong thread. */
static bool has_loop(const struct api_function *function)
{
    static const char *const bound[] = { "rondo_loop *",      "rondo_handle *",    "rondo_future *",
                                         "rondo_task *",      "rondo_lock *",      "rondo_event *",
                                         "rondo_condition *", "rondo_semaphore *", "rondo_barrier *",
                                         "rondo_queue *",     "rondo_executor *" };
    for (size_t i = 0; i < sizeof bound / sizeof *bound; i++)
        if (function->count > 0 && strstr(function->params[0].type, bound[i]) != NULL)
            return true;
    return false;
}

static void call_from_elsewhere(void *arg)
{
    struct elsewhere *elsewhere = arg;
    for (int i = 0; api_functions[i].name[0] != '\0'; i++) {
        const struct api_function *function = &api_functions[i];
        uint64_t args[API_PARAMS];
        if (!is_thread_loop(function) || !has_loop(function) || is_action(function))
            continue;
        rondo_coroutine *coroutine = NULL;
        CHECK_OK(rondo_coroutine_new("c", sleep_long, NULL, NULL, &coroutine));
        elsewhere->world.coroutine = coroutine;
        good_arguments(function, &elsewhere->world, args);
        atomic_store(&drops, 0);
        uint64_t result = api_call(function, args);
        if (!is_status(function))
            check_empty(function, result);
        else if ((rondo_status)result != RONDO_E_WRONG_THREAD)
            complain(function, 0, "wrong thread", (rondo_status)result, "RONDO_E_WRONG_THREAD");
        if (drop_index(function) >= 0 && atomic_load(&drops) != 1) {
            kit_note("%s() on the wrong thread dropped its argument %d times", function->name,
                     atomic_load(&drops));
            trouble++;
        }
        rondo_coroutine_release(coroutine);
        elsewhere->checked++;
    }
}

/* F54: every thread:loop function says so on another thread, and changes nothing. */
KIT_TEST(wrong_thread_everywhere)
{
    struct elsewhere elsewhere = { .world = make_world() };
    rondo_coroutine *coroutine = elsewhere.world.coroutine;
    api_load();
    kit_catch_log();
    trouble = 0;
    kit_in_thread(call_from_elsewhere, &elsewhere);
    elsewhere.world.coroutine = coroutine;
    CHECK(elsewhere.checked > 50);
    kit_note("functions=%d", elsewhere.checked);
    CHECK_EQ_INT(rondo_future_is_done(elsewhere.world.future), 0);
    CHECK_EQ_INT(rondo_handle_is_cancelled(elsewhere.world.handle), 0);
    CHECK_EQ_INT(rondo_loop_is_closed(elsewhere.world.loop), 0);
    end_world(&elsewhere.world);
    CHECK_EQ_INT(trouble, 0);
}

/* ---- after fork ------------------------------------------------------------------------------ */

/* What an inherited loop still answers: references, and questions without a status. */
static bool is_free_after_fork(const struct api_function *function)
{
    static const char *const names[] = { "rondo_loop_reset_after_fork", "rondo_set_event_loop",
                                         "rondo_get_event_loop",
                                         "rondo_loop_close", NULL }; /* for close see fork.c */
    return ends_with(function->name, "_retain") || ends_with(function->name, "_release") ||
           is_named(function, names) || !is_status(function) || is_action(function);
}

static int check_child(struct world *world)
{
    int checked = 0;
    for (int i = 0; api_functions[i].name[0] != '\0'; i++) {
        const struct api_function *function = &api_functions[i];
        uint64_t args[API_PARAMS];
        if (is_free_after_fork(function) || !has_loop(function))
            continue;
        rondo_coroutine *coroutine = NULL;
        CHECK_OK(rondo_coroutine_new("c", sleep_long, NULL, NULL, &coroutine));
        world->coroutine = coroutine;
        good_arguments(function, world, args);
        atomic_store(&drops, 0);
        rondo_status status = (rondo_status)api_call(function, args);
        if (status != RONDO_E_WRONG_PROCESS)
            complain(function, 0, "in a child", status, "RONDO_E_WRONG_PROCESS");
        if (drop_index(function) >= 0 && atomic_load(&drops) != 1) {
            kit_note("%s() in a child dropped its argument %d times", function->name,
                     atomic_load(&drops));
            trouble++;
        }
        rondo_coroutine_release(coroutine);
        checked++;
    }
    kit_note("functions=%d", checked);
    CHECK(checked > 50);
    return trouble > 0 ? 1 : 0;
}

/* F57: every function of an inherited loop says so in a child. */
KIT_TEST(wrong_process_everywhere)
{
    struct world world = make_world();
    api_load();
    kit_catch_log();
    trouble = 0;
    int pid = kit_fork();
    if (pid == 0)
        _exit(check_child(&world));
    CHECK_EQ_INT(kit_wait_child(pid), 0);
    end_world(&world);
}

/* ---- options, flags, lengths ----------------------------------------------------------------- */

static rondo_status try_loop_options(const void *options)
{
    rondo_loop *loop = NULL;
    rondo_status status = rondo_loop_new(options, &loop);
    if (status == RONDO_OK)
        kit_loop_end(loop);
    else
        CHECK_EQ_PTR(loop, NULL);
    return status;
}

struct big_loop_options {
    rondo_loop_options options;
    char tail[40];
};

KIT_TEST(loop_options)
{
    struct big_loop_options big = { 0 };
    CHECK_STATUS(try_loop_options(&big), -EINVAL); /* size 0 */
    for (uint32_t size = 1; size < sizeof(rondo_loop_options); size++) {
        big.options.size = size;
        CHECK_STATUS(try_loop_options(&big), -EINVAL);
    }
    big.options.size = sizeof big.options;
    CHECK_OK(try_loop_options(&big));
    big.options.size = sizeof big;
    CHECK_OK(try_loop_options(&big)); /* a newer program, that asks for nothing new */
    big.tail[39] = 1;
    CHECK_STATUS(try_loop_options(&big), -E2BIG);
    big.options.size = sizeof big.options;
    big.options.flags = 0x80000000u;
    CHECK_STATUS(try_loop_options(&big), -EINVAL);
    big.options.flags = RONDO_LOOP_DEBUG | 2;
    CHECK_STATUS(try_loop_options(&big), -EINVAL);
    big.options.flags = RONDO_LOOP_VIRTUAL_CLOCK | RONDO_LOOP_MANUAL_CLOCK;
    CHECK_STATUS(try_loop_options(&big), -EINVAL);
    big.options.flags = 0;
    big.options.reserved = 1;
    CHECK_STATUS(try_loop_options(&big), -EINVAL);
    CHECK_STATUS(rondo_loop_new(NULL, NULL), -EINVAL);
}

static rondo_status try_task_options(rondo_loop *loop, const void *options)
{
    atomic_store(&drops, 0);
    rondo_status status = rondo_loop_spawn(loop, sleep_long, NULL, count_drop, options, NULL);
    CHECK_EQ_INT(atomic_load(&drops), status == RONDO_OK ? 0 : 1);
    rondo_coroutine *coroutine = NULL;
    CHECK_OK(rondo_coroutine_new("c", sleep_long, NULL, NULL, &coroutine));
    CHECK_STATUS(rondo_loop_create_task(loop, coroutine, options, NULL), status);
    CHECK_STATUS(rondo_coroutine_release(coroutine), RONDO_E_STALE_HANDLE);
    return status;
}

KIT_TEST(task_options)
{
    struct {
        rondo_task_options options;
        char tail[24];
    } big = { .options = { .size = 0 } };
    rondo_loop *loop = kit_loop();
    kit_record_reports(loop);
    kit_catch_log();
    CHECK_STATUS(try_task_options(loop, &big), -EINVAL);
    big.options.size = 8;
    CHECK_STATUS(try_task_options(loop, &big), -EINVAL);
    big.options.size = sizeof big;
    CHECK_OK(try_task_options(loop, &big));
    big.tail[0] = 1;
    CHECK_STATUS(try_task_options(loop, &big), -E2BIG);
    big.options.size = sizeof big.options;
    big.options.eager_start = 3;
    CHECK_STATUS(try_task_options(loop, &big), -EINVAL);
    big.options.eager_start = -1;
    CHECK_STATUS(try_task_options(loop, &big), -EINVAL);
    big.options.eager_start = 0;
    big.options.context = (rondo_context *)(uintptr_t)0x1234;
    CHECK_STATUS(try_task_options(loop, &big), RONDO_E_BAD_HANDLE);
    kit_loop_drop(loop);
}

static rondo_status try_run_options(const void *options)
{
    rondo_coroutine *coroutine = NULL;
    atomic_store(&drops, 0);
    CHECK_OK(rondo_coroutine_new("c", sleep_long, NULL, count_drop, &coroutine));
    rondo_status status = rondo_run(coroutine, options, NULL, NULL);
    CHECK_EQ_INT(atomic_load(&drops), 1);
    return status;
}

KIT_TEST(run_options)
{
    struct {
        rondo_run_options options;
        char tail[24];
    } big = { .options = { .size = 0 } };
    kit_catch_log();
    CHECK_STATUS(try_run_options(&big), -EINVAL);
    big.options.size = sizeof big.options - 1;
    CHECK_STATUS(try_run_options(&big), -EINVAL);
    big.options.size = sizeof big;
    big.tail[5] = 1;
    CHECK_STATUS(try_run_options(&big), -E2BIG);
    big.options.size = sizeof big.options;
    big.options.flags = 0x10;
    CHECK_STATUS(try_run_options(&big), -EINVAL);
}

/* F80's numbers: lengths beyond all memory are refused before anything is read or allocated. */
KIT_TEST(absurd_lengths)
{
    struct world world = make_world();
    rondo_awaitable *awaitables[1] = { world.future };
    rondo_future *out = NULL;
    rondo_error *error = NULL;
    rondo_coroutine *coroutine = NULL;
    void *frame = NULL;
    char byte = 0;
    static const size_t sizes[] = { SIZE_MAX, SIZE_MAX / 2 + 1, SIZE_MAX / 8 };
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        CHECK_STATUS(rondo_gather(world.loop, awaitables, sizes[i], 0, &out), -EINVAL);
        rondo_status status = rondo_error_group_new("m", &world.error, sizes[i], &error);
        CHECK(status == -EINVAL || status == -ENOMEM);
        status = rondo_coroutine_new_with_frame("c", sleep_long, sizes[i], NULL, &frame, &coroutine);
        CHECK(status == -EINVAL || status == -ENOMEM);
    }
    CHECK_STATUS(rondo_loop_sock_recv(world.loop, world.fds[0], &byte, SIZE_MAX, &out), -EINVAL);
    CHECK_STATUS(rondo_loop_sock_sendall(world.loop, world.fds[0], &byte, SIZE_MAX, &out), -EINVAL);
    CHECK_STATUS(rondo_error_group_new("m", &world.error, 0, &error), -EINVAL);
    CHECK_STATUS(rondo_gather(world.loop, awaitables, 1, 0x80, &out), -EINVAL);
    CHECK_STATUS(rondo_error_new(0, 1, NULL, &error), -EINVAL);
    CHECK_STATUS(rondo_error_new(99, 1, NULL, &error), -EINVAL);
    CHECK_STATUS(rondo_error_new(RONDO_DOMAIN_RONDO, 1, NULL, &error), -EINVAL);
    CHECK_STATUS(rondo_error_new(RONDO_DOMAIN_POSIX, -1, NULL, &error), -EINVAL);
    CHECK(out == NULL && error == NULL && coroutine == NULL && frame == NULL);
    kit_catch_log();
    end_world(&world);
}

/* Text is never cut: the length is told, and what does not fit is not written. */
KIT_TEST(short_buffers)
{
    rondo_error *error = kit_error(1, "a message of some length");
    size_t length = 0, again = 0;
    char small[8] = "keep me", *text;
    rondo_status status = rondo_error_describe(error, NULL, 0, &length);
    CHECK(status == -ERANGE || status == RONDO_OK);
    CHECK(length > 24);
    CHECK_STATUS(rondo_error_describe(error, small, sizeof small, &again), -ERANGE);
    CHECK_EQ_STR(small, "keep me");
    text = malloc(length + 1);
    CHECK_STATUS(rondo_error_describe(error, text, length, NULL), -ERANGE);
    CHECK_OK(rondo_error_describe(error, text, length + 1, NULL));
    CHECK_EQ_INT(strlen(text), length);
    free(text);
    CHECK_OK(rondo_error_release(error));
}
