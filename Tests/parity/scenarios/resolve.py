# oldest: 3.11
# getaddrinfo and getnameinfo of numbers and of localhost: addresses, order of completion, what is refused.
import asyncio
import socket
from parity import new_loop, say

loop = new_loop()


async def addresses(host, service, family=0, flags=0):
    label = f"{host} {service}"
    try:
        found = await loop.getaddrinfo(host, service, family=family, type=socket.SOCK_STREAM, flags=flags)
    except socket.gaierror as error:
        say(f"{label}: gaierror {error.args[0]}")
        return
    for family, kind, protocol, name, address in found:
        say(f"{label}: {int(family)} {int(kind)} {protocol} {address[0]} {address[1]} {name or 'None'}")


async def names(address, flags):
    host, service = await loop.getnameinfo(address, flags)
    say(f"{host} {service}")


async def main():
    await addresses("127.0.0.1", "80")
    await addresses("::1", "65535")
    await addresses("192.0.2.7", None)
    await addresses(None, "80", socket.AF_INET)
    await addresses(None, "80", socket.AF_INET, socket.AI_PASSIVE)
    await addresses("127.0.0.1", "80", flags=socket.AI_CANONNAME)
    await addresses("no number", "80", flags=socket.AI_NUMERICHOST)
    await addresses("::1", "80", socket.AF_INET, socket.AI_NUMERICHOST)
    await addresses("127.0.0.1", "no number", flags=socket.AI_NUMERICSERV)
    await addresses("localhost", "80", socket.AF_INET)
    numeric = socket.NI_NUMERICHOST | socket.NI_NUMERICSERV
    await names(("127.0.0.1", 8080), numeric)
    await names(("::1", 443), numeric)
    # In whatever order they end, gather has them as they were asked.
    for found in await asyncio.gather(*(loop.getaddrinfo(host, 7, type=socket.SOCK_STREAM, family=socket.AF_INET)
                                        for host in ("localhost", "127.0.0.2", "localhost", "127.0.0.3"))):
        say(f"gathered: {found[0][4][0]} {found[0][4][1]}")
    await loop.shutdown_default_executor()


loop.run_until_complete(main())
loop.close()
