"""Remembers on which photo a picture was drawn.

Side views are asked for with the finished front picture as their input. A real model sees only that picture; this one
does better on the photo behind it, which it looks up by a small fingerprint that survives another encoding.
"""

import hashlib
import threading
from collections import OrderedDict

import cv2
import numpy as np

from sandbox.hair.head import Field, Image

SIDE = 32
CLOSE, CLOSE_ANYWHERE = 1.5, 24
"""Grey levels by which two fingerprints of one picture differ at most, on average and in any place."""
PICTURES, PHOTO_BYTES = 400, 48_000_000


class Memory:
    """The latest pictures and their photos, bounded in number and in bytes. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._prints: OrderedDict[bytes, tuple[Field, str]] = OrderedDict()
        self._photos: OrderedDict[str, bytes] = OrderedDict()

    def remember(self, picture: Image, photo: bytes) -> None:
        name, mark = hashlib.sha256(photo).hexdigest(), fingerprint(picture)
        with self._lock:
            self._photos[name] = photo
            self._photos.move_to_end(name)
            while sum(map(len, self._photos.values())) > PHOTO_BYTES and len(self._photos) > 1:
                self._photos.popitem(last=False)
            self._prints[mark.tobytes()] = (mark, name)
            if len(self._prints) > PICTURES:
                self._prints.popitem(last=False)

    def photo_behind(self, picture: Image) -> bytes | None:
        """The photo that this picture was drawn on, if it is one of ours."""
        mark = fingerprint(picture)
        with self._lock:
            for known, name in reversed(self._prints.values()):
                gap = np.abs(known - mark)
                if gap.mean() < CLOSE and gap.max() < CLOSE_ANYWHERE:
                    return self._photos.get(name)
        return None


def fingerprint(picture: Image) -> Field:
    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
    return cv2.resize(grey, (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
