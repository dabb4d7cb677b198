# oldest: 3.12
# The exception handler runs in the context of what failed, and what it sets stays there.
import asyncio
import contextvars
import gc
from parity import Boom, new_loop, say

var = contextvars.ContextVar("var", default="outer")
loop = new_loop()


def handler(loop, context):
    say(context["message"].split(" ")[0] + ": handler sees " + var.get())
    var.set("handler")


def callback(value):
    var.set(value)
    raise Boom("callback")


async def sets_and_raises(value):
    var.set(value)
    raise Boom("task")


async def main():
    var.set("main")
    loop.call_soon(callback, "soon")
    context = contextvars.Context()
    loop.call_soon(callback, "in context", context=context)
    loop.call_later(0, callback, "later", context=context)
    future = loop.create_future()
    future.add_done_callback(lambda future: callback("done callback"))
    future.set_result(None)
    await future
    await asyncio.sleep(0.005)
    task = loop.create_task(sets_and_raises("task"))
    other = loop.create_task(sets_and_raises("task in context"), context=context)
    for _ in range(3):
        waiter = loop.create_future()
        loop.call_soon(waiter.set_result, None)
        await waiter
    del task
    gc.collect()
    del other
    gc.collect()
    context.run(lambda: say("context has " + var.get()))
    say("main has " + var.get())


loop.set_exception_handler(handler)
loop.run_until_complete(main())
say("outside " + var.get())
loop.close()
