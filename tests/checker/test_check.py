"""Tests of check.py: what it must accept, and a battery of what it must not.

    python3 tests/checker/test_check.py

The logs are made here, by other means than the checker's: trees by the recursion of RFC 6962.
"""

import base64
import contextlib
import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
import unittest.mock

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import check  # noqa: E402
from ecdsa import Ed25519, SigningKey  # noqa: E402

LOG = "deploys.example.com/log"
PROGRAM = os.path.join(os.path.dirname(os.path.abspath(__file__)), "check.py")


def b64(data):
    return base64.b64encode(data).decode()


class Signer:
    def __init__(self, seed, name=LOG):
        seed = hashlib.sha256(seed.encode()).digest()
        self.key, self.name = SigningKey.from_string(seed, curve=Ed25519), name
        public = b"\x01" + self.key.get_verifying_key().to_string()
        self.id = hashlib.sha256(name.encode() + b"\n" + public).digest()[:4]
        self.vkey = f"{name}+{self.id.hex()}+{b64(public)}"

    def sign(self, text):
        return self.key.sign(text.encode())

    def line(self, text):
        return f"\u2014 {self.name} {b64(self.id + self.sign(text))}\n"

    def trusted(self):
        return check.parse_key(self.vkey, "--key")


A, B, C, D = (Signer(seed) for seed in "abcd")
OTHER_LOG = Signer("a", "other.example.com/log")


def leaf(body):
    return hashlib.sha256(b"\0" + body).digest()


def node(left, right):
    return hashlib.sha256(b"\1" + left + right).digest()


def largest_power_below(n):
    power = 1
    while power * 2 < n:
        power *= 2
    return power


class Tree:
    """RFC 6962 by the letter, remembering what it has hashed."""

    def __init__(self, bodies):
        self.leaves, self.known = [leaf(body) for body in bodies], {}

    def root(self, start, end):
        if end - start == 1:
            return self.leaves[start]
        if (start, end) not in self.known:
            middle = start + largest_power_below(end - start)
            self.known[start, end] = node(self.root(start, middle), self.root(middle, end))
        return self.known[start, end]

    def path(self, index, start, end):
        if end - start == 1:
            return []
        middle = start + largest_power_below(end - start)
        if index < middle:
            return self.path(index, start, middle) + [self.root(middle, end)]
        return self.path(index, middle, end) + [self.root(start, middle)]


class Private:
    def __init__(self, value, kind="private"):
        self.value, self.kind = value, kind


