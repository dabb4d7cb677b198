# oldest: 3.11
# shield: the outside is cancelled alone, the inside takes the outside along (G-12, G-13).
import asyncio
from parity import Boom, new_loop, outcome, say

loop = new_loop()


async def main():
    inner = loop.create_future()
    outer = asyncio.shield(inner)
    say(f"cancel: {int(outer.cancel())}")
    outcome("outer", outer)
    outcome("inner", inner)
    inner.set_result("kept")
    await asyncio.sleep(0)
    outcome("inner", inner)
    inner = loop.create_future()
    outer = asyncio.shield(inner)
    inner.cancel()
    await asyncio.sleep(0)
    outcome("outer", outer)
    inner = loop.create_future()
    outer = asyncio.shield(inner)
    inner.set_exception(Boom("through"))
    outcome("outer", outer)
    await asyncio.sleep(0)
    outcome("outer", outer)
    inner = loop.create_future()
    outer = asyncio.shield(inner)
    inner.set_result("x")
    await asyncio.sleep(0)
    outcome("outer", outer)


loop.run_until_complete(main())
loop.close()
