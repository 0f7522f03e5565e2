"""The recipe of the built-in model: text, synthetic and human speech, a teacher, a student, an export."""
