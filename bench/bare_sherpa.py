"""The least program that decodes with sherpa-onnx: PCM of known length in, a line of text out.

It imports nothing of ours: its memory and its start are what is measured.
"""

import sys

import numpy as np
import sherpa_onnx


def main() -> None:
    tokens, encoder, decoder, joiner = sys.argv[1:]
    recognizer = sherpa_onnx.OnlineRecognizer.from_transducer(
        tokens=tokens, encoder=encoder, decoder=decoder, joiner=joiner, num_threads=1
    )
    while size := sys.stdin.buffer.read(4):
        pcm = np.frombuffer(sys.stdin.buffer.read(int.from_bytes(size, "little")), "<i2")
        stream = recognizer.create_stream()
        stream.accept_waveform(16_000, pcm.astype(np.float32) / 32768)
        stream.accept_waveform(16_000, np.zeros(16_000, np.float32))  # more than any tail
        while recognizer.is_ready(stream):
            recognizer.decode_stream(stream)
        print(recognizer.get_result(stream), flush=True)


if __name__ == "__main__":
    main()
