"""A SOCKS4 and SOCKS4a proxy that checks the userid, made of Twisted's own implementation of the protocol.

Debian has no such program: dante reads 4a names as the address 0.0.0.1 and ignores the userid. Names are resolved here
from a given table, so that a test can use a name which nothing else on the machine knows. Prints one line of JSON for
each request.
"""

import argparse
import json
import sys
import time

from twisted.internet import defer, reactor
from twisted.internet.protocol import Factory
from twisted.protocols.socks import SOCKSv4, SOCKSv4Outgoing


class Resolver:
    """The part of the reactor that SOCKSv4 uses: names to addresses, and the name remembered for the log."""

    def __init__(self, names):
        self.names = names
        self.asked = {}

    def resolve(self, name):
        text = name.decode("utf-8", "replace")
        if text not in self.names:
            return defer.fail(LookupError(f"this proxy does not know the name {text}"))
        return defer.succeed(self.names[text])


class Outgoing(SOCKSv4Outgoing):
    def connectionMade(self):
        self.socks.report(granted=True, peer_port=self.transport.getHost().port)
        super().connectionMade()


class Proxy(SOCKSv4):
    user = ""
    target = ""
    name = None

    def dataReceived(self, data):
        # The name of a 4a request is gone once it is resolved; keep it for the log.
        if not self.otherConn and not self.target:
            self.name = self._name_in(self.buf + data)
        super().dataReceived(data)

    @staticmethod
    def _name_in(packet):
        if len(packet) < 9 or packet[4:7] != b"\0\0\0" or packet[7:8] == b"\0":
            return None
        parts = packet[8:].split(b"\0")
        return parts[1].decode("utf-8", "replace") if len(parts) > 2 else None

    def authorize(self, code, server, port, user):
        self.user = user.decode("utf-8", "replace")
        self.target = f"{self.name or server}:{port}"
        allowed = self.factory.user is None or self.user == self.factory.user
        if not allowed:
            self.report(granted=False, peer_port=None)
        return allowed

    def connectClass(self, host, port, klass, *args):
        return super().connectClass(host, port, Outgoing, *args)

    def report(self, granted, peer_port):
        entry = {"at": time.time() * 1000, "user": self.user or None, "target": self.target}
        print(json.dumps({**entry, "peerPort": peer_port, "granted": granted}), flush=True)


class ProxyFactory(Factory):
    def __init__(self, user, names):
        self.user = user
        self.resolver = Resolver(names)

    def buildProtocol(self, address):
        proxy = Proxy(None, self.resolver)
        proxy.factory = self
        return proxy


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--port", type=int, required=True)
    arguments.add_argument("--user")
    arguments.add_argument("--name", action="append", default=[], help="a name that means this machine")
    given = arguments.parse_args()
    names = {name: "127.0.0.1" for name in ["localhost", *given.name]}
    reactor.listenTCP(given.port, ProxyFactory(given.user, names), interface="127.0.0.1")
    reactor.run()


if __name__ == "__main__":
    sys.exit(main())
