/*
 * call_graph.c - who waits for whom: what asyncio.print_call_graph() shows, and the same as data.
 *
 * A menu is cooked by two tasks of a group, one of which waits in a coroutine inside of a coroutine. A
 * callback looks at it from outside. The ids that rondo_print_call_graph() would write differ from
 * run to run, so this program prints the entries itself.
 */
#include <rondo.h>
#include <stdio.h>

#define MS INT64_C(1000000)

/* ---- the kitchen ----------------------------------------------------------------------------- */

struct wait {
    RONDO_FRAME;
    rondo_awaitable *awaited; /* a coroutine or a future */
};

RONDO_STEP(wait_step)
{
    struct wait *self = frame;
    RONDO_BEGIN(self);
    RONDO_AWAIT(self, self->awaited);
    RONDO_END(self);
}

struct menu {
    RONDO_FRAME;
    rondo_task_group *group;
    rondo_future *oven;
    struct wait boil, cook, taste;
};

static rondo_status start(struct menu *self, const char *name, const char *coroutine_name, struct wait *frame)
{
    rondo_task_options options = { .size = sizeof options, .name = name, .coroutine_name = coroutine_name };
    return rondo_task_group_spawn(self->group, wait_step, frame, NULL, &options, NULL);
}

RONDO_STEP(menu_step)
{
    struct menu *self = frame;
    rondo_coroutine *boil = NULL;
    rondo_future *both = NULL;
    RONDO_BEGIN(self);
    RONDO_TASK_GROUP_ENTER(self, self->group, rondo_running_loop());
    self->boil.awaited = self->oven;
    RONDO_CHECK(rondo_coroutine_new("boil", wait_step, &self->boil, NULL, &boil), "boil");
    self->cook.awaited = boil;
    RONDO_CHECK(start(self, "soup", "cook", &self->cook), "soup");
    RONDO_CHECK(rondo_gather(rondo_running_loop(), (rondo_awaitable *[]){ self->oven }, 1, 0, &both), "gather");
    self->taste.awaited = both;
    RONDO_CHECK(start(self, "taster", "taste", &self->taste), "taster");
    RONDO_TASK_GROUP_EXIT(self, part, self->group);
    RONDO_CHECK(rondo_future_release(self->taste.awaited), "gather");
    puts("served");
    RONDO_END(self);
}

/* ---- looking at it --------------------------------------------------------------------------- */

static void look(void *oven)
{
    rondo_call_graph *graph = NULL;
    if (rondo_capture_call_graph(oven, 0, RONDO_CALL_GRAPH_NO_LIMIT, &graph) != RONDO_OK)
        return;
    for (size_t i = 0; i < rondo_call_graph_count(graph); i++) {
        int indent = (int)rondo_call_graph_get_depth(graph, i) * 4;
        if (rondo_call_graph_get_kind(graph, i) == RONDO_CALL_GRAPH_TASK)
            printf("%*s* task %s\n", indent, "", rondo_call_graph_get_name(graph, i));
        else
            printf("%*s* future\n", indent, "");
        for (size_t call = 0; call < rondo_call_graph_get_call_count(graph, i); call++)
            printf("%*s  | in %s()\n", indent, "", rondo_call_graph_get_call(graph, i, call));
    }
    rondo_call_graph_release(graph);
    rondo_future_set_result(oven, NULL, NULL);
}

int main(void)
{
    struct menu menu = { 0 };
    rondo_loop *loop = NULL;
    rondo_task_options options = { .size = sizeof options, .name = "menu", .coroutine_name = "menu" };
    rondo_task *task = NULL;
    rondo_status status = rondo_loop_new(NULL, &loop);
    if (status == RONDO_OK)
        status = rondo_future_new(loop, &menu.oven);
    if (status == RONDO_OK)
        status = rondo_loop_spawn(loop, menu_step, &menu, NULL, &options, &task);
    if (status == RONDO_OK)
        status = rondo_loop_call_later(loop, 5 * MS, look, menu.oven, NULL, NULL);
    if (status == RONDO_OK)
        status = rondo_loop_run_until_complete(loop, task, NULL);
    if (status != RONDO_OK)
        fprintf(stderr, "%s\n", rondo_status_message(status));
    rondo_task_release(task);
    rondo_future_release(menu.oven);
    rondo_loop_close(loop, NULL);
    rondo_loop_release(loop);
    return status == RONDO_OK ? 0 : 1;
}
