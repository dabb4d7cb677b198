# oldest: 3.11
# set_task_factory: who asks it, in which order tasks are made, what a factory that fails does.
import asyncio
from parity import Boom, new_loop, outcome, say

loop = new_loop()
made = 0


def factory(loop, coro, **options):
    global made
    made += 1
    say(f"factory {made}: {coro.__name__}")
    return asyncio.Task(coro, loop=loop, **options)


def failing(loop, coro, **options):
    coro.close()
    raise Boom("no task")


def replacing(loop, coro, **options):
    say("replacing")
    loop.set_task_factory(None)
    return asyncio.Task(coro, loop=loop, **options)


async def one():
    say("one runs")
    return "one"


async def two():
    say("two runs")
    return "two"


async def main():
    say("main runs")
    task = loop.create_task(one())
    both = asyncio.gather(two(), one())
    ensured = asyncio.ensure_future(two())
    await task
    await both
    await ensured
    outcome("task", task)
    loop.set_task_factory(failing)
    try:
        loop.create_task(one())
    except Boom as error:
        say("failed: " + str(error))
    loop.set_task_factory(replacing)
    outcome("replaced", await done(loop.create_task(one())))
    say("factory is set: " + str(int(loop.get_task_factory() is not None)))
    outcome("plain", await done(loop.create_task(two())))


async def done(task):
    await task
    return task


loop.set_task_factory(factory)
say("is set: " + str(int(loop.get_task_factory() is factory)))
loop.run_until_complete(main())
loop.close()
