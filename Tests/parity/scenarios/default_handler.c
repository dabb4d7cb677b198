/* What the default exception handler logs, and what becomes of a handler that raises (D-02, D-03). */
#include "parity.h"

static void say_first_line(int32_t level, const char *message, const rondo_log_field *fields, size_t count, void *arg)
{
    (void)fields, (void)count, (void)arg;
    say("%s: %.*s", level == RONDO_LOG_ERROR ? "ERROR" : "?", (int)strcspn(message, "\n"), message);
}

static void bad_handler(rondo_loop *of, rondo_exception_context *context, void *arg)
{
    rondo_error *error = new_error("handler");

    (void)context, (void)arg;
    MUST(rondo_loop_raise(of, error));
    rondo_error_release(error);
}

static void handle(const char *message, rondo_error *error)
{
    rondo_exception_context *context = NULL;

    MUST(rondo_exception_context_new(message, &context));
    if (error != NULL)
        MUST(rondo_exception_context_set_error(context, error));
    MUST(rondo_loop_call_exception_handler(loop, context));
    rondo_exception_context_release(context);
    rondo_error_release(error);
}

int main(void)
{
    loop = new_loop();
    MUST(rondo_log_set_sink(say_first_line, NULL, NULL));
    say("default");
    MUST(rondo_loop_set_exception_handler(loop, NULL, NULL, NULL));
    handle(NULL, NULL);
    handle("only a message", NULL);
    handle("with an error", new_error("lost"));
    say("a handler that raises");
    MUST(rondo_loop_set_exception_handler(loop, bad_handler, NULL, NULL));
    handle("first", NULL);
    say("a logger that does not listen");
    MUST(rondo_loop_set_exception_handler(loop, NULL, NULL, NULL));
    MUST(rondo_log_set_level(RONDO_LOG_CRITICAL));
    handle("unheard", NULL);
    return finish();
}
