/*
 * scope_walk.c - random programs of cancel scopes, shields, groups and timeouts, against a model.
 *
 * Each task of a walk enters and leaves scopes, timeouts and groups at random, makes children, waits
 * and cancels, and keeps a model of the scopes beside it. In a quiet walk only scopes cancel, and then
 * everything is known: what must be cancelled, what may not, which exit swallows, what cancelling()
 * says. In a wild one timeouts expire, tasks are cancelled and children fail as well; then what
 * must be cancelled is, no count stays behind and every task ends. A seed names a walk.
 */
#include "coro.h"

#include <stdlib.h>

#define DEPTH 6
#define SCOPES 4096
#define FUTURES 64
#define LONG INT64_C(3600000000000)

static uint64_t state;

static unsigned below(unsigned limit)
{
    state += UINT64_C(0x9E3779B97F4A7C15);
    uint64_t z = state;
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return (unsigned)((z ^ (z >> 31)) % limit);
}

/* ---- the model ------------------------------------------------------------------------------- */

struct model {
    struct model *parent;
    rondo_cancel_scope *handle; /* while it is entered */
    bool shield, asked, insisted, patient;
    uint32_t foreign;
};

static struct model models[SCOPES];
static int model_count, live_tasks, swallowed, thrown_in;
static bool wild;
static uint64_t walk_seed; /* for a debugger */
static rondo_loop *loop;
static rondo_future *futures[FUTURES];

static bool is_under(const struct model *model, bool insisted)
{
    for (; model != NULL; model = model->shield ? NULL : model->parent)
        if (insisted ? model->insisted : model->asked)
            return true;
    return false;
}

static void cancel_model(struct model *model)
{
    if (model->handle == NULL)
        return;
    CHECK_OK(rondo_cancel_scope_cancel_here(model->handle, "the walk"));
    model->asked = true;
    if (!model->patient || below(2))
        model->insisted = true;
    CHECK_OK(model->insisted ? rondo_cancel_scope_insist(model->handle) : RONDO_OK);
}

static void cancel_any(void)
{
    if (model_count > 0)
        cancel_model(&models[below((unsigned)model_count)]);
}

/* ---- a task ---------------------------------------------------------------------------------- */

struct part {
    enum { SCOPE, TIMEOUT, GROUP } kind;
    struct model *model;
    struct model *around; /* what was the innermost one */
    rondo_timeout *timeout;
    rondo_task_group *group;
};

struct actor {
    rondo_task *task; /* borrowed: while it runs */
    struct model *scope; /* the innermost one */
    struct part parts[DEPTH];
    int depth, left, generation;
    bool is_due, is_leaving;
    rondo_error *error; /* what is on its way out, owned */
};

static rondo_step act(rondo_coroutine *co, void *frame, void *sent, rondo_error *thrown);

static void end_actor(void *frame)
{
    struct actor *self = frame;
    CHECK_EQ_INT(self->depth, 0);
    CHECK_OK(rondo_error_release(self->error));
    live_tasks--;
    free(self);
}

static struct actor *new_actor(struct model *scope, int generation)
{
    struct actor *self = calloc(1, sizeof *self);
    self->scope = scope;
    self->left = 4 + (int)below(20);
    self->generation = generation;
    live_tasks++;
    return self;
}

static uint32_t foreign(struct actor *self)
{
    uint32_t count = cancelling(self->task), own = is_under(self->scope, true);
    CHECK(count >= own || wild);
    if (!wild)
        CHECK_EQ_INT(count, own);
    return count - (own < count ? own : count);
}

static void check_queries(struct actor *self)
{
    int64_t when = 0, left = -1;
    CHECK_EQ_INT(rondo_current_cancel_requested(NULL), is_under(self->scope, false));
    CHECK_OK(rondo_current_deadline(NULL, &when));
    CHECK_OK(rondo_current_time_left(NULL, &left));
    CHECK_EQ_INT(when == INT64_MIN, is_under(self->scope, true));
    CHECK(left >= 0 && (when != INT64_MIN || left == 0));
    (void)foreign(self);
}

static void carry(struct actor *self, rondo_error *error)
{
    CHECK_OK(rondo_error_retain(error));
    CHECK_OK(rondo_error_release(self->error));
    self->error = error;
}

static void forget(struct actor *self)
{
    CHECK_OK(rondo_error_release(self->error));
    self->error = NULL;
}

/* ---- entering and leaving -------------------------------------------------------------------- */

