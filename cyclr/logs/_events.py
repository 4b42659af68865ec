"""TensorBoard's event files: framed records, with the scalars of a step in each."""

import struct
from collections.abc import Iterator, Mapping
from typing import Any

from cyclr.logs._errors import MalformedRow, UnusableLog
from cyclr.logs._formats import Format
from cyclr.logs._sources import peeked

__all__ = ["Events"]

FIRST, VERSION = 64, b"brain.Event:"  # what the first record says, in so many bytes
# A frame: the data's length with its checksum, the data, and their checksum.
LENGTH, HEADER, CHECKSUM = "<Q", "<QI", "<I"
BEFORE, AFTER = struct.calcsize(HEADER), struct.calcsize(CHECKSUM)
LARGEST = 1 << 26  # bytes: a record that is larger holds no scalars, and is skipped

LONGEST = 1000  # characters of a tag

Fields = dict[str, float]


class Events(Format):
    """The scalars of each event, by tag, and their step; read by the package tensorboard."""

    name = "TensorBoard's events"
    names = ()
    decimal = "."

    @staticmethod
    def recognises(pieces: Iterator[bytes]) -> tuple[bool, Iterator[bytes]]:
        """Return whether the bytes of a log start like an event file's; and the bytes."""
        start, pieces = peeked(pieces, struct.calcsize(LENGTH))
        # More are asked for only if these are no text: it may have few as yet.
        if b"\0" in start:
            start, pieces = peeked(pieces, FIRST)
        return VERSION in start, pieces

    def __init__(self) -> None:
        try:
            from google.protobuf.message import DecodeError
            from tensorboard.compat.proto.event_pb2 import Event
            from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import masked_crc32c
            from tensorboard.util.tensor_util import make_ndarray
        except ImportError as error:
            raise UnusableLog(
                f"a TensorBoard event file, which the package tensorboard reads ({error})"
                '\n\nHint: pip install "cyclr[tensorboard]"'
            ) from None
        self._decode, self._error = Event.FromString, DecodeError
        self._checksum, self._array = masked_crc32c, make_ndarray

    def records(
        self, pieces: Iterator[bytes], /
    ) -> Iterator[tuple[int, Fields | MalformedRow] | None]:
        """Yield the scalars of each event that has some; events are numbered from 1."""
        number = 0
        try:
            for frame in self._frames(pieces):
                if frame is None:
                    yield None
                    continue
                number += 1
                try:
                    fields = self._fields(*frame)
                except MalformedRow as error:
                    yield number, error
                else:
                    if fields:
                        yield number, fields
        except MalformedRow as error:
            yield number + 1, error

    def row(self, record: Fields | MalformedRow) -> Mapping[str, float]:
        """Return the scalars of an event, by tag, and its step."""
        if isinstance(record, MalformedRow):
            raise record
        return record

    def _frames(self, pieces: Iterator[bytes]) -> Iterator[tuple[bytes, int] | None]:
        """Yield what is in each frame, and its checksum; `None` for an empty piece."""
        buffer, skip = bytearray(), 0
        for piece in pieces:
            if not piece:
                yield None
            buffer += piece
            while True:
                dropped = min(skip, len(buffer))
                del buffer[:dropped]
                skip -= dropped
                if len(buffer) < BEFORE:
                    break
                length, checksum = struct.unpack_from(HEADER, buffer)
                if self._checksum(struct.pack(LENGTH, length)) != checksum:
                    raise MalformedRow("damaged, and what comes after it can't be found")
                end = BEFORE + length + AFTER
                if length > LARGEST:
                    skip = end
                    yield b"", 0
                elif len(buffer) >= end:
                    data = bytes(buffer[BEFORE : BEFORE + length])
                    (checksum,) = struct.unpack_from(CHECKSUM, buffer, BEFORE + length)
                    del buffer[:end]
                    yield data, checksum
                else:  # the last one may still be being written
                    break

    def _fields(self, data: bytes, checksum: int) -> Fields:
        """Return the scalars in an event's *data*, if there are any, and its step."""
        try:
            event = self._decode(data)
        except self._error:
            raise MalformedRow("damaged: not an event") from None
        scalars = ((value.tag[:LONGEST], self._scalar(value)) for value in event.summary.value)
        fields = {tag: scalar for tag, scalar in scalars if scalar is not None}
        if fields and self._checksum(data) != checksum:
            raise MalformedRow("damaged: its checksum is another")
        return fields | {"step": event.step} if fields else fields

    def _scalar(self, value: Any) -> float | None:
        """Return the number in a summary's *value*, as old writers have it or as new ones do."""
        if value.WhichOneof("value") == "simple_value":
            return float(value.simple_value)
        # A small tensor may claim any shape.
        if any(dim.size != 1 for dim in value.tensor.tensor_shape.dim):
            return None
        try:
            return float(self._array(value.tensor).item())
        except (TypeError, ValueError):  # text, an image, ...
            return None
