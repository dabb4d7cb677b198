/* errors.c - error objects: domains, causes, contexts, groups, descriptions, lifetimes. */
#include "coro.h"

#include <errno.h>
#include <stdio.h>

static rondo_error *error_of(int32_t domain, int32_t code, const char *message)
{
    rondo_error *error = NULL;
    CHECK_OK(rondo_error_new(domain, code, message, &error));
    return error;
}

KIT_TEST(fields)
{
    char message[] = "too slow";
    rondo_error *error = error_of(RONDO_DOMAIN_USER, 42, message);
    memset(message, 'x', sizeof message - 1); /* it was copied */
    CHECK_EQ_INT(rondo_error_get_domain(error), RONDO_DOMAIN_USER);
    CHECK_EQ_INT(rondo_error_get_code(error), 42);
    CHECK_EQ_INT(rondo_error_get_status(error), RONDO_E_USER);
    CHECK_EQ_STR(rondo_error_get_message(error), "too slow");
    CHECK_EQ_STR(rondo_error_get_operation(error), NULL);
    CHECK_EQ_PTR(rondo_error_get_cause(error), NULL);
    CHECK_EQ_PTR(rondo_error_get_context(error), NULL);
    CHECK_EQ_INT(rondo_error_get_count(error), 0);
    CHECK_EQ_PTR(rondo_error_get_member(error, 0), NULL);
    CHECK_OK(rondo_error_release(error));
}

KIT_TEST(default_messages)
{
    rondo_error *error = error_of(RONDO_DOMAIN_RONDO, RONDO_E_LOOP_CLOSED, NULL);
    CHECK_EQ_STR(rondo_error_get_message(error), "Event loop is closed");
    CHECK_EQ_INT(rondo_error_get_status(error), RONDO_E_LOOP_CLOSED);
    CHECK_OK(rondo_error_release(error));
    error = error_of(RONDO_DOMAIN_POSIX, ECONNREFUSED, NULL);
    CHECK_EQ_STR(rondo_error_get_message(error), strerror(ECONNREFUSED));
    CHECK_EQ_INT(rondo_error_get_status(error), -ECONNREFUSED);
    CHECK_OK(rondo_error_release(error));
}

KIT_TEST(codes_must_be_of_their_domain)
{
    rondo_error *error = NULL;
    CHECK_STATUS(rondo_error_new(0, 1, NULL, &error), -EINVAL);
    CHECK_STATUS(rondo_error_new(99, 1, NULL, &error), -EINVAL);
    CHECK_STATUS(rondo_error_new(RONDO_DOMAIN_RONDO, 1, NULL, &error), -EINVAL);
    CHECK_STATUS(rondo_error_new(RONDO_DOMAIN_RONDO, -1, NULL, &error), -EINVAL);
    CHECK_STATUS(rondo_error_new(RONDO_DOMAIN_POSIX, -ENOENT, NULL, &error), -EINVAL);
    CHECK_STATUS(rondo_error_new(RONDO_DOMAIN_POSIX, 0, NULL, &error), -EINVAL);
    CHECK_EQ_PTR(error, NULL);
    error = error_of(RONDO_DOMAIN_USER, INT32_MIN, NULL); /* any */
    CHECK_EQ_INT(rondo_error_get_code(error), INT32_MIN);
    CHECK(rondo_error_get_message(error) != NULL);
    CHECK_OK(rondo_error_release(error));
}

KIT_TEST(what_is_no_error)
{
    rondo_error *error = error_of(RONDO_DOMAIN_USER, 1, "x");
    CHECK_OK(rondo_error_retain(error));
    CHECK_OK(rondo_error_release(error));
    CHECK_OK(rondo_error_release(error));
    CHECK_STATUS(rondo_error_release(error), RONDO_E_STALE_HANDLE);
    CHECK_STATUS(rondo_error_retain(error), RONDO_E_STALE_HANDLE);
    CHECK_EQ_INT(rondo_error_get_domain(error), 0);
    CHECK_EQ_INT(rondo_error_get_code(error), 0);
    CHECK_EQ_STR(rondo_error_get_message(error), "");
    CHECK_EQ_STR(rondo_error_get_operation(error), NULL);
    CHECK_EQ_PTR(rondo_error_get_cause(NULL), NULL);
    CHECK_EQ_PTR(rondo_error_get_context(NULL), NULL);
    CHECK_EQ_INT(rondo_error_get_count(NULL), 0);
    CHECK_EQ_PTR(rondo_error_get_member(NULL, 0), NULL);
    CHECK_OK(rondo_error_retain(NULL));
    CHECK_OK(rondo_error_release(NULL));
}

KIT_TEST(operation)
{
    rondo_error *error = error_of(RONDO_DOMAIN_POSIX, EPIPE, NULL);
    char name[] = "send";
    CHECK_OK(rondo_error_set_operation(error, name));
    name[0] = 'x';
    CHECK_EQ_STR(rondo_error_get_operation(error), "send");
    CHECK_OK(rondo_error_set_operation(error, "recv"));
    CHECK_EQ_STR(rondo_error_get_operation(error), "recv");
    CHECK_OK(rondo_error_set_operation(error, NULL));
    CHECK_EQ_STR(rondo_error_get_operation(error), NULL);
    CHECK_OK(rondo_error_release(error));
}

