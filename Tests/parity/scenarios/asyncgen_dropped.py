# oldest: 3.13
# Generators that are dropped half-way: when their cleaning up runs, in which task, in which context.
import asyncio
import contextvars
import gc
from parity import Boom, new_loop, say

gc.disable()
loop = new_loop()
variable = contextvars.ContextVar("variable", default="unset")


async def passes(count):
    for _ in range(count):
        await asyncio.sleep(0)


async def body(name, count, fails=False):
    try:
        yield name
        yield name
    finally:
        say(f"{name} ends in a task: {asyncio.current_task() is not main_task}, {variable.get()}")
        await passes(count)
        if fails:
            raise Boom(name)
        say(f"{name} ended")


async def first(name, count=0, fails=False):
    generator = body(name, count, fails)
    say("first " + await generator.__anext__())
    return generator


async def order():
    g = await first("a")
    del g
    loop.call_soon(say, "call after a")
    say("dropped a")
    h, i = await first("b", 2), await first("c", 1)
    del i
    del h
    say("dropped c, b")
    await passes(6)


async def in_context():
    g = await first("d")
    variable.set("set")
    del g
    variable.set("later")
    await passes(3)


async def breaks():
    async for name in body("e", 1):
        say("item " + name)
        break
    say("after the loop")
    await passes(4)


async def in_a_callback():
    g = [await first("f")]
    loop.call_soon(g.clear)
    await passes(1)
    say("one pass")
    await passes(1)
    say("two passes")
    await passes(2)


async def failing():
    g = await first("g", 1, True)
    del g
    await passes(5)


async def finished():
    g = await first("h")
    await g.aclose()
    del g
    g = body("i", 0)
    del g
    say("nothing to do")
    await passes(2)


async def unawaited():
    """Asked, but never begun: closed in a task, which has nothing to do."""
    g = body("j", 0)
    once = g.__anext__()
    once.close()
    del once, g
    tasks = len(asyncio.all_tasks())
    await passes(1)
    say(f"tasks more: {len(asyncio.all_tasks()) - tasks}")
    await passes(2)


async def main():
    global main_task
    main_task = asyncio.current_task()
    for part in order, in_context, breaks, in_a_callback, failing, finished, unawaited:
        say("- " + part.__name__)
        await part()


loop.run_until_complete(main())
loop.close()
