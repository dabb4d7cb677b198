# oldest: 3.13
# TaskGroup: what fails, in which order, and what comes out (TG-01 to TG-04, TG-09, TG-14).
import asyncio
from parity import Boom, new_loop, say

loop = new_loop()


def tell(label, error):
    names = " ".join(str(member) for member in error.exceptions)
    say(f"{label}: {len(error.exceptions)}: {names}")


async def passes(name, count):
    for _ in range(count):
        await asyncio.sleep(0)
    say(name)


async def fails(name, count):
    for _ in range(count):
        await asyncio.sleep(0)
    raise Boom(name)


async def waits(name, fails):
    try:
        await loop.create_future()
    except asyncio.CancelledError:
        say(name + " cancelled")
        if fails:
            raise Boom(name)
        raise


async def group(label, *children, body=None, waits=False):
    task = asyncio.current_task()
    try:
        async with asyncio.TaskGroup() as tasks:
            for child in children:
                tasks.create_task(child)
            if waits:
                try:
                    await loop.create_future()
                finally:
                    say(f"body ends, cancelling: {task.cancelling()}")
            if body:
                raise body
    except BaseExceptionGroup as error:
        tell(label, error)
    else:
        say(label + ": no error")
    await asyncio.sleep(0)
    say(f"cancelling: {task.cancelling()}")


def try_child(label, tasks):
    coroutine = passes("not reached", 0)
    try:
        tasks.create_task(coroutine)
    except RuntimeError:
        say(label + ": RuntimeError")


async def states():
    tasks = asyncio.TaskGroup()
    try_child("not entered", tasks)
    async with tasks:
        pass
    try_child("finished", tasks)
    tasks = asyncio.TaskGroup()
    try:
        async with tasks:
            tasks.create_task(fails("one", 0))
            try:
                await asyncio.sleep(60)
            finally:
                try_child("shutting down", tasks)
    except BaseExceptionGroup as error:
        tell("group", error)


async def cancelled_child():
    async with asyncio.TaskGroup() as tasks:
        child = tasks.create_task(waits("child", False))
        tasks.create_task(passes("other", 4))
        await asyncio.sleep(0)
        child.cancel()
    say("no error")


async def main():
    await group("well", passes("three", 3), passes("one", 1))
    await group("empty")
    await group("fails", fails("one", 1), waits("sibling", False))
    await group("body waits", fails("one", 1), waits("sibling", False), waits=True)
    await group("two fail", fails("one", 1), waits("sibling", True))
    await group("same pass", fails("one", 1), fails("two", 1), fails("late", 5))
    await group("body raises", waits("child", True), passes("child", 1), body=Boom("body"))
    await group("body raises at once", waits("child", True), body=Boom("body"))
    await states()
    await cancelled_child()


loop.run_until_complete(main())
loop.close()
