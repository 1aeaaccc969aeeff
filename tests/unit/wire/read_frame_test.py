#!/usr/bin/env python3
"""tools/read_frame.py, written from docs/formats/frame.md alone, reads what the program wrote."""
import json
import os
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "..", "tools"))
sys.dont_write_bytecode = True
import read_frame  # noqa: E402


def golden(name):
    with open(os.path.join(HERE, "golden", name), "rb") as file:
        return file.read()


class ReadFrameTest(unittest.TestCase):
    def test_reads_the_golden_frame_as_it_is_known_to_be(self):
        self.maxDiff = None
        frame, size = read_frame.read_frame(golden("version_1.bin"))
        self.assertEqual(size, len(golden("version_1.bin")))
        self.assertEqual(json.loads(json.dumps(frame)), json.loads(golden("version_1.json")))

    def test_notices_every_flipped_bit(self):
        data = bytearray(golden("version_1.bin"))
        for at in range(0, len(data), 7):
            data[at] ^= 1 << at % 8
            with self.assertRaises(read_frame.Damaged, msg=f"byte {at}"):
                read_frame.read_frame(bytes(data))
            data[at] ^= 1 << at % 8

    def test_checksum_is_the_published_one(self):
        self.assertEqual(read_frame.crc32c(b"123456789"), 0xE3069283)


if __name__ == "__main__":
    unittest.main()
