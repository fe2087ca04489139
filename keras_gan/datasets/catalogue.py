"""The data sets that `python -m keras_gan.datasets download NAME` fetches."""

from dataclasses import dataclass
from typing import Any

PAIRED = "http://efrosgans.eecs.berkeley.edu/pix2pix/datasets"
UNPAIRED = "https://efrosgans.eecs.berkeley.edu/cyclegan/datasets"

ZAPPOS = "UT Zappos50K: academic, non-commercial use"
RESEARCH = "non-commercial research"
FACADES = "CMP Facade Database, see there"
GOOGLE = "Google Maps, see its terms"
UNKNOWN = "not stated, ask the makers"


@dataclass(frozen=True)
class Entry:
    """A data set on the web: one archive, with A in the left halves or in trainA and testA.

    `size` is the archive's size in bytes (`about` if rounded), None if unknown. A wrong `sha256` is
    an error. The `md5` comes from an unofficial list; a mismatch only warns.
    """

    name: str
    url: str
    paired: bool
    sides: str
    terms: str
    size: int | None = None
    about: bool = False
    sha256: str | None = None
    md5: str | None = None
    direction: str = "AtoB"
    hint: str = ""

    @property
    def folders(self) -> tuple[str, ...]:
        """The folders that contain pictures in a complete copy."""
        return ("train", "val") if self.paired else ("trainA", "trainB", "testA", "testB")

    @property
    def size_text(self) -> str:
        return "of unknown size" if self.size is None else "about " * self.about + readable(self.size)


def paired(name: str, size: int, md5: str, sides: str, terms: str, **more: Any) -> Entry:
    return Entry(name, f"{PAIRED}/{name}.tar.gz", True, sides, terms, size, about=True, md5=md5, **more)


def unpaired(
    name: str, sides: str, terms: str, size: int | None = None, sha256: str | None = None, source: str = "", **more: Any
) -> Entry:
    return Entry(name, f"{UNPAIRED}/{source or name}.zip", False, sides, terms, size, sha256=sha256, **more)


BACKWARDS = {"direction": "BtoA", "hint": "labels to photos is --direction BtoA"}
PAIRED_TOO = "{} has the same kind of pictures in pairs"

ENTRIES = [
    paired("facades", 31_000_000, "e2e25dd517e9d15828416ab329da2854", "photos, label maps", FACADES, **BACKWARDS),
    paired(
        *("maps", 246_000_000, "e5f65d26eb288457f5ac056deb94d154", "photos from the air, maps", GOOGLE),
        hint="maps to photos is --direction BtoA",
    ),
    paired("edges2shoes", 2_200_000_000, "71da478b54fedde126e234a2a050bc15", "edges, photos", ZAPPOS),
    paired("edges2handbags", 8_600_000_000, "815592f22fa7f7534a286a25bb73bf03", "edges, photos", UNKNOWN),
    unpaired(
        *("horse2zebra", "horses, zebras", RESEARCH, 116_867_962),
        "a74d9d392eecca9966b51287a76ca126af473d9de4f3e8fc0e9cda08fa1730a1",
    ),
    unpaired(
        *("apple2orange", "apples, oranges", RESEARCH, 78_456_409),
        "845a191e9af8926408ea597001cd03a452e3300a1f44a79fe329b3d59f6e3eb8",
    ),
    unpaired(
        *("summer2winter_yosemite", "summer, winter", UNKNOWN, 132_640_856),
        "167fe1726807a9d22bd106b4a6c0bd7953b688af924ac1bf967439c4961e49f9",
    ),
    unpaired(
        *("facades-unpaired", "photos and label maps, `check` shows which is which", FACADES, 35_135_868),
        *("9a31ebf3a31b9b5cd195dd5bf62e9308e00cb94604d1019e3889ac84248695c0", "facades"),
        hint=PAIRED_TOO.format("facades"),
    ),
    unpaired(
        *("maps-unpaired", "photos and maps, `check` shows which is which", GOOGLE, 1_476_754_427),
        *("639534f69dbf9f36bef8d6292a7698006361221f83f0285d7c9ca78afe6e8a9e", "maps"),
        hint=PAIRED_TOO.format("maps"),
    ),
    unpaired("vangogh2photo", "paintings, photos", UNKNOWN),
    unpaired("monet2photo", "paintings, photos", UNKNOWN),
    unpaired("cezanne2photo", "paintings, photos", UNKNOWN),
    unpaired("ukiyoe2photo", "woodblock prints, photos", UNKNOWN),
    unpaired("iphone2dslr_flower", "photos by phones, photos by cameras", UNKNOWN),
]
CATALOGUE = {entry.name: entry for entry in ENTRIES}


def readable(size: int) -> str:
    """A number of bytes as text: 31 MB, 2.2 GB."""
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{max(1, round(size / 1e6))} MB"


def how_to_get(name: object) -> str:
    """The download command for a data set of the catalogue, with "; " after it. Empty for an unknown name."""
    entry = CATALOGUE.get(str(name))
    if entry is None:
        return ""
    kind = "paired" if entry.paired else "unpaired"
    return f"python -m keras_gan.datasets download {name} fetches it ({kind}, {entry.size_text}); "


def listing() -> str:
    """The catalogue as text."""
    parts = []
    for kind, is_paired in (("Pairs, A in the left half", True), ("Unpaired, A in trainA and testA", False)):
        parts.append(f"{kind}:")
        parts += [described(entry) for entry in ENTRIES if entry.paired == is_paired]
    parts.append(
        "facades and maps come in both kinds: the unpaired ones are named facades-unpaired and maps-unpaired.\n"
        "Unpaired archives must match their SHA-256 if known. Pairs have only an unofficial MD5: a mismatch warns."
    )
    return "\n\n".join(parts)


def described(entry: Entry) -> str:
    """The lines of one data set in the listing."""
    details = [f"A, B: {entry.sides}", f"terms: {entry.terms}", *([entry.hint] if entry.hint else [])]
    return "\n      ".join([f"  {entry.name:<24}{entry.size_text}", *details])