static void enter_scope(struct actor *self, struct part *part)
{
    struct model *model = &models[model_count];
    rondo_cancel_scope_options options = { .size = sizeof options };
    if (model_count == SCOPES)
        return;
    bool over = below(12) == 0;
    *model = (struct model){ .parent = self->scope, .shield = below(4) == 0, .patient = below(4) == 0 };
    options.flags = model->shield ? RONDO_CANCEL_SCOPE_SHIELD : 0;
    options.grace_ns = model->patient ? RONDO_NEVER : 0;
    options.deadline_ns = over ? 1 : below(3) ? 0 : INT64_MAX / 2;
    model->foreign = foreign(self);
    CHECK_OK(rondo_cancel_scope_new(loop, &options, &model->handle));
    if (below(12) == 0)
        cancel_model(model);
    CHECK_OK(rondo_cancel_scope_enter(model->handle));
    if (over) {
        model->asked = true;
        model->insisted |= !model->patient;
    }
    model_count++;
    *part = (struct part){ .kind = SCOPE, .model = model, .around = self->scope };
    self->scope = model;
    self->depth++;
}

static void enter_timeout(struct actor *self, struct part *part)
{
    *part = (struct part){ .kind = TIMEOUT, .around = self->scope };
    CHECK_OK(rondo_timeout_new(loop, wild && below(3) == 0 ? (int64_t)below(2) * 1000 : RONDO_NEVER, &part->timeout));
    CHECK_OK(rondo_timeout_enter(part->timeout));
    self->depth++;
}

static void enter_group(struct actor *self, struct part *part)
{
    *part = (struct part){ .kind = GROUP, .around = self->scope };
    CHECK_OK(rondo_task_group_new(loop, &part->group));
    CHECK_OK(rondo_task_group_enter(part->group));
    self->depth++;
}

static void enter(struct actor *self)
{
    struct part *part = &self->parts[self->depth];
    if (self->depth == DEPTH)
        return;
    switch (below(4)) {
    case 0: enter_timeout(self, part); break;
    case 1: enter_group(self, part); break;
    default: enter_scope(self, part);
    }
}

static void spawn_child(struct actor *self)
{
    for (int i = self->depth - 1; i >= 0 && self->generation < 3; i--) {
        if (self->parts[i].kind != GROUP)
            continue;
        struct actor *child = new_actor(self->parts[i].around, self->generation + 1);
        rondo_status status = rondo_task_group_spawn(self->parts[i].group, act, child, end_actor, NULL, NULL);
        CHECK(status == RONDO_OK || (status == RONDO_E_RUNTIME && (wild || self->is_leaving)));
        return;
    }
}

static void leave_scope(struct actor *self, struct part *part)
{
    rondo_error *left = NULL;
    struct model *model = part->model;
    uint32_t now = foreign(self);
    bool is_cancellation = self->error != NULL && rondo_error_get_status(self->error) == RONDO_E_CANCELLED;
    bool swallows = is_cancellation && model->insisted && now <= model->foreign &&
                    (model->shield || !is_under(part->around, true));
    CHECK_OK(rondo_cancel_scope_exit(model->handle, self->error, &left));
    CHECK_EQ_INT(rondo_cancel_scope_is_caught(model->handle), swallows);
    CHECK_EQ_PTR(left, swallows ? NULL : self->error);
    swallowed += swallows;
    CHECK_OK(rondo_error_release(self->error));
    self->error = left;
    CHECK_OK(rondo_cancel_scope_release(model->handle));
    model->handle = NULL;
    self->scope = part->around;
}

static void leave_timeout(struct actor *self, struct part *part)
{
    rondo_error *left = NULL;
    CHECK_OK(rondo_timeout_exit(part->timeout, self->error, &left));
    CHECK_OK(rondo_timeout_release(part->timeout));
    CHECK_OK(rondo_error_release(self->error));
    self->error = left;
}

/* Leave the innermost part; the coroutine to await for it, if there is one. */
static rondo_coroutine *leave(struct actor *self)
{
    struct part part = self->parts[--self->depth];
    rondo_coroutine *wait = NULL;
    if (part.kind == SCOPE)
        leave_scope(self, &part);
    else if (part.kind == TIMEOUT)
        leave_timeout(self, &part);
    else {
        /* Nobody cancels it any more, a shield was put up: the group would cancel its children for it. */
        if (!wild && !is_under(part.around, true))
            forget(self);
        CHECK_OK(rondo_task_group_exit(part.group, self->error, &wait));
        CHECK_OK(rondo_task_group_release(part.group));
        forget(self);
    }
    return wait;
}

/* ---- its steps ------------------------------------------------------------------------------- */

static rondo_step wait_somehow(struct actor *self, rondo_coroutine *co)
{
    rondo_future **slot = &futures[below(FUTURES)];
    self->is_due = is_under(self->scope, true);
    switch (below(3)) {
    case 0: return rondo_coroutine_yield(co, NULL);
    case 1: return rondo_coroutine_sleep(co, self->is_due ? LONG : 1);
    default:
        if (*slot != NULL) /* somebody else's: to be cancelled with it would be no cancellation of this task */
            return rondo_coroutine_yield(co, NULL);
        *slot = future_of(loop);
        return rondo_coroutine_await(co, *slot);
    }
}

