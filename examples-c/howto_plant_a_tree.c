/*
 * howto_plant_a_tree.c - the HOWTO's plant_a_tree(), which awaits its task dig_the_hole().
 *
 * Awaiting a task cedes control: the rest of plant_a_tree() becomes a callback of the task, which
 * the loop calls once the hole is dug.
 */
#include <rondo.h>
#include <stdio.h>

struct tree { RONDO_FRAME; };

static rondo_step dig_the_hole(rondo_coroutine *co, void *frame, void *sent, rondo_error *thrown)
{
    (void)co, (void)frame, (void)sent, (void)thrown;
    puts("dig_the_hole(): digging.");
    return RONDO_STEP_RETURN;
}

RONDO_STEP(plant_a_tree)
{
    struct tree *self = frame;
    rondo_coroutine *coroutine = NULL;
    rondo_task *dig_the_hole_task = NULL;

    RONDO_BEGIN(self);
    RONDO_CHECK(rondo_coroutine_new("dig_the_hole", dig_the_hole, NULL, NULL, &coroutine),
                "dig_the_hole");
    RONDO_CHECK(rondo_loop_create_task(rondo_running_loop(), coroutine, NULL, &dig_the_hole_task),
                "create_task");
    puts("plant_a_tree(): waiting for the hole.");
    RONDO_AWAIT_MOVED(self, dig_the_hole_task);
    /* Other instructions associated with planting a tree. */
    puts("plant_a_tree(): the hole is dug, in goes the tree.");
    RONDO_END(self);
}

int main(void)
{
    struct tree frame = { 0 };
    rondo_coroutine *tree = NULL;
    rondo_status status = rondo_coroutine_new("plant_a_tree", plant_a_tree, &frame, NULL, &tree);
    if (status == RONDO_OK)
        status = rondo_run(tree, NULL, NULL, NULL);
    if (status != RONDO_OK)
        fprintf(stderr, "%s\n", rondo_status_message(status));
    return status == RONDO_OK ? 0 : 1;
}
