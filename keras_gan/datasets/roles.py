"""What the names of folders mean: training, validation or test pictures, side A or side B."""

import re
from collections.abc import Iterable
from typing import NamedTuple

#: The usual names of the three splits, in small letters and without separators.
SPLITS = {
    "train": ("training", "train", "trn"),
    "val": ("validation", "validate", "valid", "val", "development", "devel", "dev"),
    "test": ("testing", "test", "tst", "evaluation", "eval", "holdout", "heldout", "unseen"),
}
#: Words that may stand beside them: "test_set", "TrainImages", "A_train_data".
FILLERS = r"(?:data|dataset|set|split|images?|imgs?|pictures?|pics?|photos?|frames?|folder|dir|domain|side|the|my)*"
WORDS = {word: split for split, words in SPLITS.items() for word in words}
SPLIT = f"(?P<split>{'|'.join(sorted(WORDS, key=len, reverse=True))})"
YEAR = r"(?:\d|(?:19|20)\d\d)?"  # test1, train2017
PATTERNS = [
    re.compile(rf"\d?\d?{FILLERS}{SPLIT}{YEAR}{FILLERS}(?P<side>[ab])?{FILLERS}"),  # also "01_train"
    re.compile(f"{FILLERS}(?P<side>[ab]){FILLERS}{SPLIT}{YEAR}{FILLERS}"),
    re.compile(f"{FILLERS}(?P<side>[ab]){FILLERS}"),
]
SEPARATORS = re.compile(r"[\W_]+")
#: "trainHorse", "train_horse" and "horse_train": a split and the rest of the name.
WITH_REST = re.compile(
    rf"(?i:(?P<first>{'|'.join(WORDS)}))(?:[\W_]+|(?=[A-Z]))(?P<after>.+)|(?P<before>.+?)[\W_]+(?i:(?P<last>{'|'.join(WORDS)}))"
)


class Role(NamedTuple):
    """What a folder is for: "train", "val", "test" or "" (any split), and "A", "B" or "" (no side)."""

    split: str
    side: str


def role_of(name: str) -> Role | None:
    """The role that a folder's name tells, in any capitals and with any separators, or None."""
    text = SEPARATORS.sub("", name).casefold()
    for pattern in PATTERNS:
        found = pattern.fullmatch(text)
        if found:
            parts = found.groupdict()
            return Role(WORDS.get(parts.get("split") or "", ""), (parts.get("side") or "").upper())
    return None


def roles_of(names: Iterable[str]) -> dict[str, Role]:
    """{name: role} of the names in one folder that tell one.

    Names that tell none by themselves may do so after what they have in common, "cars_train" and "cars_test", or what
    each has in common with another one: "trainHorse" and "testHorse" beside "trainZebra" and "testZebra".
    """
    names = list(names)
    found = {name: role for name in names if (role := role_of(name))}
    if found or len(names) < 2:
        return found
    found = in_couples(names)
    if found:
        return found
    cuts = [cut.end() for cut in SEPARATORS.finditer(names[0])]
    start = max((cut for cut in cuts if all(name.startswith(names[0][:cut]) for name in names)), default=0)
    rest = {name: role_of(name[start:]) for name in names if start}
    return {name: role for name, role in rest.items() if role and role.split}


def in_couples(names: list[str]) -> dict[str, Role]:
    """{name: role} of the names that begin or end with a split, if the rest of a name of "train" has another split."""
    splits: dict[str, dict[str, str]] = {}
    for name in names:
        if match := WITH_REST.fullmatch(name):
            rest, word = match["after"] or match["before"], match["first"] or match["last"]
            splits.setdefault(rest.casefold(), {})[WORDS[word.casefold()]] = name
    couples = [of_rest for of_rest in splits.values() if "train" in of_rest and len(of_rest) > 1]
    return {name: Role(split, "") for of_rest in couples for split, name in of_rest.items()}
