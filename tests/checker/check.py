#!/usr/bin/env python3
"""Checks exports and receipts of Countersign's audit log, using nothing of Countersign.

    check.py export DIR --key VKEY [--key VKEY ...]
    check.py receipt FILE --key VKEY [--key VKEY ...]

Exit 0 and `ok: ...` where everything holds; exit 1 and `bad: ...` at the first thing that does not;
exit 2 for wrong use. A VKEY is a public key of the log as text: NAME+ID+BASE64.

Written from the documents, not from the service: c2sp.org/signed-note, c2sp.org/tlog-checkpoint,
c2sp.org/tlog-tiles, RFC 6962 section 2.1, and docs/audit.md for what is Countersign's own.

In this order: bytes and texts; keys and notes; the tree; what an entry says; an export; a receipt.
"""

import base64
import hashlib
import json
import os
import re
import sys
from collections import namedtuple

try:
    from ecdsa import BadSignatureError, Ed25519, VerifyingKey
except ImportError:
    print(
        "check.py needs a package for Ed25519 signatures. Install it with\n"
        "    python3 -m pip install ecdsa==0.19.2\n"
        "or as python3-ecdsa (0.18 or newer) of your distribution.",
        file=sys.stderr,
    )
    sys.exit(2)


class Bad(Exception):
    """Something does not hold; the text begins with the entry or the file."""


# ---- Bytes and texts ------------------------------------------------------------------------


def unbase64(text, where, length=None):
    """Standard base64, and only its one correct spelling."""
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (AttributeError, ValueError):
        raise Bad(f"{where}: not base64") from None
    if base64.b64encode(data).decode() != text:
        raise Bad(f"{where}: not the usual spelling of base64")
    if length is not None and len(data) != length:
        raise Bad(f"{where}: {len(data)} bytes, not {length}")
    return data


def utf8(data, where):
    try:
        return data.decode("utf-8") if isinstance(data, bytes) else data.encode("utf-8")
    except UnicodeError:
        raise Bad(f"{where}: not UTF-8") from None


def parse_json(text, where):
    """JSON that has one meaning only: no key twice, no NaN."""

    def no_key_twice(pairs):
        if len(dict(pairs)) != len(pairs):
            raise ValueError("a key stands twice in an object")
        return dict(pairs)

    def no_constant(word):
        raise ValueError(f"{word} is not JSON")

    try:
        return json.loads(text, object_pairs_hook=no_key_twice, parse_constant=no_constant)
    except (ValueError, RecursionError) as error:
        raise Bad(f"{where}: not valid JSON: {error}") from None


def with_fields(found, where, fields, optional=()):
    """A JSON object that has these fields and no others."""
    if not isinstance(found, dict):
        raise Bad(f"{where}: not a JSON object")
    for field in fields:
        if field not in found:
            raise Bad(f"{where}: {field} is missing")
    for field in found:
        if field not in fields and field not in optional:
            raise Bad(f"{where}: {shown(field)} does not belong here")
    return found


def is_count(value):
    """A whole number from 1; Python takes true for 1, and 1.0 too."""
    return type(value) is int and value >= 1


def shown(value):
    """Somebody else's text, made safe for a terminal."""
    text = value if isinstance(value, str) else json.dumps(value)
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


# ---- Keys and notes -------------------------------------------------------------------------

Key = namedtuple("Key", "name id public text")
Note = namedtuple("Note", "text origin size root signatures")


def is_key_name(name):
    return name != "" and "+" not in name and not any(c.isspace() for c in name)


