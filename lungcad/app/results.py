"""What a session keeps of the images that it looked at, bounded; the more visitors have images of their own, the fewer of each."""

import weakref
from collections import OrderedDict

Key = tuple[object, ...]
"""Of a result; the image's or series' content hash is part of it, before any other."""
MAX_RESULTS = 48
"""Results that one session keeps; the oldest go first."""
MAX_IMAGES = 64
"""Images of which all sessions together keep results: a slice of 512×512 with its map and checks takes 3 to 4 MB."""
FEWEST_IMAGES = 2
"""Of which a session keeps them however many sessions there are: this one and the one before."""
_HASH = 64  # hexadecimal digits of SHA-256
_ALL: "weakref.WeakValueDictionary[int, Results]" = weakref.WeakValueDictionary()


class Results(OrderedDict[Key, object]):
    """Results by key, the one that was used last at the end.

    shared: of lungcad's own examples, for all sessions; the number of their images is not bounded.
    """

    def __init__(self, *, shared: bool = False) -> None:
        super().__init__()
        self.shared = shared
        if not shared:
            _ALL[id(self)] = self

    def keep(self, key: Key, value: object) -> None:
        """As the newest; the oldest results, and those of the images that were looked at longest ago, are let go."""
        self[key] = value
        self.move_to_end(key)
        if not self.shared:
            images = list(dict.fromkeys(image_of(each) for each in reversed(self)))
            let_go = set(images[max(FEWEST_IMAGES, MAX_IMAGES // len(_ALL)) :])
            for old in [each for each in self if image_of(each) in let_go]:
                del self[old]
        while len(self) > MAX_RESULTS:
            self.popitem(last=False)


def image_of(key: Key) -> str | None:
    """The content hash of the image or series that a result belongs to; None where the key holds none."""
    return next((part for part in key if isinstance(part, str) and len(part) >= _HASH), None)
