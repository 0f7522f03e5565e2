"""Enough of AppArmor to ask what a profile lets a process do to a file that it owns."""

import re
from pathlib import Path

VARIABLES = {"@{PROC}": "/proc", "@{sys}": "/sys", "@{pid}": "[0-9]*", "@{tid}": "[0-9]*"}
_RULE = re.compile(
    r"(?P<deny>deny )?(?:owner )?(?P<path>[/@]\S*) (?P<permissions>[a-zA-Z]+)(?: -> \w+)?,"
)
_PROFILE = re.compile(r"profile (?P<name>\S+) .*\{")
_GLOBS = {"**": ".*", "*": "[^/]*", "?": "[^/]", "{": "(?:", "}": ")", ",": "|"}


class Profiles:
    """The profiles of a file, by name."""

    def __init__(self, file: Path) -> None:
        self.rules: dict[str, list[str]] = {}
        inside: list[str] = []
        for line in file.read_text(encoding="utf-8").splitlines():
            text = line.strip()
            if match := _PROFILE.fullmatch(text):
                inside.append(match["name"])
                self.rules[match["name"]] = []
            elif text == "}":
                inside.pop()
            elif inside and text and not text.startswith("#"):
                self.rules[inside[-1]].append(text)

    def allowed(self, profile: str, path: str) -> set[str]:
        """Return the letters of what the profile allows with a path."""
        return self._letters(profile, path, deny=False) - self._letters(profile, path, deny=True)

    def _letters(self, profile: str, path: str, *, deny: bool) -> set[str]:
        rules = [match for rule in self.rules[profile] if (match := _RULE.fullmatch(rule))]
        return {
            letter
            for rule in rules
            if bool(rule["deny"]) is deny and _pattern(rule["path"]).fullmatch(path)
            for letter in rule["permissions"]
        }


def _pattern(glob: str) -> re.Pattern[str]:
    for name, value in VARIABLES.items():
        glob = glob.replace(name, value)
    parts = re.split(r"(\*\*|\[[^]]*\]|[*?{},])", glob)
    return re.compile(
        "".join(p if p.startswith("[") else _GLOBS.get(p, re.escape(p)) for p in parts)
    )
