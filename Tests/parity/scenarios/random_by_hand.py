# oldest: 3.11
# Coroutines inside of coroutines, driven by hand with send, throw and close at random.
import types
from parity import Boom, say

seed = 0


def choose(count):
    global seed
    seed = (seed * 1664525 + 1013904223) % (1 << 32)
    return (seed >> 16) % count


@types.coroutine
def give(value):
    return (yield value)


async def body(depth):
    total = 0
    while True:
        what = choose(7)
        try:
            if what < 3:
                total += await give(depth * 10 + what)
            elif what == 3 and depth < 5:
                total += await body(depth + 1)
            elif what == 4:
                return total % 1000
            elif what == 5:
                raise Boom(f"b{depth}")
            else:
                total += 1
        except Boom as error:
            words.append(f"{depth}!{error}")
            if choose(2) == 0:
                raise
        except GeneratorExit:
            words.append(f"{depth}x")
            raise


def drive(coroutine):
    what = choose(8)
    try:
        if what < 6:
            words.append(f"s{coroutine.send(choose(9))}")
        elif what == 6:
            words.append(f"t{coroutine.throw(Boom('t'))}")
        else:
            coroutine.close()
            words.append("closed")
            return False
    except StopIteration as end:
        words.append(f"={end.value}")
        return False
    except Boom as error:
        words.append(f"!{error}")
        return False
    return True


for number_of_round in range(400):
    seed, words = number_of_round, []
    coroutine = body(0)
    try:
        words.append(f"s{coroutine.send(None)}")
        while drive(coroutine):
            pass
    except StopIteration as end:
        words.append(f"={end.value}")
    except Boom as error:
        words.append(f"!{error}")
    say(f"{number_of_round}: {' '.join(words)}")
