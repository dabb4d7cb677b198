/*
 * cancel_scope.c - stop a part of a program as a whole: ask first, insist later, and say who it was.
 *
 * A service is a scope with a group of tasks in it. Cancelling the scope asks them to end: one
 * listens, and ends by itself. After the grace period it makes them end: whatever they wait for is
 * cancelled, again and again, until the scope is left. What has to be done in any case is done
 * behind a shield. Deadlines are inherited: a task knows how much time the scopes around it leave.
 */
#include <rondo.h>
#include <stdio.h>

#define MS INT64_C(1000000)
#define HOUR INT64_C(3600000000000)

/* Ends when it is asked to. */
struct listener {
    RONDO_FRAME;
    rondo_cancel_scope *service; /* borrowed: the scope outlives the tasks in it */
    rondo_future *request;
};

RONDO_STEP(listen)
{
    struct listener *self = frame;
    RONDO_BEGIN(self);
    RONDO_CHECK(rondo_cancel_scope_get_request(self->service, &self->request), "request");
    RONDO_AWAIT_MOVED(self, self->request);
    puts("the listener was asked, and ends");
    RONDO_END(self);
}

/* Does not listen, and has something to put in order. */
struct worker {
    RONDO_FRAME;
    rondo_cancel_scope *shield;
    char message[80];
};

RONDO_STEP(work)
{
    struct worker *self = frame;
    rondo_cancel_scope_options options = { .size = sizeof options, .flags = RONDO_CANCEL_SCOPE_SHIELD };
    RONDO_BEGIN(self);
    RONDO_TRY(self, rondo_coroutine_sleep(co, HOUR));
    snprintf(self->message, sizeof self->message, "the worker was cancelled: %s, by %.9s...",
             rondo_error_get_message(thrown), rondo_error_get_operation(thrown));
    puts(self->message);

    RONDO_TRY(self, rondo_coroutine_sleep(co, HOUR)); /* it stays cancelled */
    printf("cancelled again: %s\n", rondo_error_get_message(thrown));

    RONDO_CANCEL_SCOPE_ENTER(self, self->shield, rondo_running_loop(), &options);
    RONDO_SLEEP_IN(self, tidying, 1 * MS);
    puts("the worker has put its things in order");
    RONDO_CANCEL_SCOPE_EXIT(self, tidying, self->shield);
    RONDO_SLEEP(self, HOUR); /* raises the cancellation */
    RONDO_END(self);
}

struct body {
    RONDO_FRAME;
    rondo_cancel_scope *service, *scope;
    rondo_task_group *group;
    struct listener listener;
    struct worker worker;
};

static void body_drop(void *frame)
{
    struct body *self = frame;
    rondo_cancel_scope_release(self->service); /* NULL, unless it left before the exit */
    rondo_cancel_scope_release(self->scope);
    rondo_task_group_release(self->group);
}

static void shut_down(void *service)
{
    rondo_cancel_scope_cancel_here(service, "shutting down");
}

static void tell_time(const char *what)
{
    int64_t left = 0;
    rondo_current_time_left(NULL, &left);
    printf("%s: %s\n", what, left == RONDO_NEVER ? "all the time in the world"
                             : left > HOUR       ? "more than an hour"
                             : left > 0          ? "an hour at most"
                                                 : "no time");
}

RONDO_STEP(body_step)
{
    struct body *self = frame;
    rondo_loop *loop = rondo_running_loop();
    rondo_cancel_scope_options options = { .size = sizeof options, .grace_ns = 5 * MS };
    RONDO_BEGIN(self);

    RONDO_CANCEL_SCOPE_ENTER(self, self->service, loop, &options);
    RONDO_TASK_GROUP_ENTER(self, self->group, loop);
    self->listener.service = self->service;
    RONDO_CHECK(rondo_task_group_spawn(self->group, listen, &self->listener, NULL, NULL, NULL), "listener");
    RONDO_CHECK(rondo_task_group_spawn(self->group, work, &self->worker, NULL, NULL, NULL), "worker");
    RONDO_CHECK(rondo_loop_call_later(loop, 1 * MS, shut_down, self->service, NULL, NULL), "call_later");
    RONDO_TRY_TASK_GROUP_EXIT(self, tasks, self->group);
    RONDO_CANCEL_SCOPE_EXIT(self, service, self->service);
    puts("the service is down");

    /* Two deadlines: the earlier one counts, wherever in the program that is asked. */
    tell_time("outside");
    RONDO_MOVE_ON_AFTER(self, self->service, loop, HOUR);
    RONDO_MOVE_ON_AFTER(self, self->scope, loop, 2 * HOUR);
    tell_time("inside of two");
    RONDO_CHECK(rondo_cancel_scope_set_deadline(self->scope, 1), "deadline"); /* long ago */
    tell_time("and now");
    RONDO_SLEEP_IN(self, inner, HOUR);
    RONDO_CANCEL_SCOPE_EXIT(self, inner, self->scope);
    puts("moved on");
    RONDO_CANCEL_SCOPE_EXIT(self, outer, self->service);
    RONDO_END(self);
}

int main(void)
{
    struct body frame = { 0 };
    rondo_coroutine *body = NULL;
    rondo_status status = rondo_coroutine_new("body", body_step, &frame, body_drop, &body);
    if (status == RONDO_OK)
        status = rondo_run(body, NULL, NULL, NULL);
    if (status != RONDO_OK)
        fprintf(stderr, "%s\n", rondo_status_message(status));
    return status == RONDO_OK ? 0 : 1;
}