static void wake(struct actor *self, rondo_error *thrown)
{
    if (self->is_due) {
        CHECK(thrown != NULL);
        CHECK_EQ_INT(rondo_error_get_status(thrown), RONDO_E_CANCELLED);
    }
    self->is_due = false;
    if (thrown == NULL)
        return;
    thrown_in++;
    if (!wild)
        CHECK_EQ_INT(rondo_error_get_status(thrown), RONDO_E_CANCELLED);
    carry(self, thrown);
}

/* Of a scope without a group in it: who waits at the exit of one would have been cancelled for nothing. */
static void flip_shield(struct part *part)
{
    if (part->kind != SCOPE)
        return;
    part->model->shield = below(2);
    CHECK_OK(rondo_cancel_scope_set_shield(part->model->handle, part->model->shield));
}

static rondo_step end(struct actor *self, rondo_coroutine *co)
{
    if (self->error != NULL)
        return rondo_coroutine_raise(co, self->error);
    if (wild && below(10) == 0)
        return rondo_coroutine_raise_new(co, RONDO_DOMAIN_USER, 5, "a child that fails");
    return rondo_coroutine_return(co, NULL, NULL);
}

static rondo_step act(rondo_coroutine *co, void *frame, void *sent, rondo_error *thrown)
{
    struct actor *self = frame;
    rondo_coroutine *wait = NULL;
    (void)sent;
    CHECK_OK(rondo_current_task(NULL, &self->task));
    wake(self, thrown);
    while (self->left-- > 0 || self->depth > 0) {
        check_queries(self);
        if (self->error != NULL && below(4) == 0)
            forget(self); /* dealt with, or so it seems */
        self->is_leaving = self->left <= 0 || self->error != NULL;
        if (self->is_leaving && self->depth > 0) {
            if ((wait = leave(self)) != NULL)
                return rondo_coroutine_await(co, wait);
        } else if (!self->is_leaving) {
            switch (below(8)) {
            case 0: case 1: enter(self); break;
            case 2: spawn_child(self); break;
            case 3:
                if (below(3) == 0)
                    cancel_any();
                break;
            case 4:
                if (self->depth > 0 && (wait = leave(self)) != NULL)
                    return rondo_coroutine_await(co, wait);
                break;
            case 5:
                if (wild && below(4) == 0)
                    CHECK_OK(rondo_task_cancel(self->task, "wild", NULL));
                else if (self->depth > 0 && below(3) == 0)
                    flip_shield(&self->parts[self->depth - 1]);
                break;
            default: return wait_somehow(self, co);
            }
        }
    }
    return end(self, co);
}

/* ---- a walk ---------------------------------------------------------------------------------- */

static void complete_some(bool all)
{
    for (int i = 0; i < FUTURES; i++) {
        if (futures[i] == NULL || (!all && below(6) != 0))
            continue;
        (void)rondo_future_set_result(futures[i], NULL, NULL); /* or it is cancelled */
        end_future(futures[i]);
        futures[i] = NULL;
    }
}

static void take_a_walk(uint64_t seed)
{
    rondo_task *roots[3];
    bool done = false;
    walk_seed = seed;
    state = seed;
    wild = seed % 2 == 0;
    model_count = live_tasks = 0;
    loop = kit_loop();
    if (wild)
        kit_record_reports(loop);
    CHECK_OK(rondo_loop_set_eager_tasks(loop, seed % 3 == 0));
    for (int i = 0; i < 3; i++)
        CHECK_OK(rondo_loop_spawn(loop, act, new_actor(NULL, 0), end_actor, NULL, &roots[i]));
    for (int pass = 0; !done; pass++) {
        CHECK(pass < 20000); /* or somebody waits for ever */
        CHECK_OK(rondo_loop_drive(loop, 0, 0, NULL));
        complete_some(pass > 60);
        if (below(6) == 0)
            cancel_any();
        done = true;
        for (int i = 0; i < 3; i++)
            done = done && rondo_future_is_done(as_future(roots[i]));
    }
    for (int i = 0; i < 3; i++) {
        if (!wild)
            CHECK_EQ_INT(cancelling(roots[i]), 0);
        (void)rondo_future_exception(as_future(roots[i]), NULL);
        end_task(roots[i]);
    }
    complete_some(true);
    CHECK_OK(rondo_loop_drive(loop, 0, 0, NULL));
    CHECK_EQ_INT(live_tasks, 0);
    kit_loop_end(loop);
}

KIT_TEST_WITHIN(random_programs, 60)
{
    int walks = kit_rounds(3000);
    swallowed = thrown_in = 0;
    for (int seed = 1; seed <= walks; seed++)
        take_a_walk((uint64_t)seed);
    CHECK(swallowed > walks / 10);
    kit_note("walks=%d cancellations=%d swallowed=%d", walks, thrown_in, swallowed);
}
