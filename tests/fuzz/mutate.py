"""Inputs made from whole ones by a few changes, the same for the same seed."""

import random
from collections.abc import Iterator, Sequence

INTERESTING = (
    b"\0",
    b"\xff",
    b"\x7f",
    b"\x80",
    b"\xff\xff",
    b"\0\0\0\0",
    b"\xff\xff\xff\xff",
    b"\xff\xff\xff\x7f",
    b"nan",
    b"1e400",
    b"-1",
    b"[[[[",
    b"%s",
    b"\n",
)


def mutants(seeds: Sequence[bytes], n: int, seed: int) -> Iterator[bytes]:
    """n of them, from all the seeds in turn."""
    draw = random.Random(seed)  # noqa: S311  no secret
    for index in range(n):
        data = bytearray(seeds[index % len(seeds)])
        for _ in range(draw.choice((1, 1, 2, 4, 8))):
            _change(data, seeds, draw)
        yield bytes(data)


def _change(data: bytearray, seeds: Sequence[bytes], draw: random.Random) -> None:
    at = _place(len(data), draw)
    length = min(draw.choice((1, 2, 4, 16, 64, 512)), len(data) - at)
    match draw.randrange(7):
        case 0 if data:
            data[at] ^= 1 << draw.randrange(8)
        case 1 if data:
            data[at] = draw.randrange(256)
        case 2:
            value = draw.choice(INTERESTING)
            data[at : at + len(value)] = value
        case 3:
            del data[at : at + length]
        case 4:
            data[at:at] = data[at : at + length]
        case 5:
            other = draw.choice(seeds)
            begin = _place(len(other), draw)
            data[at : at + length] = other[begin : begin + length]
        case _:
            del data[max(at, 1) :]


def _place(length: int, draw: random.Random) -> int:
    """Headers stand at the beginning: half of the changes are made in the first part."""
    return draw.randrange(max(min(length, 400) if draw.random() < 0.5 else length, 1))