/* ---- causes --------------------------------------------------------------------------------- */

KIT_TEST(cause_chain)
{
    rondo_error *a = kit_error(1, "a"), *b = kit_error(2, "b"), *c = kit_error(3, "c");
    CHECK_OK(rondo_error_set_cause(a, b));
    CHECK_OK(rondo_error_set_cause(b, c));
    CHECK_OK(rondo_error_release(b));
    CHECK_OK(rondo_error_release(c)); /* held by the chain */
    CHECK_EQ_STR(rondo_error_get_message(rondo_error_get_cause(rondo_error_get_cause(a))), "c");
    CHECK_OK(rondo_error_set_cause(a, NULL));
    CHECK_EQ_PTR(rondo_error_get_cause(a), NULL);
    CHECK_EQ_INT(rondo_error_get_code(b), 0); /* gone with the link */
    CHECK_OK(rondo_error_release(a));
}

KIT_TEST(cause_without_a_circle)
{
    rondo_error *a = kit_error(1, "a"), *b = kit_error(2, "b"), *c = kit_error(3, "c");
    CHECK_STATUS(rondo_error_set_cause(a, a), -ELOOP);
    CHECK_OK(rondo_error_set_cause(a, b));
    CHECK_OK(rondo_error_set_cause(b, c));
    CHECK_STATUS(rondo_error_set_cause(c, a), -ELOOP);
    CHECK_STATUS(rondo_error_set_cause(b, a), -ELOOP);
    CHECK_EQ_PTR(rondo_error_get_cause(b), c); /* unchanged */
    CHECK_EQ_PTR(rondo_error_get_cause(c), NULL);
    CHECK_OK(rondo_error_release(a));
    CHECK_OK(rondo_error_release(b));
    CHECK_OK(rondo_error_release(c));
}

/* A chain of 100,000 ends without recursion. It grows at its far end: set_cause looks for a circle
 * along the cause's own chain, which is short there. */
KIT_TEST(long_chains_end)
{
    rondo_error *first = kit_error(0, "first"), *last = first;
    for (int i = 1; i < 100000; i++) {
        rondo_error *next = kit_error(i, NULL);
        CHECK_OK(rondo_error_set_cause(last, next));
        CHECK_OK(rondo_error_release(next)); /* the chain holds it */
        last = next;
    }
    CHECK_EQ_INT(rondo_error_get_code(last), 99999);
    CHECK_OK(rondo_error_release(first));
    CHECK_EQ_INT(rondo_error_get_code(last), 0);
}

/* ---- groups --------------------------------------------------------------------------------- */

KIT_TEST(groups)
{
    rondo_error *members[] = { kit_error(1, "a"), kit_error(2, "b") }, *group = NULL, *outer = NULL;
    CHECK_OK(rondo_error_group_new("both failed", members, 2, &group));
    CHECK_OK(rondo_error_release(members[0])); /* retained by the group */
    CHECK_OK(rondo_error_release(members[1]));
    CHECK_EQ_INT(rondo_error_get_status(group), RONDO_E_GROUP);
    CHECK_EQ_INT(rondo_error_get_domain(group), RONDO_DOMAIN_RONDO);
    CHECK_EQ_STR(rondo_error_get_message(group), "both failed");
    CHECK_EQ_INT(rondo_error_get_count(group), 2);
    CHECK_EQ_PTR(rondo_error_get_member(group, 0), members[0]);
    CHECK_EQ_STR(rondo_error_get_message(rondo_error_get_member(group, 1)), "b");
    CHECK_EQ_PTR(rondo_error_get_member(group, 2), NULL);
    CHECK_OK(rondo_error_group_new(NULL, &group, 1, &outer)); /* groups nest */
    CHECK_OK(rondo_error_release(group));
    CHECK_EQ_INT(rondo_error_get_count(rondo_error_get_member(outer, 0)), 2);
    CHECK_OK(rondo_error_release(outer));
    CHECK_EQ_INT(rondo_error_get_code(members[0]), 0);
}

KIT_TEST(groups_refuse)
{
    rondo_error *members[] = { kit_error(1, "a"), NULL }, *group = NULL;
    CHECK_STATUS(rondo_error_group_new("x", members, 0, &group), -EINVAL);
    CHECK_STATUS(rondo_error_group_new("x", NULL, 1, &group), -EINVAL);
    CHECK_STATUS(rondo_error_group_new("x", members, 2, &group), -EINVAL);
    members[1] = (rondo_error *)members;
    CHECK_STATUS(rondo_error_group_new("x", members, 2, &group), RONDO_E_BAD_HANDLE);
    CHECK_EQ_PTR(group, NULL);
    CHECK_OK(rondo_error_release(members[0]));
}

/* ---- descriptions --------------------------------------------------------------------------- */

static const char *describe(rondo_error *error)
{
    static char text[4096];
    size_t size = 0;
    CHECK_OK(rondo_error_describe(error, text, sizeof text, &size));
    CHECK_EQ_INT(size, strlen(text));
    return text;
}

