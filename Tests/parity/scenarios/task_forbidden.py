# oldest: 3.11
# A task can neither await itself nor a foreign future, nor be completed from outside (K-06, K-07, F-15).
import asyncio
from parity import Boom, attempt, new_loop, outcome, say, say_error

loop = new_loop()
other = new_loop()
foreign = other.create_future()


async def itself():
    try:
        await asyncio.current_task()
    except RuntimeError as error:
        say_error("itself", error)
    try:
        await foreign
    except RuntimeError as error:
        say("foreign: RuntimeError " + str(int("attached to a different loop" in str(error))))
    await asyncio.sleep(0)
    return "fine"


task = loop.create_task(itself())
attempt("set_result", task.set_result, "x")
attempt("set_exception", task.set_exception, Boom("x"))
outcome("task", task)
loop.run_until_complete(task)
outcome("task", task)
other.close()
loop.close()
