# oldest: 3.13
# TaskGroup and cancellation: from outside, with an error, again and again, nested (TG-05 to TG-10).
import asyncio
from parity import Boom, new_loop, outcome, say, say_error

loop = new_loop()


async def child(name, fails=False, slow=0):
    try:
        await loop.create_future()
    except asyncio.CancelledError:
        for _ in range(slow):
            await asyncio.sleep(0)
        say(name + " ends")
        if fails:
            raise Boom(name)
        raise


async def fails(name):
    raise Boom(name)


async def parent(waits, **options):
    task = asyncio.current_task()
    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(child("child", **options))
            if waits:
                await loop.create_future()
    except BaseExceptionGroup as error:
        say(f"group of {len(error.exceptions)}, cancelling: {task.cancelling()}")
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            say(f"again, cancelling: {task.cancelling()}")
    except asyncio.CancelledError as error:
        say_error("left by", error)
        say(f"cancelling: {task.cancelling()}")
        raise


async def nested(both):
    task = asyncio.current_task()
    try:
        async with asyncio.TaskGroup() as outer:
            outer.create_task(fails("outer"))
            try:
                async with asyncio.TaskGroup() as inner:
                    inner.create_task(fails("inner") if both else child("inner"))
                    await asyncio.sleep(60)
            except BaseException as error:
                say(f"inner: {type(error).__name__}, cancelling: {task.cancelling()}")
                if not both:
                    raise
            await asyncio.sleep(60)
    except BaseExceptionGroup as error:
        say(f"outer: {len(error.exceptions)} {error.exceptions[0]}, cancelling: {task.cancelling()}")


async def main():
    for waits in (True, False):
        for options in ({}, {"fails": True}, {"slow": 3}):
            task = loop.create_task(parent(waits, **options))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            task.cancel("test")
            for _ in range(3):
                await asyncio.sleep(0)
            say("pending: " + str(not task.done()))
            if options.get("slow"):
                task.cancel("later")
            await asyncio.wait([task])
            outcome("task", task)
    await nested(True)
    await nested(False)


loop.run_until_complete(main())
loop.close()