class Log:
    """A log in memory. What is Private in an entry becomes a commitment and a row."""

    def __init__(self, name=LOG):
        self.name, self.bodies, self.rows = name, [], []
        self.add("log.opened", {"note": "made by a test"})

    def add(self, action, detail=None, actor=None, **changed):
        seq = len(self.bodies) + 1
        detail = self.commit(seq, [], detail or {})
        actor = self.commit(seq, ["actor"], actor or {"kind": "countersign"})
        entry = {"v": 2, "log": self.name, "seq": seq, "at": "2026-01-02T03:04:05Z"}
        entry.update({"action": action, "actor": actor, "detail": detail}, **changed)
        self.raw(json.dumps(entry, ensure_ascii=False, separators=(",", ":")).encode())
        return seq

    def raw(self, body):
        self.bodies.append(body)

    def commit(self, seq, path, part):
        if isinstance(part, Private):
            name, text = ".".join(path), json.dumps(part.value, ensure_ascii=False)
            salt = hashlib.sha256(f"salt of {seq} {name}".encode()).digest()
            row = {"seq": seq, "name": name, "salt": b64(salt), "value": text}
            self.rows.append(row)
            return {part.kind: b64(hashlib.sha256(salt + text.encode()).digest())}
        if isinstance(part, dict):
            return {key: self.commit(seq, path + [key], value) for key, value in part.items()}
        if isinstance(part, list):
            return [self.commit(seq, path + [str(i)], value) for i, value in enumerate(part)]
        return part

    def rotate(self, old, new, signed_by=None, **changed):
        text = f"countersign key rotation\n{self.name}\n{old.vkey}\n{new.vkey}\n"
        first, second = signed_by or (old, new)
        detail = {"from": old.vkey, "to": new.vkey}
        detail["signed_by_from"] = b64(first.sign(text))
        detail["signed_by_to"] = b64(second.sign(text))
        return self.add("key.rotated", {**detail, **changed})

    def erase(self, *names, drop=True):
        """Says that (seq, name) pairs are erased, and takes their rows away."""
        if drop:
            self.rows = [row for row in self.rows if (row["seq"], row["name"]) not in names]
        return self.add("private.erased", {"erased": [{"seq": s, "name": n} for s, n in names]})

    def checkpoint(self, *signers, size=None, root=None, origin=None, extra=""):
        root = root or Tree(self.bodies).root(0, len(self.bodies))
        text = f"{origin or self.name}\n{size or len(self.bodies)}\n{b64(root)}\n{extra}"
        return text + "\n" + "".join(signer.line(text) for signer in signers or (A,))

    def export(self, *signers, private=True):
        """The files of an export, by name."""
        files = {"checkpoint": self.checkpoint(*signers).encode()}
        tree, count, level = Tree(self.bodies), len(self.bodies), 0
        while count >> 8 * level:
            span = 256**level
            for first in range(0, count // span, 256):
                ends = range(first, min(first + 256, count // span))
                name = self.tile_name(first // 256, len(ends))
                hashes = (tree.root(i * span, (i + 1) * span) for i in ends)
                files[f"tile/{level}/{name}"] = b"".join(hashes)
                if level == 0:
                    files[f"tile/entries/{name}"] = bundle(self.bodies[i] for i in ends)
            level += 1
        if private:
            files["private.ndjson"] = ndjson(self.rows)
        return files

    @staticmethod
    def tile_name(number, width):
        name = f"{number % 1000:03d}"
        while number >= 1000:
            number //= 1000
            name = f"x{number % 1000:03d}/{name}"
        return name if width == 256 else f"{name}.p/{width}"

    def receipt(self, request, seqs, *signers, **changed):
        tree, size = Tree(self.bodies), len(self.bodies)
        entries = []
        for seq in seqs:
            rows = [dict(row) for row in self.rows if row["seq"] == seq]
            private = [{k: row[k] for k in ("name", "salt", "value")} for row in rows]
            path = [b64(part) for part in tree.path(seq - 1, 0, size)]
            body = self.bodies[seq - 1].decode()
            entries.append({"seq": seq, "body": body, "private": private, "proof": path})
        receipt = {"format": "countersign.receipt/v1", "request": request, "log": self.name}
        receipt.update(keys=[A.vkey], checkpoint=self.checkpoint(*signers), entries=entries)
        return {**receipt, **changed}


def bundle(bodies):
    return b"".join(len(body).to_bytes(2, "big") + body for body in bodies)


def ndjson(rows):
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def person(login, number=7):
    return {"kind": "person", "forge": "github", "id": number, "login": Private(login)}


def sized(size, rows=True):
    """A log of so many entries, some of them with private values."""
    log = Log()
    while len(log.bodies) < size:
        if rows and len(log.bodies) % 5 == 1:
            log.add("answered", {"why": Private(["Größe", {"n": 1}]), "n": 3}, person("ann"))
        else:
            log.add("stage.passed", {"stage": "ci", "n": len(log.bodies)})
    return log


def story(**changed):
    """A release: requested, approved, triggered, succeeded, with other entries between them."""
    log, sha = Log(), {"sha": "5b1fe0c0ffee5b1fe0c0ffee5b1fe0c0ffee0001"}
    about = {"request": 42, "service": "shop", "environment": "prod", **sha}
    seqs = [log.add("requested", about, person("ann"))]
    log.add("stage.passed", {"stage": "ci"})
    evidence = {"titles": Private(["Größe"]), "approvals": [person("bob", 8)]}
    seqs.append(log.add("approved", {**about, **evidence}, person("bob", 8)))
    seqs.append(log.add("triggered", {**about, **changed}))
    log.add("requested", {"request": 43, "service": "shop"})
    seqs.append(log.add("succeeded", about))
    log.add("stage.passed", {"stage": "ci"})
    return log, seqs


class Case(unittest.TestCase):
    def verdict(self, files, *signers):
        """What the checker says about an export: None if it is good."""
        with tempfile.TemporaryDirectory() as folder:
            write(folder, files)
            return self.outcome(check.check_export, folder, signers)

    def verdict_of_receipt(self, receipt, *signers):
        data = receipt if isinstance(receipt, bytes) else json.dumps(receipt).encode()
        return self.outcome(check.check_receipt, data, signers)

    def outcome(self, function, what, signers):
        self.said = None
        try:
            self.said = function(what, [signer.trusted() for signer in signers or (A,)])
        except check.Bad as bad:
            return str(bad)
        self.assertTrue(self.said.startswith("ok: "), self.said)
        return None

    def good(self, files, *signers):
        self.assertIsNone(self.verdict(files, *signers))

    def bad(self, files, pattern="", *signers):
        self.assertRegex(self.verdict(files, *signers) or "accepted", f"^(?!accepted).*{pattern}")

    def good_receipt(self, receipt, *signers):
        self.assertIsNone(self.verdict_of_receipt(receipt, *signers))

    def bad_receipt(self, receipt, pattern="", *signers):
        verdict = self.verdict_of_receipt(receipt, *signers) or "accepted"
        self.assertRegex(verdict, f"^(?!accepted).*{pattern}")


def write(folder, files):
    for name, data in files.items():
        path = os.path.join(folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        # A new file each time: some file systems wait for the disk where an old one is cut.
        with contextlib.suppress(FileNotFoundError):
            os.remove(path)
        with open(path, "wb") as file:
            file.write(data)


def flips(data, bits=1):
    """The data with one bit turned round: so many bits of every byte."""
    for at in range(len(data)):
        for bit in range(bits):
            yield data[:at] + bytes([data[at] ^ 1 << (at + bit) % 8]) + data[at + 1 :]


class Pieces(Case):
    def test_the_tree_is_the_one_of_other_logs(self):
        bodies = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657"]
        bodies.append("606162636465666768696a6b6c6d6e6f")
        roots = """
            6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d
            fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125
            aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77
            d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7
            4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4
            76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef
            ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c
            5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328
        """.split()
        leaves = [check.leaf_hash(bytes.fromhex(body)) for body in bodies]
        for size, root in enumerate(roots, 1):
            self.assertEqual(check.tree_hash(leaves[:size]).hex(), root)

    def test_every_path_of_small_trees(self):
        for size in range(1, 34):
            tree = Tree(b"%d" % i for i in range(size))
            root = tree.root(0, size)
            self.assertEqual(check.tree_hash(tree.leaves), root)
            for index in range(size):
                path = tree.path(index, 0, size)
                for other in range(size):
                    try:
                        found = check.root_by_path(other, size, tree.leaves[index], path, "")
                    except check.Bad:
                        found = None
                    self.assertEqual(found == root, other == index, (size, index, other))

    def test_signatures_are_those_of_the_standard(self):
        public = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
        signature = (
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
            "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
        )
        key = check.Key("a", b"", bytes.fromhex(public), "")
        signature = bytes.fromhex(signature)
        self.assertTrue(check.is_signed(key, signature, b""))
        self.assertFalse(check.is_signed(key, signature, b"a"))
        # The same signature with another spelling of its number.
        order = 2**252 + 27742317777372353535851937790883648493
        number = int.from_bytes(signature[32:], "little") + order
        other = signature[:32] + number.to_bytes(32, "little")
        self.assertFalse(check.is_signed(key, other, b""))

    def test_where_tiles_are(self):
        self.assertEqual(check.tile_name(0, 1234067, 256), "tile/0/x001/x234/067")
        tiles = list(check.tiles("entries", 256 * 1001 + 7))
        self.assertEqual(tiles[0], ("tile/entries/000", 256))
        self.assertEqual(tiles[999:1001], [("tile/entries/999", 256), ("tile/entries/x001/000", 256)])
        self.assertEqual(tiles[1001:], [("tile/entries/x001/001.p/7", 7)])

    def test_base64_has_one_spelling(self):
        check.unbase64("AAECAw==", "", 4)
        for wrong in ("AAECAx==", "AAECAw=", "AAECAw", "AAEC Aw==", "AAECAw==\n", "AAEC-w==", "ä", None, 1):
            with self.assertRaises(check.Bad, msg=wrong):
                check.unbase64(wrong, "")

    def test_keys(self):
        check.parse_key(A.vkey, "")
        name, number, data = A.vkey.split("+", 2)
        for wrong in (
            None,
            "",
            "a+b",
            f"{name}x+{number}+{data}",
            f"+{number}+{data}",
            f"{name}+00000000+{data}",
            f"{name}+{number.upper()}+{data}" if number.upper() != number else "",
            f"{name}+{number}+{data[:-4]}",
            Signer("a", "two words").vkey,
            Signer("a", "").vkey,
            f"{name}+{number}+{data}\n",
        ):
            with self.assertRaises(check.Bad, msg=wrong):
                check.parse_key(wrong, "")

    def test_what_is_shown_cannot_move_the_cursor(self):
        self.assertEqual(check.shown("a\x1b[2J\u202eb\nc\ud800"), "a\\x1b[2J\\u202eb\\nc\\ud800")
        self.assertEqual(check.shown("Größe, ok"), "Größe, ok")


class Exports(Case):
    def test_many_sizes(self):
        for size in (1, 2, 3, 4, 5, 127, 255, 256, 257, 511, 512, 513, 600):
            with self.subTest(size=size):
                self.good(sized(size).export())

    def test_three_levels_of_tiles(self):
        size = 65536 + 256 + 1
        files = sized(size, rows=False).export()
        self.assertIn("tile/2/000.p/1", files)
        self.assertIn("tile/0/257.p/1", files)
        self.good(files)
        self.assertRegex(self.said, f"^ok: log {LOG}, size {size}, root .*=, {size} entries")
        for name in ("tile/1/001.p/1", "tile/2/000.p/1"):
            data = files[name]
            changed = {name: data[:-1] + bytes([data[-1] ^ 1])}
            with tempfile.TemporaryDirectory() as folder:
                write(folder, {**files, **changed})
                verdict = self.outcome(check.check_export, folder, ())
            self.assertTrue(verdict.startswith(f"{name}: "), verdict)

    def test_a_bit_anywhere(self):
        log = sized(4)
        log.erase((2, "why"))
        files = log.export()
        self.good(files)
        with tempfile.TemporaryDirectory() as folder:
            write(folder, files)
            for name, data in files.items():
                for changed in flips(data, 1 if name.startswith("tile/entries") else 8):
                    write(folder, {name: changed})
                    verdict = self.outcome(check.check_export, folder, ())
                    self.assertIsNotNone(verdict, (name, changed))
                write(folder, {name: data})

    def test_a_bit_in_each_tile(self):
        files = sized(600).export()
        for name, data in files.items():
            if name.startswith("tile/"):
                for at in (0, len(data) // 2, len(data) - 1):
                    changed = data[:at] + bytes([data[at] ^ 4]) + data[at + 1 :]
                    self.bad({**files, name: changed}, "^(entry|tile)")

    def test_the_first_bad_entry_is_named(self):
        log = sized(300)
        files = log.export()
        name = "tile/entries/001.p/44"
        changed = files[name].replace(b'"n":277', b'"n":276', 1)
        self.assertNotEqual(changed, files[name])
        self.bad({**files, name: changed}, "^entry 278: its hash")

    def test_files_cut_dropped_added_and_swapped(self):
        files = sized(600).export()
        for name, data in files.items():
            for cut in (data[:-1], data[:-32], data[: len(data) // 2], b"", data + b"\0", data * 2):
                if (name, cut) != ("private.ndjson", b""):
                    self.bad({**files, name: cut})
        for name in files:
            without = {known: data for known, data in files.items() if known != name}
            if name == "private.ndjson":
                self.good(without)
                self.assertIn("not checked", self.said)
            else:
                self.bad(without, f"^{name}: cannot be read")
        for name in ("0/003", "0/001.p/1", "1/000", "2/000.p/1", "entries/003", "x", "00/000"):
            self.bad({**files, f"tile/{name}": files["tile/0/000"]}, f"^tile/{name}")
        for kind in ("tile/0", "tile/entries"):
            one, two = f"{kind}/000", f"{kind}/001"
            self.bad({**files, one: files[two], two: files[one]}, "^entry 1:")
        both = {f"tile/{kind}/{n}": files[f"tile/{kind}/{m}"] for kind in ("0", "entries")
                for n, m in (("000", "001"), ("001", "000"))}
        self.bad({**files, **both}, "^entry 1:")
        self.good({**files, "README": b"hello"})
        self.assertIn("not looked at: README", self.said)

    def test_entries_dropped_doubled_and_swapped_in_a_signed_log(self):
        """The log itself lies: the tree and the signature fit."""
        for size in (3, 257, 300):
            for change in (
                lambda b: b[:1] + b[2:],
                lambda b: b[:2] + b[1:],
                lambda b: b[:1] + [b[2], b[1]] + b[3:],
                lambda b: b[1:],
                lambda b: b + b[-1:],
            ):
                log = sized(size)
                log.bodies = change(log.bodies)
                self.bad(log.export(), "^entry [0-9]+: seq is")

    def test_entries_that_are_not_of_the_form(self):
        good = json.loads(sized(2).bodies[1])
        rest = json.dumps(good)[1:]
        for body, pattern in (
            (b"", "JSON"),
            (b"[]", "object"),
            (b"\xff", "UTF-8"),
            (b"\xef\xbb\xbf" + json.dumps(good).encode(), "JSON"),
            (b'{"a":NaN,' + rest.encode(), "JSON"),
            (b'{"seq":9,' + rest.encode(), "twice"),
            (b"[" * 60000, "JSON"),
            (b'{"a":' * 3000 + b"1" + b"}" * 3000, "JSON|seq"),
            (json.dumps({**good, "v": 1}).encode(), "v is 1, not 2"),
            (json.dumps({**good, "v": 2.0}).encode(), "v is 2.0"),
            (json.dumps({**good, "v": "2"}).encode(), "v is 2"),
            (json.dumps({**good, "log": "x"}).encode(), "log is x"),
            (json.dumps({**good, "seq": 3}).encode(), "seq is 3, not 2"),
            (json.dumps({**good, "seq": "2"}).encode(), "seq is 2, not 2"),
            (json.dumps({**good, "detail": {"private": "YWJj"}}).encode(), "3 bytes, not 32"),
        ):
            log = Log()
            log.raw(body)
            self.bad(log.export(), f"^entry 2: .*({pattern})")
        for changed in ({"action": "answered"}, {"seq": True}):
            log = Log()
            first = {**json.loads(log.bodies[0]), **changed}
            log.bodies = [json.dumps(first).encode()]
            self.bad(log.export(), "^entry 1:")
        log = Log()
        log.add("answered", {"repository": {"private": True}, "x": {"private": "two words"}})
        log.add("answered", at="1999-01-01T00:00:00Z")
        self.good(log.export())

    def test_checkpoints(self):
        log = sized(5)
        files = log.export()

        def with_checkpoint(text):
            return {**files, "checkpoint": text if isinstance(text, bytes) else text.encode()}

        good = log.checkpoint()
        text, line = good.split("\n\n")
        self.good(with_checkpoint(log.checkpoint(extra="more\n")))
        self.good(with_checkpoint(log.checkpoint(B, A)))
        self.good(with_checkpoint(log.checkpoint(A, OTHER_LOG)))
        self.good(with_checkpoint(log.checkpoint(A, A)))
        self.good(with_checkpoint(good), B, A)
        for signer in (B, OTHER_LOG):
            self.bad(with_checkpoint(log.checkpoint(signer)), "^checkpoint: ")
            self.bad(with_checkpoint(good), "^checkpoint: ", signer)
            self.bad(with_checkpoint(log.checkpoint(signer)), "^checkpoint: ", OTHER_LOG)
        for size in (1, 4, 6, 256, 257, 10**17, 10**40):
            self.bad(with_checkpoint(log.checkpoint(size=size)), "")
            self.bad(with_checkpoint(good.replace("\n5\n", f"\n{size}\n")), "")
        for size in ("0", "-5", "05", "5.0", "٥", ""):
            self.bad(with_checkpoint(log.checkpoint(size=size or " ")), "^checkpoint: ")
        self.bad(with_checkpoint(log.checkpoint(root=b"\0" * 32)), "^checkpoint: its root")
        self.bad(with_checkpoint(log.checkpoint(root=b"\0" * 31)), "^checkpoint: root")
        self.bad(with_checkpoint(log.checkpoint(origin="other.example.com/log")), "^entry 1: log")
        self.bad(with_checkpoint(log.checkpoint(extra="\n")), "^checkpoint")
        broken = A.line("another text")
        for wrong in (
            good[:-1],
            good + "\n",
            good.replace("\n", "\r\n"),
            good.replace("\u2014", "-"),
            good.replace("\u2014 ", "\u2014  "),
            text + "\n\n",
            log.checkpoint(extra="a\x07b\n"),
            text + f"\n\n\u2014 {LOG} {b64(A.id)}\n" + line,
            text + "\n",
            text + "\n\n" + broken,
            text + "\n\n" + line + broken,
            text + "\n\n" + line.strip() + "=\n",
            text + "\n\n" + line * 101,
            good.encode()[:-9] + b"\xff" + good.encode()[-8:],
            b"",
        ):
            self.bad(with_checkpoint(wrong), "^checkpoint")

    def test_a_log_of_another_name_with_its_own_key(self):
        log = Log(OTHER_LOG.name)
        self.good(log.export(OTHER_LOG), OTHER_LOG)
        self.bad(log.export(A), "^checkpoint", A)
        self.bad(log.export(A), "^checkpoint", A, OTHER_LOG)


class PrivateValues(Case):
    def setUp(self):
        self.log = Log()
        who = {"approvals": [person("bob"), person("eve")], "text": Private("long", "aside")}
        self.seq = self.log.add("approved", who, person("ann"))
        self.log.add("answered", {"why": Private(None)})
        self.log.add("answered", {"why": Private({"a": [1, 2]})})

    def changed(self, change):
        rows = [dict(row) for row in self.log.rows]
        rows = change(rows) or rows
        return {**self.log.export(), "private.ndjson": ndjson(rows)}

    def test_names(self):
        names = {row["name"] for row in self.log.rows if row["seq"] == self.seq}
        self.assertIn("approvals.0.login", names)
        self.assertIn("actor.login", names)
        self.good(self.changed(lambda rows: None))
        self.assertRegex(self.said, "6 private values checked, none erased$")
        self.good(self.changed(lambda rows: rows[::-1]))

    def test_rows_that_do_not_belong(self):
        salt, other = b64(b"\1" * 32), b64(b"\1" * 31)
        value = json.dumps("x")
        for change in (
            lambda r: r[0].update(value=value),
            lambda r: r[0].update(value=r[0]["value"] + " "),
            lambda r: r[0].update(value=1),
            lambda r: r[0].update(salt=salt),
            lambda r: r[0].update(salt=other),
            lambda r: r[0].update(salt="?"),
            lambda r: r[0].update(name="x"),
            lambda r: r[0].update(name=r[1]["name"]),
            lambda r: r[0].update(name=None),
            lambda r: r[-1].update(seq=3),
            lambda r: r[0].update(seq=99),
            lambda r: r[0].update(seq=0),
            lambda r: r[0].update(seq="2"),
            lambda r: r[0].update(more=1),
            lambda r: r[0].pop("salt") and None,
            lambda r: r + r[:1],
            lambda r: r[:1] + r,
            lambda r: r[1:],
            lambda r: r[:-1],
            lambda r: r + [{"seq": 1, "name": "note", "salt": salt, "value": value}],
            lambda r: r + [1],
        ):
            self.bad(self.changed(change), "^(entry [0-9]+|private.ndjson, line [0-9]+):")
        files = self.log.export()
        rows = files["private.ndjson"]
        for wrong in (rows + b"\n", b"\n" + rows, rows[:-1], rows + b"{}\n", rows.replace(b"}", b",")):
            self.bad({**files, "private.ndjson": wrong})

    def test_a_value_moved_to_another_place(self):
        rows = self.log.rows
        rows[0]["name"], rows[1]["name"] = rows[1]["name"], rows[0]["name"]
        self.bad(self.log.export(), "^entry 2: .*commitment")

    def test_erased(self):
        names = (self.seq, "approvals.0.login"), (self.seq, "text")
        self.log.erase(*names)
        self.log.erase(names[0])
        self.good(self.log.export())
        self.assertRegex(self.said, "4 private values checked, private values erased in 1 entries: 2$")
        self.good(self.log.export(private=False))
        self.assertIn("not checked", self.said)

    def test_everything_erased(self):
        self.log.erase(*((row["seq"], row["name"]) for row in self.log.rows))
        self.good(self.log.export())
        self.assertRegex(self.said, "0 private values checked, .* in 3 entries: 2, 3, 4$")

    def test_said_to_be_erased_and_still_there(self):
        self.log.erase((self.seq, "text"), drop=False)
        self.bad(self.log.export(), "^entry 2: text: is there, but entry 5 says")

    def test_missing_and_not_said_to_be_erased(self):
        self.log.rows = [row for row in self.log.rows if row["name"] != "text"]
        self.bad(self.log.export(), "^entry 2: text is missing")
        self.good(self.log.export(private=False))

    def test_erasures_of_nothing(self):
        for seq, name in ((2, "texts"), (1, "text"), (5, "text"), (9, "text"), (0, "text"), ("2", "text")):
            log = sized(4)
            log.add("private.erased", {"erased": [{"seq": seq, "name": name}]})
            self.bad(log.export(), "^entry 5: ")
            self.bad(log.export(private=False), "^entry 5: ")
        for detail in ({}, {"erased": 1}, {"erased": [1]}, {"erased": [{"seq": 2}]}):
            log = sized(4)
            log.add("private.erased", detail)
            self.bad(log.export(), "^entry 5: ")

    def test_an_erasure_before_its_entry(self):
        log = Log()
        log.add("private.erased", {"erased": [{"seq": 3, "name": "why"}]})
        log.add("answered", {"why": Private("x")})
        log.rows = []
        self.bad(log.export(), "^entry 2: ")

    def test_two_of_one_name(self):
        log = Log()
        log.add("answered", {"actor": {"login": Private("x")}}, person("ann"))
        self.bad(log.export(), "^entry 2: two private values have the name actor.login")


class Rotations(Case):
    def chain(self, *pairs, **more):
        log = Log()
        for old, new in pairs:
            log.add("answered")
            log.rotate(old, new, **more)
        return log

    def test_the_new_key_signs(self):
        log = self.chain((A, B))
        for signers in ((A,), (B,), (A, B), (C, A)):
            self.good(log.export(B), *signers)
            self.good(log.export(A, B), *signers)
            self.bad(log.export(A), "^checkpoint: signed", *signers)
        self.bad(log.export(B), "^entry 3", C)
        self.bad(log.export(C), "^checkpoint: signed by none", A)

    def test_a_chain(self):
        log = self.chain((A, B), (B, C))
        for signer in (A, B, C):
            self.good(log.export(C), signer)
            self.bad(log.export(A), "^checkpoint: signed", signer)
            self.bad(log.export(B), "^checkpoint: signed", signer)
        self.bad(log.export(D), "^(checkpoint|entry)", D)

    def test_chains_that_break(self):
        self.bad(self.chain((C, D)).export(A), "^entry 3")
        self.bad(self.chain((C, D)).export(D), "^entry 3", A)
        self.bad(self.chain((A, B), (C, D)).export(B), "^entry 5")
        self.bad(self.chain((A, B), (C, D)).export(D), "^entry 5", A, D)
        self.bad(self.chain((C, D), (A, B)).export(B), "^entry 3")
        self.bad(self.chain((A, B), (A, C)).export(C), "^entry 5")
        self.bad(self.chain((A, B), (B, A)).export(A), "^entry 5")
        self.bad(self.chain((A, B), (A, B)).export(B), "^entry 5")
        self.bad(self.chain((A, A)).export(A), "^entry 3")

    def test_forged(self):
        for signed_by in ((B, B), (A, A), (B, A), (C, B), (A, C)):
            log = self.chain((A, B), signed_by=signed_by)
            for signer in (A, B):
                self.bad(log.export(B), "^entry 3: signed_by_.* does not hold", signer)
                self.bad(log.export(A), "^entry 3", signer)
        for wrong in (
            {"to": C.vkey},
            {"from": C.vkey},
            {"to": B.vkey[:-1]},
            {"signed_by_to": b64(b"\0" * 64)},
            {"signed_by_to": b64(b"\0" * 63)},
            {"signed_by_to": None},
            {"more": 1},
        ):
            log = Log()
            log.rotate(A, B, **wrong)
            self.bad(log.export(B), "^entry 2")

    def test_of_another_log(self):
        log = Log()
        log.rotate(A, OTHER_LOG)
        self.bad(log.export(OTHER_LOG), "^entry 2: rotates a key of another log", A, OTHER_LOG)
        other = Log(OTHER_LOG.name)
        other.rotate(A, B)
        log = Log()
        detail = json.loads(other.bodies[1])["detail"]
        log.add("key.rotated", detail)
        self.bad(log.export(B), "^entry 2: signed_by_from does not hold")


class Receipts(Case):
    def setUp(self):
        self.log, self.seqs = story()
        self.receipt = self.log.receipt(42, self.seqs)

    def entry(self, at, **changed):
        entries = [dict(entry) for entry in self.receipt["entries"]]
        entries[at].update(changed)
        return {**self.receipt, "entries": entries}

    def test_a_story(self):
        self.good_receipt(self.receipt)
        for part in ("request 42: shop to prod, commit 5b1fe0c", "entry 4: approved by bob at 2026",
                     "entry 5: triggered at 2026", "entry 7: succeeded", "4 private values checked, 0"):
            self.assertIn(part, self.said)
        self.good_receipt({**self.receipt, "entries": self.receipt["entries"][::-1]})
        self.good_receipt({**self.receipt, "keys": [B.vkey]})

    def test_values_withheld(self):
        self.good_receipt(self.entry(1, private=[]))
        self.assertIn("1 private values checked, 3 withheld or erased", self.said)
        self.assertIn("approved by account 8", self.said)

    def test_no_end_yet(self):
        self.good_receipt(self.log.receipt(42, self.seqs[:3]))
        self.assertIn("how it ended is not in this receipt", self.said)

    def test_many_sizes(self):
        for more in list(range(12)) + [248, 249, 250, 300]:
            log, seqs = story()
            for _ in range(more):
                log.add("stage.passed")
            receipt = log.receipt(42, seqs)
            self.good_receipt(receipt)
            size = len(log.bodies)
            for other in (size - 1, size + 1):
                text = receipt["checkpoint"].replace(f"\n{size}\n", f"\n{other}\n")
                self.bad_receipt({**receipt, "checkpoint": text}, "^(checkpoint|receipt|entry)")
                root = Tree((log.bodies + [b"{}"])[:other]).root(0, other)
                text = log.checkpoint(size=other, root=root)
                self.bad_receipt({**receipt, "checkpoint": text}, "^(receipt|entry)")
            # A proof alone tells two sizes apart only where its path has another form there.
            for other in (seqs[-1] - 1, size * 2, size * 1000):
                text = log.checkpoint(size=other)
                self.bad_receipt({**receipt, "checkpoint": text}, "^(receipt|entry)")

    def test_a_bit_anywhere(self):
        for field in ("checkpoint", "log", "format"):
            for changed in flips(self.receipt[field].encode()):
                with contextlib.suppress(UnicodeError):
                    self.bad_receipt({**self.receipt, field: changed.decode()})
        for at, entry in enumerate(self.receipt["entries"]):
            for changed in flips(entry["body"].encode()):
                with contextlib.suppress(UnicodeError):
                    self.bad_receipt(self.entry(at, body=changed.decode()))
            for number, part in enumerate(entry["proof"]):
                for changed in flips(part.encode()):
                    with contextlib.suppress(UnicodeError):
                        proof = list(entry["proof"])
                        proof[number] = changed.decode()
                        self.bad_receipt(self.entry(at, proof=proof), f"^entry {entry['seq']}")

    def test_proofs(self):
        proofs = [entry["proof"] for entry in self.receipt["entries"]]
        for at, proof in enumerate(proofs):
            others = [other for other in proofs if other != proof]
            others += [proof[1:], proof[:-1], proof + proof[:1], proof[:1] + proof, proof[::-1], [], 1, [1], None]
            for other in others:
                self.bad_receipt(self.entry(at, proof=other), "^entry")
        for seq in (1, 3, 4, 6, 8, 9, 0, -1, "2", 2.0, True, 10**30):
            self.bad_receipt(self.entry(0, seq=seq))

    def test_keys_and_origins(self):
        self.bad_receipt(self.receipt, "^checkpoint", B)
        self.bad_receipt(self.receipt, "^checkpoint", OTHER_LOG)
        self.bad_receipt(self.log.receipt(42, self.seqs, B), "^checkpoint")
        self.bad_receipt(self.log.receipt(42, self.seqs, B, keys=[B.vkey]), "^checkpoint")
        self.bad_receipt({**self.receipt, "log": OTHER_LOG.name}, "another log")
        self.good_receipt(self.log.receipt(42, self.seqs, B), B)

    def test_private_values(self):
        rows = self.receipt["entries"][1]["private"]
        name, salt, value = (rows[0][key] for key in ("name", "salt", "value"))
        for wrong in (
            [{"name": name, "salt": salt, "value": json.dumps("eve")}],
            [{"name": name, "salt": b64(b"\0" * 32), "value": value}],
            [{"name": "other", "salt": salt, "value": value}],
            [{"name": rows[1]["name"], "salt": salt, "value": value}],
            [{"name": name, "salt": salt}],
            rows + rows[:1],
            [1],
            1,
        ):
            self.bad_receipt(self.entry(1, private=wrong), "^entry 4: ")
        self.bad_receipt(self.entry(0, private=rows), "^entry 2: ")

    def test_the_story_must_hold(self):
        for without in (self.seqs[:1] + self.seqs[2:], self.seqs[:2] + self.seqs[3:], [], [1]):
            self.bad_receipt(self.log.receipt(42, without))
        self.bad_receipt(self.log.receipt(42, self.seqs + [6]), "^entry 6: is about request 43")
        self.bad_receipt(self.log.receipt(43, self.seqs), "^entry 2: is about request 42")
        self.bad_receipt(self.log.receipt(42, self.seqs + self.seqs[:1]), "^entry 2: is there twice")
        for changed in ({"sha": "0" * 40}, {"sha": None}, {"request": "42"}, {"request": True}):
            log, seqs = story(**changed)
            self.bad_receipt(log.receipt(42, seqs), "^entry 5: ")
        log = Log()
        about = {"request": 42, "service": "shop", "environment": "prod", "sha": "0" * 40}
        seqs = [log.add("triggered", about), log.add("approved", about, person("bob"))]
        self.bad_receipt(log.receipt(42, seqs), "^entry 2: .*no approval")
        seqs.append(log.add("triggered", about))
        self.good_receipt(log.receipt(42, seqs[1:]))
        self.bad_receipt(log.receipt(42, seqs), "^entry 2: .*no approval")

    def test_every_approval_that_the_start_names_is_there(self):
        both = [{"forge": "github", "number": 8}, {"forge": "github", "number": 9}]
        log, seqs = story(approvals=both[:1])
        self.good_receipt(log.receipt(42, seqs))
        log, seqs = story(approvals=both)
        self.bad_receipt(log.receipt(42, seqs), "^entry 5: names an approval that is not in this receipt")
        for odd in ({}, "bob", [None], [{"forge": "github"}], [{"number": 8}], [{"forge": "github", "number": True}]):
            log, seqs = story(approvals=odd)
            self.bad_receipt(log.receipt(42, seqs), "^entry 5: approvals: cannot be read")

    def test_an_approval_of_nothing_in_particular(self):
        log = Log()
        seqs = [log.add("approved", {"sha": "0" * 40}), log.add("triggered", {"sha": "0" * 40, "request": 42})]
        self.bad_receipt(log.receipt(42, seqs), "no approval")

    def test_forms(self):
        for changed in (
            {"format": "countersign.receipt/v2"},
            {"format": None},
            {"request": "42"},
            {"request": 42.0},
            {"request": True},
            {"checkpoint": None},
            {"entries": {}},
            {"entries": [json.dumps(entry) for entry in self.receipt["entries"]]},
            {"entries": [None]},
            {"more": 1},
        ):
            self.bad_receipt({**self.receipt, **changed})
        for field in ("format", "request", "log", "checkpoint", "entries"):
            self.bad_receipt({k: v for k, v in self.receipt.items() if k != field}, "is missing")
        text = json.dumps(self.receipt).encode()
        for wrong in (b"", b"[]", b"1", text[:-1], text + b"1", b"\xff" + text, b"[" * 100000):
            self.bad_receipt(wrong, "^receipt")
        self.bad_receipt(text[:-1] + b',"request":42}', "twice")
        self.bad_receipt(self.entry(0, body="\ud800"), "UTF-8")

    def test_a_rotated_key(self):
        self.log.rotate(A, B)
        self.good_receipt(self.log.receipt(42, self.seqs, B), B)
        self.bad_receipt(self.log.receipt(42, self.seqs, B), "^checkpoint", A)
        with_it = self.seqs + [len(self.log.bodies)]
        self.good_receipt(self.log.receipt(42, with_it, B), A)
        self.bad_receipt(self.log.receipt(42, with_it, A), "^checkpoint: .* given up", A)


class CommandLine(Case):
    def run_check(self, *arguments):
        command = [sys.executable, PROGRAM, *arguments]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        return done.returncode, done.stdout.decode("utf-8"), done.stderr.decode("utf-8")

    def test_exit_codes(self):
        with tempfile.TemporaryDirectory() as folder:
            log, seqs = story()
            receipt = os.path.join(folder, "receipt.json")
            with open(receipt, "w", encoding="utf-8") as file:
                json.dump(log.receipt(42, seqs), file)
            export = os.path.join(folder, "export")
            write(export, log.export())
            code, out, _ = self.run_check("export", export, "--key", A.vkey)
            self.assertEqual((code, out.count("\n"), out[:4]), (0, 1, "ok: "))
            code, out, _ = self.run_check("receipt", receipt, "--key", B.vkey, "--key", A.vkey)
            self.assertEqual((code, out[:4]), (0, "ok: "))
            for what in (("export", export), ("receipt", receipt)):
                code, out, _ = self.run_check(*what, "--key", B.vkey)
                self.assertEqual((code, out[:17]), (1, "bad: checkpoint: "))
            key = ("--key", A.vkey)
            for wrong in (
                (),
                ("export", export),
                ("export", *key),
                ("export", export, export, *key),
                ("other", export, *key),
                ("export", receipt, *key),
                ("export", os.path.join(folder, "none"), *key),
                ("receipt", os.path.join(folder, "none"), *key),
                ("receipt", export, *key),
                ("receipt", receipt, "--key"),
                ("receipt", receipt, "--key", A.vkey[:-1]),
                ("receipt", receipt, "--keys", A.vkey, *key),
            ):
                code, out, error = self.run_check(*wrong)
                self.assertEqual((code, out), (2, ""), wrong)
                self.assertIn("check.py export DIR", error)


def has_tools():
    if not shutil.which("openssl") or not shutil.which("jq"):
        return False
    done = subprocess.run(["openssl", "version"], stdout=subprocess.PIPE)
    return not re.match(b"OpenSSL [01]|LibreSSL", done.stdout)


class Page(Case):
    """What docs/audit.md tells people to type must work."""

    def setUp(self):
        page = os.path.join(os.path.dirname(PROGRAM), "..", "..", "docs", "audit.md")
        with open(page, encoding="utf-8") as file:
            page = file.read().split("## Checking a receipt with other tools")[1]
        self.shell = "\n".join(re.findall("```sh\n(.*?)```", page, re.DOTALL))
        self.path = re.search("<<'END'\n(.*?)END\n", self.shell, re.DOTALL).group(1)

    def test_the_way_up_to_the_root(self):
        code = compile(self.path, "path.py", "exec")
        for size in range(1, 24):
            log = sized(size)
            receipt = log.receipt(1, range(1, size + 1))
            entries = receipt["entries"]
            root = receipt["checkpoint"].split("\n")[2]
            for at, entry in enumerate(entries):
                for proof in (entry["proof"], entry["proof"][1:], entry["proof"] + [root]):
                    text = json.dumps({**receipt, "entries": [{**entry, "proof": proof}]})
                    out = io.StringIO()
                    with contextlib.redirect_stdout(out):
                        try:
                            with unittest.mock.patch("sys.argv", ["path.py", "0"]):
                                exec(code, {"open": lambda name: io.StringIO(text)})
                        except AssertionError:
                            pass
                    is_right = proof == entry["proof"]
                    self.assertEqual(out.getvalue() == root + "\n", is_right, (size, at))

    @unittest.skipUnless(has_tools(), "needs openssl 3 and jq")
    def test_every_command(self):
        log, seqs = story()
        self.assertIn(A.vkey, self.shell)
        for signer, words in ((A, "Signature Verified Successfully"), (B, None)):
            with tempfile.TemporaryDirectory() as folder:
                receipt = log.receipt(42, seqs, signer)
                write(folder, {"receipt.json": json.dumps(receipt).encode()})
                done = subprocess.run(
                    ["sh", "-e", "-c", self.shell], cwd=folder, stdout=subprocess.PIPE
                )
            lines = done.stdout.decode().splitlines()
            if words is None:
                self.assertNotEqual(done.returncode, 0)
                continue
            root = receipt["checkpoint"].split("\n")[2]
            self.assertEqual(lines[0], lines[1])
            self.assertEqual(lines[2].replace(" ", ""), lines[0])
            self.assertIn(words, lines[3])
            self.assertEqual(lines[4].split()[0], leaf(log.bodies[seqs[1] - 1]).hex())
            self.assertEqual(lines[5:7], [root, root])
            self.assertIn(lines[7], lines[9])


class Main(Case):
    def test_main_says_what_it_finds(self):
        out = io.StringIO()
        with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(out):
            self.assertEqual(check.main(["export", folder, f"--key={A.vkey}"]), 1)
        self.assertEqual(out.getvalue().split(":")[:2], ["bad", " checkpoint"])


if __name__ == "__main__":
    unittest.main()
