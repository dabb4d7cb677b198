# oldest: 3.11
# sleep(0) and less are one pass and return the result (T-12).
import asyncio
from parity import Ticks, new_loop, say

loop = new_loop()


async def main():
    for delay in (0, -1):
        ticks = Ticks(loop)
        value = await asyncio.sleep(delay, "nap")
        say(f"{value} after {ticks.stop()}")
    ticks = Ticks(loop)
    for _ in range(3):
        await asyncio.sleep(0)
    say(f"three after {ticks.stop()}")
    say(str(await asyncio.sleep(0.001, "long nap")))


loop.run_until_complete(main())
loop.close()