def parse_key(text, where):
    """NAME+ID+BASE64, where BASE64 is of one byte 1 for Ed25519, and of the key's 32 bytes."""
    if not isinstance(text, str) or text.count("+") < 2:
        raise Bad(f"{where}: not of the form NAME+ID+BASE64")
    name, key_id, encoded = text.split("+", 2)
    data = unbase64(encoded, where)
    if not is_key_name(name) or len(data) != 33 or data[0] != 1:
        raise Bad(f"{where}: not the key of an Ed25519 signer")
    expect = hashlib.sha256(utf8(name, where) + b"\n" + data).digest()[:4]
    if key_id != expect.hex():
        raise Bad(f"{where}: its ID does not fit")
    return Key(name, expect, data[1:], text)


def is_signed(key, signature, message):
    try:
        return VerifyingKey.from_string(key.public, curve=Ed25519).verify(signature, message)
    except (BadSignatureError, ValueError, AssertionError):
        return False


def parse_checkpoint(text):
    """A signed note whose text is a checkpoint. Nothing of it is to be believed before
    check_signed has passed."""
    where = "checkpoint"
    if any(c < " " and c != "\n" for c in text):
        raise Bad(f"{where}: holds a control character")
    end = text.rfind("\n\n")
    if end < 0 or not text.endswith("\n") or end + 2 >= len(text):
        raise Bad(f"{where}: not a signed note")
    body, lines = text[: end + 1], text[end + 2 : -1].split("\n")
    if len(lines) > 100:
        raise Bad(f"{where}: more than 100 signatures")
    signatures = []
    for line in lines:
        parts = line.split(" ")
        if len(parts) != 3 or parts[0] != "\u2014" or not is_key_name(parts[1]):
            raise Bad(f"{where}: not a line of a signature: {shown(line)}")
        data = unbase64(parts[2], f"{where}: signature of {shown(parts[1])}")
        if len(data) < 5:
            raise Bad(f"{where}: the signature of {shown(parts[1])} is too short")
        signatures.append((parts[1], data[:4], data[4:]))
    body_lines = body[:-1].split("\n")
    if len(body_lines) < 3 or "" in body_lines:
        raise Bad(f"{where}: needs a name, a size and a root, and no empty line")
    origin, size, root = body_lines[:3]
    if not re.fullmatch("0|[1-9][0-9]{0,17}", size):
        raise Bad(f"{where}: {shown(size)} is not a size")
    if size == "0":
        raise Bad(f"{where}: a log has at least one entry")
    root = unbase64(root, f"{where}: root", 32)
    return Note(utf8(body, where), origin, int(size), root, signatures)


def check_signed(note, given, rotations):
    """Signed by a key that is given, or that a given one handed over to; and that was not given up."""
    trusted, gone = follow_rotations(note.origin, given, rotations)
    known = set(given) | trusted | set(gone)
    if not any(key.name == note.origin for key in known):
        raise Bad(f"checkpoint: of the log {shown(note.origin)}, and no key is for that log")
    signers = set()
    for name, key_id, signature in note.signatures:
        keys = [k for k in known if (k.name, k.id) == (name, key_id) and name == note.origin]
        verified = [k for k in keys if is_signed(k, signature, note.text)]
        if keys and not verified:
            raise Bad(f"checkpoint: the signature of {shown(name)}+{key_id.hex()} does not hold")
        signers.update(verified)
    if not signers:
        raise Bad("checkpoint: signed by none of the keys")
    if not signers & trusted:
        key = signers.pop()
        raise Bad(
            f"checkpoint: signed by {shown(key.name)}+{key.id.hex()} only, "
            f"a key that was given up with entry {gone[key]}"
        )


def follow_rotations(origin, given, rotations):
    """The keys that may sign, and those that were given up, with the entry.

    A rotation hands over from a trusted key; or it stands before the time of all given keys, and then
    it and those after it have to lead to a given key, one handing over to the next."""
    trusted, gone = {key for key in given if key.name == origin}, {}
    given_reached = False
    open_since, open_end = None, None
    for seq, old, new in rotations:
        where = f"entry {seq}"
        if old in gone or new in gone or old == new:
            raise Bad(f"{where}: rotates from or to a key that was given up")
        if old in trusted:
            given_reached = True
        elif given_reached or open_end not in (None, old):
            raise Bad(f"{where}: rotates from a key that nothing makes trusted")
        elif new not in trusted:
            open_since, open_end = open_since or seq, new
        else:
            given_reached = True
            open_since = None
        if given_reached and open_since is not None:
            break
        gone[old] = seq
        trusted.discard(old)
        if given_reached:
            trusted.add(new)
    if open_since is not None:
        raise Bad(f"entry {open_since}: rotates between keys of which none is given")
    return trusted, gone


