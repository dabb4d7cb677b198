# oldest: 3.12
# An eager task runs to its first wait inside create_task (E-01, E-02, E-04, E-07).
import asyncio
from parity import Boom, new_loop, outcome, say

loop = new_loop()


async def blocks():
    say("step 1")
    await asyncio.sleep(0)
    say("step 2")
    return "blocked"


async def returns():
    say("no wait")
    return "at once"


async def raises():
    raise Boom("eager")


async def who(parent):
    say(f"another task: {int(asyncio.current_task() is not parent)}")


async def main():
    parent = asyncio.current_task()
    task = loop.create_task(blocks())
    say("made")
    outcome("blocks", task)
    await task
    outcome("blocks", task)
    task = loop.create_task(returns())
    outcome("returns", task)
    say(f"cancel of done: {int(task.cancel())}")
    outcome("returns", task)
    outcome("raises", loop.create_task(raises()))
    task = loop.create_task(blocks())
    say(f"cancel of blocked: {int(task.cancel())}")
    try:
        await task
    except asyncio.CancelledError:
        say("cancelled")
    outcome("blocks", task)
    loop.create_task(who(parent))
    say(f"still the parent: {int(asyncio.current_task() is parent)}")


loop.set_task_factory(asyncio.eager_task_factory)
before = loop.create_task(returns())
say("not running: not eager")
loop.run_until_complete(main())
outcome("before", before)
loop.close()
