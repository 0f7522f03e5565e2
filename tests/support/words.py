"""How far a transcript is from what was said."""

__all__ = ["word_errors"]


def word_errors(reference: str, hypothesis: str) -> int:
    """Fewest words to replace, insert or delete to turn one into the other, whatever their case."""
    said, heard = reference.upper().split(), hypothesis.upper().split()
    row = list(range(len(heard) + 1))
    for i, word in enumerate(said, 1):
        above, row = row, [i]
        for j, other in enumerate(heard, 1):
            row.append(min(above[j] + 1, row[-1] + 1, above[j - 1] + (word != other)))
    return row[-1]
