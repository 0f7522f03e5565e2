"""The recipe of the built-in model: text, speech, a teacher, a student, an export."""
