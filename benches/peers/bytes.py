"""What no program that keeps the promises of `rating run` can leave out: `bytes.py PROJECT SIZES OUT`.

The CDRs of PROJECT are read and hashed (a run is known by the hash of what it is made from, before anything is published of
it) and read once more to be rated; as many files as a run publishes, as large as SIZES says (a line each), are written to
OUT and hashed. Nothing is parsed, rated, sorted or compressed. SHA-256 is OpenSSL's, which uses the processor's instructions
for it.
"""

import hashlib
import pathlib
import sys


def pieces(path, buffer=memoryview(bytearray(256 << 10))):
    with open(path, "rb", buffering=0) as file:
        while length := file.readinto(buffer):
            yield buffer[:length]


def main():
    project, sizes, out = map(pathlib.Path, sys.argv[1:])
    inputs = sorted(project.glob("cdr/*/*.csv"))
    for path in inputs:
        digest = hashlib.sha256()
        for piece in pieces(path):
            digest.update(piece)
    for path in inputs:
        for _ in pieces(path):
            pass
    block = memoryview(bytes(1 << 20))
    for number, size in enumerate(sizes.read_text().split()):
        digest = hashlib.sha256()
        with open(out / str(number), "wb", buffering=0) as file:
            for start in range(0, int(size), len(block)):
                piece = block[: int(size) - start]
                digest.update(piece)
                file.write(piece)


if __name__ == "__main__":
    main()
