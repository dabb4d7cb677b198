// Posting with Asio: asio::post from any thread; the hint says that one thread runs the context.
#include "threads.h"

#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>

struct loop {
    asio::io_context context{1};
    asio::executor_work_guard<asio::io_context::executor_type> guard{context.get_executor()};
};

static struct loop *loop_make()
{
    return new loop;
}

static void loop_post(struct loop *loop, call_fn fn, void *arg)
{
    asio::post(loop->context, [fn, arg] { fn(arg); });
}

static void loop_run(struct loop *loop)
{
    loop->context.run();
    loop->context.restart();
}

static void loop_end(struct loop *loop)
{
    loop->context.stop();
}
