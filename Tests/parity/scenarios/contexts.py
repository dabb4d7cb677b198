# oldest: 3.11
# Which context callbacks, tasks and awaits run in (F-18, K-18, K-19, K-20).
import asyncio
import contextvars
from parity import new_loop, say

loop = new_loop()
var = contextvars.ContextVar("var", default="default")


def see(label, *_):
    say(f"{label}: {var.get()}")


def see_and_set(label):
    see(label)
    var.set("leak")


async def sets():
    see("child sees")
    var.set("child")


async def main():
    var.set("one")
    loop.call_soon(see_and_set, "soon")
    future = loop.create_future()
    future.add_done_callback(lambda future: see("done callback"))
    var.set("two")
    future.set_result(None)
    await asyncio.sleep(0)
    see("main")
    task = loop.create_task(sets())
    var.set("three")
    await task
    see("after the task")
    await sets()
    see("after the await")
    context = contextvars.copy_context()
    await loop.create_task(sets(), context=context)
    var.set("four")
    context.run(see, "in the given context")
    loop.call_soon(see, "soon in it", context=context)
    await asyncio.sleep(0)


loop.run_until_complete(main())
see("outside")
loop.close()
