# oldest: 3.13
# shutdown_asyncgens() and the end of run(): what is closed, in what order, and what is reported.
import asyncio
import warnings
from parity import Boom, error_text, say, watch

warnings.simplefilter("ignore")


async def body(name, count, fails=None):
    try:
        yield name
    except BaseException as error:
        say(f"{name}: {error_text(error)}")
        for _ in range(count):
            await asyncio.sleep(0)
        if fails is not None:
            raise fails
        raise
    finally:
        say(f"{name} ended")


async def first(*args):
    generator = body(*args)
    await generator.__anext__()
    return generator


def listed(loop):
    # A set has no order; what is registered is put into the order of its names.
    loop._asyncgens = {g: None for g in sorted(loop._asyncgens, key=lambda g: g.ag_frame.f_locals["name"])}


def handler(loop, context):
    what = "asyncgen" if "asyncgen" in context else "task" if "task" in context or "future" in context else "none"
    say(f"handler: {what}: {context['message'].split('<')[0].rstrip()}: {error_text(context['exception'])}")


async def shutdown():
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(handler)
    kept = [await first("a", 2), await first("b", 1, Boom("b")), await first("c", 0), body("d", 0),
            await first("e", 0, asyncio.CancelledError()), await first("f", 3, TypeError("f"))]
    listed(loop)
    await loop.shutdown_asyncgens()
    say("closed")
    loop._asyncgens = set()
    await loop.shutdown_asyncgens()
    late = await first("late", 1)
    await loop.shutdown_asyncgens()
    return kept, late


async def background():
    g = await first("background", 1)
    try:
        await asyncio.sleep(3600)
    finally:
        say("task ended")
        del g  # a traceback would keep it longer


async def left():
    global kept
    asyncio.get_running_loop().set_exception_handler(handler)
    task = asyncio.create_task(background())
    kept = await first("kept", 2)
    await asyncio.sleep(0)
    say("main ended")


async def dropped_late():
    """What main drops last is closed by a task that the end of run() cancels before it began."""
    asyncio.get_running_loop().set_exception_handler(handler)
    g = await first("dropped", 2)
    h = await first("failing", 0, Boom("failing"))
    del g, h
    say("main ended")


for part in shutdown, left, dropped_late:
    say("- " + part.__name__)
    asyncio.run(part())
say("- end")
