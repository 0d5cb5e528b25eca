"""Counter-based random numbers: each depends only on seed, stream, time, combination and channel."""

import hashlib
from typing import Final

import numpy as np
from numpy.typing import NDArray

_TIME: Final = 0x9E3779B97F4A7C15
_COMBINATION: Final = 0xD1B54A32D192ED03
_CHANNEL: Final = 0x8CB92BA72F3D8DD7
_WORD: Final = 2**64 - 1


class RandomStream:
    """A stream of random numbers with random access: any window can be generated without the ones before it."""

    def __init__(self, seed: int, stream: str) -> None:
        digest = hashlib.blake2b(f"{seed}/{stream}".encode(), digest_size=8).digest()
        self._key = int.from_bytes(digest, "little")

    def uniform(self, time: NDArray[np.int64], combination: NDArray[np.int32], channel: int) -> NDArray[np.float64]:
        """Return a float64 in [0, 1) for each pair of the two arrays, which are broadcast."""
        start = np.uint64((self._key + channel * _CHANNEL) & _WORD)
        bits: NDArray[np.uint64] = time.astype(np.uint64) * np.uint64(_TIME)
        bits = bits + combination.astype(np.uint64) * np.uint64(_COMBINATION) + start
        # The finalizer of splitmix64: each bit of the counter affects all bits of the result.
        bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        bits ^= bits >> np.uint64(31)
        return (bits >> np.uint64(11)).astype(np.float64) * 2.0**-53
