# oldest: 3.11
# cancel(message) arrives as it was given, through nested awaits (C-20), also before the first step.
import asyncio
from parity import new_loop, outcome, say, say_error

loop = new_loop()


async def inner():
    say("inner waits")
    try:
        await loop.create_future()
    except asyncio.CancelledError as error:
        say_error("inner", error)
        raise


async def outer():
    try:
        await inner()
    except asyncio.CancelledError as error:
        say_error("outer", error)
        raise


async def main():
    task = loop.create_task(outer())
    await asyncio.sleep(0)
    say(f"cancel: {int(task.cancel('enough'))} {task.cancelling()}")
    outcome("not yet", task)
    try:
        await task
    except asyncio.CancelledError as error:
        say_error("main", error)
    outcome("task", task)
    say(f"cancel of done: {int(task.cancel())}")
    task = loop.create_task(outer())
    task.cancel()
    try:
        await task
    except asyncio.CancelledError as error:
        say_error("main", error)
    say("outer never started")


loop.run_until_complete(main())
loop.close()