KIT_TEST(describes_itself)
{
    rondo_error *error = error_of(RONDO_DOMAIN_RONDO, RONDO_E_TIMEOUT, "too slow");
    rondo_error *cause = error_of(RONDO_DOMAIN_POSIX, ECONNRESET, NULL);
    CHECK_EQ_STR(describe(error), "TimeoutError('too slow')");
    CHECK_OK(rondo_error_set_operation(cause, "recv"));
    CHECK_OK(rondo_error_set_cause(error, cause));
    CHECK_OK(rondo_error_release(cause));
    CHECK(strncmp(describe(error), "TimeoutError('too slow')\n", 25) == 0); /* causes: a line each */
    CHECK(strstr(describe(error), strerror(ECONNRESET)) != NULL);
    CHECK_OK(rondo_error_release(error));
}

KIT_TEST(describes_a_group)
{
    rondo_error *members[] = { kit_error(1, "apple"), kit_error(2, "pear") }, *group = NULL;
    CHECK_OK(rondo_error_group_new("fruit", members, 2, &group));
    CHECK(strstr(describe(group), "fruit") != NULL);
    CHECK(strstr(describe(group), "apple") != NULL);
    CHECK(strstr(describe(group), "pear") != NULL);
    for (int i = 0; i < 2; i++)
        CHECK_OK(rondo_error_release(members[i]));
    CHECK_OK(rondo_error_release(group));
}

/* Never truncated: -ERANGE, the length needed, nothing written; one byte more fits. */
KIT_TEST(buffers_that_are_too_small)
{
    rondo_error *error = error_of(RONDO_DOMAIN_RONDO, RONDO_E_TIMEOUT, "too slow");
    const size_t length = strlen("TimeoutError('too slow')");
    char buffer[64];
    size_t size = 0;
    CHECK_STATUS(rondo_error_describe(error, NULL, 0, &size), -ERANGE);
    CHECK_EQ_INT(size, length);
    for (size_t room = 0; room <= length; room++) {
        memset(buffer, '#', sizeof buffer);
        size = 0;
        CHECK_STATUS(rondo_error_describe(error, buffer, room, &size), -ERANGE);
        CHECK_EQ_INT(size, length);
        for (size_t i = 0; i < sizeof buffer; i++)
            CHECK_EQ_INT(buffer[i], '#');
    }
    CHECK_OK(rondo_error_describe(error, buffer, length + 1, &size));
    CHECK_EQ_STR(buffer, "TimeoutError('too slow')");
    CHECK_EQ_INT(buffer[length + 1], '#');
    CHECK_OK(rondo_error_describe(error, buffer, sizeof buffer, NULL));
    CHECK_OK(rondo_error_release(error));
}

/* ---- what was being handled ----------------------------------------------------------------- */

RONDO_STEP(handles_then_raises)
{
    struct frame *self = frame;
    RONDO_BEGIN(self);
    RONDO_TRY_AWAIT(self, self->future);
    expect_thrown(thrown, 1, "first");
    if (self->n == 1)
        return rondo_coroutine_raise(co, thrown); /* lets it pass: no context of its own */
    return rondo_coroutine_raise_new(co, RONDO_DOMAIN_USER, 2, "second");
    RONDO_END(self);
}

/* Raised while another was handled, that one is its context (__context__). */
KIT_TEST(context_of_what_was_handled)
{
    rondo_loop *loop = kit_loop();
    for (int n = 0; n < 2; n++) {
        struct frame frame = { .n = n, .future = future_of(loop) };
        rondo_error *first = kit_error(1, "first"), *error = NULL;
        CHECK_OK(rondo_future_set_exception(frame.future, first));
        rondo_future *done = run_frame(loop, handles_then_raises, &frame);
        CHECK_OK(rondo_future_exception(done, &error));
        CHECK_EQ_INT(rondo_error_get_code(error), n == 1 ? 1 : 2);
        CHECK_EQ_PTR(rondo_error_get_context(error), n == 0 ? first : NULL);
        CHECK_EQ_PTR(rondo_error_get_cause(error), NULL);
        CHECK_OK(rondo_error_release(error));
        end_future(done);
        end_future(frame.future);
        CHECK_OK(rondo_error_release(first));
    }
    kit_loop_end(loop);
}

/* ---- across threads ------------------------------------------------------------------------- */

static void *retain_and_release(void *arg)
{
    for (int i = 0; i < 20000; i++) {
        CHECK_OK(rondo_error_retain(arg));
        CHECK_EQ_INT(rondo_error_get_code(arg), 7);
        CHECK_OK(rondo_error_release(arg));
    }
    return NULL;
}

KIT_TEST(references_from_many_threads)
{
    rondo_error *error = kit_error(7, "shared");
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        threads[i] = kit_thread_start(retain_and_release, error);
    for (int i = 0; i < 4; i++)
        kit_thread_join(threads[i]);
    CHECK_OK(rondo_error_release(error));
    CHECK_STATUS(rondo_error_release(error), RONDO_E_STALE_HANDLE);
}