def parse_rotation(entry, log, where):
    """The keys of an entry `key.rotated`, both of which have signed it."""
    fields = ("from", "to", "signed_by_from", "signed_by_to")
    detail = with_fields(entry.get("detail"), where, fields)
    keys = [parse_key(detail[field], f"{where}: {field}") for field in ("from", "to")]
    text = f"countersign key rotation\n{log}\n{keys[0].text}\n{keys[1].text}\n"
    for key, field in zip(keys, ("signed_by_from", "signed_by_to")):
        signature = unbase64(detail[field], f"{where}: {field}", 64)
        if key.name != log:
            raise Bad(f"{where}: rotates a key of another log, {shown(key.name)}")
        if not is_signed(key, signature, utf8(text, where)):
            raise Bad(f"{where}: {field} does not hold")
    return keys


# ---- The tree -------------------------------------------------------------------------------


def leaf_hash(body):
    return hashlib.sha256(b"\x00" + body).digest()


def node_hash(left, right):
    return hashlib.sha256(b"\x01" + left + right).digest()


def tree_hash(hashes):
    """The root above a row of hashes: pair by pair; one that is left over goes up as it is."""
    while len(hashes) > 1:
        pairs = [node_hash(*hashes[i : i + 2]) for i in range(0, len(hashes) - 1, 2)]
        hashes = pairs + hashes[len(hashes) & ~1 :]
    return hashes[0]


def root_by_path(index, size, leaf, path, where):
    """The root that follows from a leaf and its audit path, as RFC 6962 section 2.1.1 defines it."""
    if size == 1:
        if path:
            raise Bad(f"{where}: the proof is too long")
        return leaf
    if not path:
        raise Bad(f"{where}: the proof is too short")
    left = 1 << ((size - 1).bit_length() - 1)  # the largest power of two below the size
    if index < left:
        return node_hash(root_by_path(index, left, leaf, path[:-1], where), path[-1])
    return node_hash(path[-1], root_by_path(index - left, size - left, leaf, path[:-1], where))


