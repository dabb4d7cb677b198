# oldest: 3.11
# Context variables: run_in_executor takes none along, to_thread a copy.
import asyncio
import contextvars
from parity import new_loop, say

loop = new_loop()
var = contextvars.ContextVar("var", default="default")


def see_and_set():
    seen = var.get()
    var.set("set in the job")
    return seen


async def main():
    var.set("main's")
    say("to_thread sees " + await asyncio.to_thread(see_and_set))
    say("main sees " + var.get())
    say("run_in_executor sees " + await loop.run_in_executor(None, var.get))
    say("to_thread sees " + await asyncio.to_thread(var.get))
    await loop.shutdown_default_executor()


loop.run_until_complete(main())
loop.close()
