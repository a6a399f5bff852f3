"""The size that a JPEG, JPEG-LS or JPEG 2000 stream claims for itself, read before anything is decoded.

A decoder takes memory for what the stream claims, not for what the DICOM header says: a kilobyte can ask for gigabytes.
"""

import struct

_NOT_A_FRAME_HEADER = {0xC4, 0xC8, 0xCC}  # DHT, JPG, DAC lie among the SOF markers
_JPEG_LS_FRAME = 0xF7


def claimed_size(stream: bytes) -> tuple[int, int] | None:
    """(rows, columns), or None when the stream is of no known kind. ISO 10918-1 B.2.2, ISO 14495-1 C.2.2, ISO 15444-1 A.5.1."""
    start = stream.find(b"\xff\x4f\xff\x51", 0, 4096)
    if start >= 0 and len(stream) >= start + 24:
        right, bottom, left, top = struct.unpack_from(">IIII", stream, start + 8)
        return bottom - top, right - left
    if not stream.startswith(b"\xff\xd8"):
        return None
    position = 2
    while position + 9 <= len(stream) and stream[position] == 0xFF:
        marker = stream[position + 1]
        if marker == _JPEG_LS_FRAME or (0xC0 <= marker <= 0xCF and marker not in _NOT_A_FRAME_HEADER):
            return struct.unpack_from(">HH", stream, position + 5)
        position += 1 if marker == 0xFF else 2 + struct.unpack_from(">H", stream, position + 2)[0]
    return None