def tiles(level, count):
    """Where the tiles of one level are that has so many hashes, and how wide each is."""
    for number in range((count + 255) // 256):
        width = min(256, count - number * 256)
        yield tile_name(level, number, width), width


def tile_name(level, number, width):
    digits = str(number)
    digits = digits.zfill((len(digits) + 2) // 3 * 3)
    groups = [digits[i : i + 3] for i in range(0, len(digits), 3)]
    path = "/".join(["tile", str(level)] + ["x" + g for g in groups[:-1]] + groups[-1:])
    return path if width == 256 else f"{path}.p/{width}"


def split_bundle(data, width, where):
    entries, at = [], 0
    while at < len(data):
        length = int.from_bytes(data[at : at + 2], "big")
        if at + 2 + length > len(data):
            raise Bad(f"{where}: ends within an entry")
        entries.append(data[at + 2 : at + 2 + length])
        at += 2 + length
    if len(entries) != width:
        raise Bad(f"{where}: holds {len(entries)} entries, not {width}")
    return entries


# ---- What an entry says ---------------------------------------------------------------------


class Said:
    """What the entries say that other parts must agree with."""

    def __init__(self, log):
        self.log = log
        self.commitments = {}  # (seq, name): hash
        self.asides = set()  # (seq, name) of values that lie aside for their length
        self.values = {}  # (seq, name): its text, of those that were asked for
        self.opened = set()  # (seq, name) of every value that was checked
        self.erasures = {}  # (seq, name): the entry that says so
        self.rotations = []  # (seq, key, key)

    def entry(self, body, seq):
        """Takes in an entry's bytes."""
        where = f"entry {seq}"
        entry = parse_json(utf8(body, where), where)
        if not isinstance(entry, dict):
            raise Bad(f"{where}: not a JSON object")
        for field, expect in (("seq", seq), ("log", self.log), ("v", 2)):
            found = entry.get(field)
            if type(found) is not type(expect) or found != expect:
                raise Bad(f"{where}: {field} is {shown(found)}, not {shown(expect)}")
        if seq == 1 and entry.get("action") != "log.opened":
            raise Bad(f"{where}: the first entry is not log.opened")
        self.commit(seq, commitments_of(entry, where), where)
        if entry.get("action") == "key.rotated":
            self.rotations.append((seq, *parse_rotation(entry, self.log, where)))
        if entry.get("action") == "private.erased":
            self.take_erasure(entry, seq, where)
        return entry

    def commit(self, seq, found, where):
        for name, key, commitment in found:
            if (seq, name) in self.commitments:
                raise Bad(f"{where}: two private values have the name {shown(name)}")
            self.commitments[seq, name] = commitment
            if key == "aside":
                self.asides.add((seq, name))

    def take_erasure(self, entry, seq, where):
        detail = entry.get("detail")
        erased = detail.get("erased") if isinstance(detail, dict) else None
        if not isinstance(erased, list):
            raise Bad(f"{where}: does not say what was erased")
        for item in erased:
            item = with_fields(item, where, ("seq", "name"))
            if not is_count(item["seq"]) or not isinstance(item["name"], str):
                raise Bad(f"{where}: what was erased needs a seq and a name")
            if item["seq"] >= seq:
                raise Bad(f"{where}: erases what is not before it")
            self.erasures.setdefault((item["seq"], item["name"]), seq)

    def value(self, seq, row, where, keep=False):
        """Takes in a private value: does an entry hold a commitment to it?"""
        name, text = row["name"], row["value"]
        if not isinstance(name, str) or not isinstance(text, str):
            raise Bad(f"{where}: name and value are texts")
        where = f"{where}: {shown(name)}"
        if (seq, name) not in self.commitments:
            raise Bad(f"{where}: the entry holds no commitment of this name")
        if (seq, name) in self.opened:
            raise Bad(f"{where}: given twice")
        if (seq, name) in self.erasures:
            raise Bad(f"{where}: is there, but entry {self.erasures[seq, name]} says it was erased")
        salt = unbase64(row["salt"], f"{where}: salt", 32)
        if hashlib.sha256(salt + utf8(text, where)).digest() != self.commitments[seq, name]:
            raise Bad(f"{where}: is not the value that the entry holds a commitment to")
        parsed = parse_json(text, where)
        self.opened.add((seq, name))
        if (seq, name) in self.asides:
            # What was too long for the entry may hold commitments of its own.
            self.commit(seq, commitments_of(parsed, where, name.split(".")), where)
        if keep:
            self.values[seq, name] = parsed


def commitments_of(part, where, path=()):
    """The name, the key and the hash of every object that has one key, `private` or `aside`, and
    base64 in it. What is in `detail` is named by its path there, all else by its path in the entry."""
    places = [(list(path), part)]
    while places:
        path, part = places.pop()
        if isinstance(part, dict) and len(part) == 1:
            ((key, text),) = part.items()
            if key in ("private", "aside") and is_base64(text):
                path = path[1:] if path[:1] == ["detail"] else path
                name = ".".join(path)
                yield name, key, unbase64(text, f"{where}: {shown(name)}", 32)
                continue
        if isinstance(part, dict):
            places += [(path + [key], value) for key, value in part.items()]
        if isinstance(part, list):
            places += [(path + [str(at)], value) for at, value in enumerate(part)]


def is_base64(text):
    try:
        unbase64(text, "")
    except Bad:
        return False
    return True


# ---- An export ------------------------------------------------------------------------------


def read(folder, name):
    try:
        with open(os.path.join(folder, name), "rb") as file:
            return file.read()
    except OSError as error:
        raise Bad(f"{name}: cannot be read: {error.strerror}") from None


def check_export(folder, given):
    note = parse_checkpoint(utf8(read(folder, "checkpoint"), "checkpoint"))
    said = Said(note.origin)

    # The entries, and the lowest row of tiles.
    leaves, expected = [], set()
    rows = zip(tiles("entries", note.size), tiles(0, note.size))
    for (bundle, width), (tile, _) in rows:
        bodies = split_bundle(read(folder, bundle), width, bundle)
        hashes = read_tile(folder, tile, width)
        for body, expect in zip(bodies, hashes):
            leaves.append(leaf_hash(body))
            said.entry(body, len(leaves))
            if leaves[-1] != expect:
                raise Bad(f"entry {len(leaves)}: its hash is not the one in {tile}")
        expected |= {bundle, tile}
    if tree_hash(leaves) != note.root:
        raise Bad("checkpoint: its root is not the one of the entries")

    # The rows above: each hash stands for a full tile of the row below.
    hashes, level = leaves, 0
    while len(hashes) >= 256:
        full = len(hashes) // 256
        hashes = [tree_hash(hashes[i * 256 : (i + 1) * 256]) for i in range(full)]
        level += 1
        for number, (tile, width) in enumerate(tiles(level, full)):
            if read_tile(folder, tile, width) != hashes[number * 256 : number * 256 + width]:
                raise Bad(f"{tile}: its hashes are not those of the entries")
            expected.add(tile)
    for place, _, names in os.walk(os.path.join(folder, "tile")):
        for name in names:
            found = os.path.relpath(os.path.join(place, name), folder).replace(os.sep, "/")
            if found not in expected:
                raise Bad(f"{shown(found)}: does not belong to a log of {note.size} entries")
    others = sorted(set(os.listdir(folder)) - {"checkpoint", "tile", "private.ndjson"})

    check_signed(note, given, said.rotations)
    return sentence(note, note.size, check_private(folder, said), others)


def read_tile(folder, name, width):
    data = read(folder, name)
    if len(data) != 32 * width:
        raise Bad(f"{name}: {len(data)} bytes, not {32 * width}")
    return [data[i : i + 32] for i in range(0, len(data), 32)]


def check_private(folder, said):
    file = "private.ndjson"
    if not os.path.lexists(os.path.join(folder, file)):
        check_erasures(said)
        return f"private values were not checked, there is no {file}"
    lines = read(folder, file).split(b"\n")
    if lines.pop() != b"":
        raise Bad(f"{file}: the last line has no end")
    for number, line in enumerate(lines, 1):
        where = f"{file}, line {number}"
        row = parse_json(utf8(line, where), where)
        row = with_fields(row, where, ("seq", "name", "salt", "value"))
        if not is_count(row["seq"]):
            raise Bad(f"{where}: seq is not a number of an entry")
        said.value(row["seq"], row, f"entry {row['seq']}")
    check_erasures(said)
    without = set(said.commitments) - said.opened
    for seq, name in sorted(without - set(said.erasures)):
        raise Bad(f"entry {seq}: {shown(name)} is missing, and no entry says that it was erased")
    erased = sorted({seq for seq, _ in without})
    return f"{len(said.opened)} private values checked, " + (
        f"private values erased in {len(erased)} entries: {few(erased)}" if erased else "none erased"
    )


def check_erasures(said):
    """Only what was there can be erased. What lies within an aside is seen when that is there."""
    closed = {seq for seq, _ in said.asides - said.opened}
    for (seq, name), by in said.erasures.items():
        if (seq, name) not in said.commitments and seq not in closed:
            raise Bad(f"entry {by}: erases {shown(name)} of entry {seq}, which was never there")


def few(numbers):
    listed = ", ".join(str(number) for number in numbers[:10])
    return listed + (" and more" if len(numbers) > 10 else "")


def sentence(note, entries, private, others=()):
    root = base64.b64encode(note.root).decode()
    extra = f"; not looked at: {', '.join(shown(name) for name in others)}" if others else ""
    log = shown(note.origin)
    return f"ok: log {log}, size {note.size}, root {root}, {entries} entries checked, {private}{extra}"


# ---- A receipt ------------------------------------------------------------------------------

ENDS = (
    "succeeded failed rejected cancelled expired superseded voided trigger.lost trigger.unproven"
).split()


def check_receipt(data, given):
    where = "receipt"
    fields = ("format", "request", "log", "checkpoint", "entries")
    receipt = with_fields(parse_json(utf8(data, where), where), where, fields, ("keys",))
    if receipt["format"] != "countersign.receipt/v1":
        raise Bad(f"{where}: its format is {shown(receipt['format'])}")
    request = receipt["request"]
    if not is_count(request):
        raise Bad(f"{where}: request is not a number")
    if not isinstance(receipt["checkpoint"], str) or not isinstance(receipt["entries"], list):
        raise Bad(f"{where}: checkpoint is a text, and entries is a list")
    note = parse_checkpoint(receipt["checkpoint"])
    if receipt["log"] != note.origin:
        raise Bad(f"{where}: is of another log than its checkpoint")
    said, entries = Said(note.origin), {}
    for item in receipt["entries"]:
        item = with_fields(item, where, ("seq", "body", "proof"), ("private",))
        seq = item["seq"]
        if not is_count(seq) or seq > note.size or not isinstance(item["body"], str):
            raise Bad(f"{where}: an entry needs a seq of this log, and a body")
        where_entry = f"entry {seq}"
        if seq in entries:
            raise Bad(f"{where_entry}: is there twice")
        body, path = utf8(item["body"], where_entry), list_of(item, "proof", where_entry)
        path = [unbase64(text, f"{where_entry}: proof", 32) for text in path]
        if root_by_path(seq - 1, note.size, leaf_hash(body), path, where_entry) != note.root:
            raise Bad(f"{where_entry}: the proof does not lead to the checkpoint's root")
        entries[seq] = said.entry(body, seq)
        named = detail_of(entries[seq]).get("request", request)
        if type(named) is not int or named != request:
            raise Bad(f"{where_entry}: is about request {shown(named)}, not {request}")
    check_signed(note, given, sorted(said.rotations))
    for item in receipt["entries"]:
        for row in list_of(item, "private", f"entry {item['seq']}"):
            row = with_fields(row, f"entry {item['seq']}: private", ("name", "salt", "value"))
            said.value(item["seq"], row, f"entry {item['seq']}", keep=True)
    withheld = len(said.commitments) - len(said.opened)
    private = f"{len(said.opened)} private values checked, {withheld} withheld or erased"
    story = tell(request, entries, said.values)
    return "\n".join([sentence(note, len(entries), private)] + story)


def list_of(item, field, where):
    found = item.get(field, [])
    if not isinstance(found, list):
        raise Bad(f"{where}: {field} is not a list")
    return found


def detail_of(entry):
    detail = entry.get("detail")
    return detail if isinstance(detail, dict) else {}


def tell(request, entries, values):
    """The story of a release, in lines; bad where it was triggered without an approval."""
    own = [(s, e) for s, e in sorted(entries.items()) if detail_of(e).get("request") == request]
    triggers = [(s, e) for s, e in own if e.get("action") == "triggered"]
    approvals = [(s, e) for s, e in own if e.get("action") == "approved"]
    if not triggers:
        raise Bad(f"receipt: no entry says that request {request} was triggered")
    for seq, entry in triggers:
        sha = detail_of(entry).get("sha")
        before = [e for s, e in approvals if s < seq and detail_of(e).get("sha") == sha]
        if not isinstance(sha, str) or not before:
            raise Bad(f"entry {seq}: was triggered, and no approval of its commit stands before it")
        approvers = [account(e.get("actor"), "id") for e in before]
        for named in approvals_of(seq, entry, values):
            if account(named, "number") not in approvers:
                raise Bad(f"entry {seq}: names an approval that is not in this receipt")
    last, trigger = triggers[-1]
    what = [shown(detail_of(trigger).get(name, "?")) for name in ("service", "environment", "sha")]
    told = ["  request {}: {} to {}, commit {}".format(request, *what)]
    for seq, entry in approvals:
        who, sha = actor(seq, entry, values), shown(detail_of(entry).get("sha", "?"))
        told.append(f"  entry {seq}: approved by {who} at {at(entry)}, commit {sha}")
    told += [f"  entry {seq}: triggered at {at(entry)}" for seq, entry in triggers]
    ends = [(s, e) for s, e in own if s > last and e.get("action") in ENDS]
    told += [f"  entry {s}: {e['action']} at {at(e)}" for s, e in ends[-1:]]
    return told + ([] if ends else ["  how it ended is not in this receipt"])


def approvals_of(seq, trigger, values):
    """The approvals that a start of a release names; they may lie aside."""
    where = f"entry {seq}: approvals"
    named = detail_of(trigger).get("approvals", [])
    if isinstance(named, dict) and "aside" in named:
        if (seq, "approvals") not in values:
            raise Bad(f"{where}: are withheld")
        named = values[seq, "approvals"]
    if not isinstance(named, list) or None in [account(one, "number") for one in named]:
        raise Bad(f"{where}: cannot be read")
    return named


def account(who, number):
    """The forge and the account's number there."""
    if not isinstance(who, dict) or not isinstance(who.get("forge"), str):
        return None
    return (who["forge"], who[number]) if is_count(who.get(number)) else None


def at(entry):
    return shown(entry.get("at", "an unknown time"))


def actor(seq, entry, values):
    """The login if the receipt shows it, else the account's number, else what the entry says."""
    found = entry.get("actor")
    if not isinstance(found, dict):
        return shown(found)
    for name in ("login", "name", "id"):
        value = values.get((seq, f"actor.{name}"), found.get(name))
        if value is not None and not isinstance(value, (dict, list)):
            return shown(value if name != "id" else f"account {value}")
    return shown(found)


# ---- The command line -----------------------------------------------------------------------


def main(arguments):
    usage = __doc__.split("\n\n")[1]
    words, keys = [], []
    rest = iter(arguments)
    try:
        for word in rest:
            if word == "--key":
                keys.append(parse_key(next(rest, None), "--key"))
            elif word.startswith("--key="):
                keys.append(parse_key(word[6:], "--key"))
            elif word.startswith("-"):
                raise Bad(f"{word} is not known")
            else:
                words.append(word)
        if len(words) != 2 or words[0] not in ("export", "receipt") or not keys:
            raise Bad("what to check, and a key")
        if words[0] == "export" and not os.path.isdir(words[1]):
            raise Bad(f"{words[1]} is not a folder")
        if words[0] == "receipt":
            with open(words[1], "rb") as file:
                receipt = file.read()
    except (Bad, OSError) as error:
        print(f"check.py: {error}\n\n{usage}", file=sys.stderr)
        return 2
    try:
        print(check_export(words[1], keys) if words[0] == "export" else check_receipt(receipt, keys))
        return 0
    except Bad as bad:
        print(f"bad: {bad}")
        return 1


if __name__ == "__main__":
    sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")
    sys.exit(main(sys.argv[1:]))
