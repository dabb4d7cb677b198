/*
 * task_group.c - three downloads at the same time; one fails, and that ends all of them.
 *
 * asyncio's "async with TaskGroup() as group": between RONDO_TASK_GROUP_ENTER and its exit the body
 * makes tasks. The exit waits for them. The first failure cancels the others, and what failed comes
 * out of the exit as one error with the single errors in it.
 */
#include <rondo.h>
#include <stdio.h>

#define MS INT64_C(1000000)

/* ---- a child: pretends to download, or fails ------------------------------------------------- */

struct download {
    RONDO_FRAME;
    const char *name;
    int64_t takes_ns;
    int fails;
};

RONDO_STEP(download_step)
{
    struct download *self = frame;
    RONDO_BEGIN(self);
    printf("%s: begins\n", self->name);
    RONDO_TRY(self, rondo_coroutine_sleep(co, self->takes_ns));
    if (thrown != NULL) {
        printf("%s: cancelled\n", self->name);
        return rondo_coroutine_raise(co, thrown);
    }
    if (self->fails)
        RONDO_RAISE(404, "no such file");
    printf("%s: done\n", self->name);
    RONDO_END(self);
}

/* ---- the parent ------------------------------------------------------------------------------ */

struct parent {
    RONDO_FRAME;
    rondo_task_group *group;
    struct download downloads[3];
};

static void parent_drop(void *frame)
{
    struct parent *self = frame;
    rondo_task_group_release(self->group); /* NULL, unless it left before the exit */
}

static rondo_status start(struct parent *self, int index, const char *name, int64_t takes_ns, int fails)
{
    self->downloads[index] = (struct download){ .name = name, .takes_ns = takes_ns, .fails = fails };
    return rondo_task_group_spawn(self->group, download_step, &self->downloads[index], NULL, NULL, NULL);
}

static void tell(const char *what, rondo_error *error)
{
    if (error == NULL) {
        printf("%s: all is well\n", what);
        return;
    }
    printf("%s: %s (%zu)\n", what, rondo_error_get_message(error), rondo_error_get_count(error));
    for (size_t i = 0; i < rondo_error_get_count(error); i++) {
        rondo_error *member = rondo_error_get_member(error, i);
        printf("  %d %s\n", rondo_error_get_code(member), rondo_error_get_message(member));
    }
}

RONDO_STEP(parent_step)
{
    struct parent *self = frame;
    RONDO_BEGIN(self);

    RONDO_TASK_GROUP_ENTER(self, self->group, rondo_running_loop());
    RONDO_CHECK(start(self, 0, "a", 1 * MS, 0), "a");
    RONDO_CHECK(start(self, 1, "b", 20 * MS, 0), "b");
    RONDO_TRY_TASK_GROUP_EXIT(self, first, self->group);
    tell("first group", thrown);

    RONDO_TASK_GROUP_ENTER(self, self->group, rondo_running_loop());
    RONDO_CHECK(start(self, 0, "c", 1 * MS, 1), "c");
    RONDO_CHECK(start(self, 1, "d", 3600000 * MS, 0), "d");
    RONDO_SLEEP_IN(self, second, 3600000 * MS); /* the body is cancelled, too */
    puts("not reached");
    RONDO_TRY_TASK_GROUP_EXIT(self, second, self->group);
    tell("second group", thrown);

    RONDO_TASK_GROUP_ENTER(self, self->group, rondo_running_loop());
    RONDO_CHECK(start(self, 0, "e", 3600000 * MS, 0), "e");
    RONDO_SLEEP_IN(self, third, 1 * MS);
    RONDO_CHECK(rondo_task_group_cancel(self->group), "cancel"); /* enough: end early, silently */
    RONDO_TRY_TASK_GROUP_EXIT(self, third, self->group);
    tell("third group", thrown);
    RONDO_END(self);
}

int main(void)
{
    struct parent frame = { 0 };
    rondo_coroutine *parent = NULL;
    rondo_status status = rondo_coroutine_new("parent", parent_step, &frame, parent_drop, &parent);
    if (status == RONDO_OK)
        status = rondo_run(parent, NULL, NULL, NULL);
    if (status != RONDO_OK)
        fprintf(stderr, "%s\n", rondo_status_message(status));
    return status == RONDO_OK ? 0 : 1;
}
