"""Fills a Synapse for the tests, in two halves: seed.py URL early, then seed.py URL late.

Between them the server's folder is copied, so that a test can let a server be away while the second half is
said. What is there after each half is written to seed.json, as the rows that a reader has to find.
"""

import json
import sys
import urllib.parse
import urllib.request
from concurrent.futures import ThreadPoolExecutor

BEGIN = 1_700_000_000_000
MINUTE = 60_000
NAMES = {"ann": "Ann Smith", "bob": "Bob", "helper": "Helper"}


class Server:
    def __init__(self, url):
        self.url = url

    def call(self, method, path, body=None, token="seeder", **query):
        address = f"{self.url}/_matrix/client/v3/{path}?{urllib.parse.urlencode(query)}"
        headers = {"Content-Type": "application/json"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(address, data, headers, method=method)
        with urllib.request.urlopen(request, timeout=60) as reply:
            return json.load(reply)

    def register(self, name):
        body = {"username": name, "password": "for tests", "auth": {"type": "m.login.dummy"}}
        token = self.call("POST", "register", body, None)["access_token"]
        self.call("PUT", f"profile/@{name}:localhost/displayname", {"displayname": NAMES[name]}, token)
        return token


class Room:
    """The room, and what a reader has to find in it."""

    def __init__(self, server, seed):
        self.server, self.seed, self.rows, self.authors = server, seed, seed["rows"], seed["authors"]

    def put(self, what, name, number, body):
        """As somebody, at a time; once, however often it is tried."""
        path = f"rooms/{self.seed['room']}/{what}/{what[0]}{number}"
        at = BEGIN + number * MINUTE
        reply = self.server.call("PUT", path, body, user_id=f"@{name}:localhost", ts=at)
        return reply["event_id"], at

    def say(self, number, text, root=None):
        name = ("ann", "bob")[number % 2]
        content = {"msgtype": "m.text", "body": text}
        if root:
            content["m.relates_to"] = {"rel_type": "m.thread", "event_id": root}
        event, _ = self.put("send/m.room.message", name, number, content)
        self.authors[event] = name
        self.rows[event] = {"text": text, "reply_to": root, "edited_at_ms": None, "reactions": 0,
                            "author": NAMES[name]}
        return event

    def edit(self, number, event, text):
        new = {"msgtype": "m.text", "body": text}
        relation = {"rel_type": "m.replace", "event_id": event}
        content = {**new, "body": f"* {text}", "m.new_content": new, "m.relates_to": relation}
        _, at = self.put("send/m.room.message", self.authors[event], number, content)
        self.rows[event].update(text=text, edited_at_ms=at)

    def react(self, number, event):
        relation = {"rel_type": "m.annotation", "event_id": event, "key": "+1"}
        self.put("send/m.reaction", "ann", number, {"m.relates_to": relation})
        self.rows[event]["reactions"] += 1

    def redact(self, number, event):
        self.put(f"redact/{event}", self.authors[event], number, {})
        del self.rows[event]


def half(room, first, messages, others):
    """Says so many messages, then something of some of them and of others."""
    with ThreadPoolExecutor(8) as pool:
        at_once = lambda act, items, begin: list(
            pool.map(lambda item: act(begin + item[0], *item[1]), enumerate(items)))
        said = at_once(room.say, [(f"message {n}",) for n in range(first, first + messages)], first)
        at = first + messages
        replies = [(f"reply {n}", root) for n, root in enumerate(others[::4] + said[::8])]
        at_once(room.say, replies, at)
        at_once(room.edit, [(e, f"edited {n}") for n, e in enumerate(others[1::8] + said[1::16])], at + 2_000)
        at_once(room.react, [(event,) for event in others[2::16]], at + 3_000)
        at_once(room.redact, [(event,) for event in others[3::16] + said[5::32]], at + 4_000)
    return said


def main(url, which):
    server = Server(url)
    if which == "early":
        tokens = {name: server.register(name) for name in NAMES}
        room = {"preset": "public_chat", "name": "General", "topic": "What we do"}
        room = server.call("POST", "createRoom", room, tokens["ann"])["room_id"]
        for name in ("bob", "helper"):
            server.call("POST", f"join/{room}", {}, tokens[name])
        seed = {"room": room, "tokens": tokens, "rows": {}, "authors": {}}
        seed["said"] = half(Room(server, seed), 0, 480, [])
    else:
        with open("seed.json") as file:
            seed = json.load(file)
        half(Room(server, seed), 10_000, 1_600, [e for e in seed["said"] if e in seed["rows"]])
    with open("seed.json", "w") as file:
        json.dump(seed, file)


main(*sys.argv[1:])
