# oldest: 3.11
# A process pool: results in the order in which they are asked for, exceptions, cancelling.
import asyncio
import concurrent.futures
import multiprocessing
from parity import new_loop, outcome, say


def square(number):
    return number * number


def fail(number):
    raise ValueError(f"{number} is not good")


def wait_on(gate):
    gates[gate].wait()
    return "went"


def made(*given):
    global gates
    gates = given


async def main():
    context = multiprocessing.get_context("fork")
    gates = [context.Event()]
    pool = concurrent.futures.ProcessPoolExecutor(1, context, made, gates)
    futures = [loop.run_in_executor(pool, square, number) for number in range(5)]
    for future in futures:
        say(str(await future))
    try:
        await loop.run_in_executor(pool, fail, 7)
    except ValueError as error:
        say("raised " + str(error))
    say("gathered " + " ".join(map(str, await asyncio.gather(*[loop.run_in_executor(pool, square, n) for n in (3, 1, 2)]))))
    running = loop.run_in_executor(pool, wait_on, 0)
    # CPython hands one more call than it has processes to them: that one cannot be taken back.
    handed = [loop.run_in_executor(pool, square, 8) for _ in range(3)]
    queued = loop.run_in_executor(pool, square, 9)
    say("queued: " + str(queued.cancel()) + " again: " + str(queued.cancel()))
    for _ in range(3):
        await asyncio.sleep(0)
    outcome("queued", queued)
    gates[0].set()
    say(await running)
    for future in handed:
        say(str(await future))
    pool.shutdown()
    try:
        loop.run_in_executor(pool, square, 1)
    except RuntimeError as error:
        say(str(error))


loop = new_loop()
loop.run_until_complete(main())
loop.close()
